import { type Hasher, proveFileSector, sectorsOf } from '@cairn/commitments';
import {
  addRoute,
  type HttpReplyOut,
  type HttpRequestIn,
  pathNumber,
  pathText,
  queryNumber,
  type RouteGroup,
  requestSignal,
} from '@cairn/node-runtime/http';
import { parseRoot, SEGMENT_SECTORS, sequenceOf } from '@cairn/primitives';
import { encodeSectorMessage, SECTOR_MESSAGE_TYPE } from '@cairn/wire-protocol';
import type { EntryFinder } from '../entry-finder.ts';
import { StorageNodeError } from '../errors.ts';
import type { SegmentReader } from '../journeys/serve-segment.ts';
import { storageRouteTable } from './route-table.ts';

/** What the sector door needs. */
export interface SectorDoorDeps {
  readonly finder: EntryFinder;
  readonly reader: Pick<SegmentReader, 'read'>;
  readonly hasher: Pick<Hasher, 'hashMany'>;
  readonly stopping: AbortSignal;
}

/**
 * `GET /v1/sectors/{root}/{index}`: one sector with its path to the file's root, for whoever checks
 * that the file is here. Costs a read of the segment and some 2,000 hashes, and about 1 KiB on the
 * wire; the segment itself would cost no hashes and 256 KiB.
 */
export function sectorDoor(deps: SectorDoorDeps): RouteGroup {
  return (app) => {
    addRoute(app, storageRouteTable(), 'getSector', (request, reply) =>
      getSector(request, reply, deps),
    );
  };
}

async function getSector(
  request: HttpRequestIn,
  reply: HttpReplyOut,
  { finder, reader, hasher, stopping }: SectorDoorDeps,
): Promise<Buffer> {
  const root = parseRoot(pathText(request, 'root'));
  const index = pathNumber(request, 'index');
  const seq = queryNumber(request, 'seq');
  const signal = requestSignal(reply, stopping);
  const sequence = seq === undefined ? undefined : sequenceOf(seq);
  const known = await finder.find({ root, sequence }, signal);
  if (known === undefined || known.entry.root !== root) {
    throw new StorageNodeError(
      { code: 'ENTRY_UNKNOWN', root },
      `no log entry with the root ${root} is known here`,
    );
  }
  const { entry } = known;
  const segmentIndex = Math.floor(index / SEGMENT_SECTORS);
  const segment =
    index < sectorsOf(entry.sizeBytes)
      ? await reader.read(entry, segmentIndex, { signal })
      : undefined;
  if (segment === undefined) {
    throw new StorageNodeError(
      { code: 'SEGMENT_NOT_HELD', sequence: entry.sequence, index: segmentIndex },
      `sector ${index} of log entry ${entry.sequence} is not held here`,
    );
  }
  // Whoever asks wants to know what is here now: nothing between may answer instead.
  void reply.type(SECTOR_MESSAGE_TYPE).header('cache-control', 'no-store');
  return Buffer.from(
    encodeSectorMessage(proveFileSector(segment, index % SEGMENT_SECTORS, hasher)),
  );
}
