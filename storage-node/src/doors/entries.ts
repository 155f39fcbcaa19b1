import type { LogEntry, LogStore, SegmentStore } from '@cairn/log-layer';
import {
  addRoute,
  pathText,
  queryNumber,
  type RouteGroup,
  requestSignal,
} from '@cairn/node-runtime/http';
import { type ChainId, parseRoot, type Root, sequenceOf } from '@cairn/primitives';
import {
  countOwnedSegments,
  type EntryStat,
  fileStatJson,
  MAX_STAT_ENTRIES,
  type ShardConfig,
} from '@cairn/wire-protocol';
import type { EntryFinder } from '../entry-finder.ts';
import { StorageNodeError } from '../errors.ts';
import { storageRouteTable } from './route-table.ts';

/** What the entry doors show. */
export interface EntryDoorsDeps {
  readonly chainId: ChainId;
  readonly shard: () => ShardConfig;
  readonly log: Pick<LogStore, 'entryAt' | 'sequencesOf' | 'stateOf'>;
  readonly finder: EntryFinder;
  readonly store: Pick<SegmentStore, 'held' | 'heldCount'>;
  readonly stopping: AbortSignal;
}

/** Tags in a listing of many entries are cut to this, so that the reply stays bounded. */
const MAX_LISTED_TAGS_BYTES = 4096;

/**
 * `GET /v1/entries/{root}`: the log entries of a file and what is held of each;
 * `GET /v1/entries/{root}/held`: which segments, so that an upload sends only what is missing.
 */
export function entryDoors(deps: EntryDoorsDeps): RouteGroup {
  return (app) => {
    const table = storageRouteTable();
    addRoute(app, table, 'getFileStat', async (request, reply) => {
      const root = parseRoot(pathText(request, 'root'));
      const signal = requestSignal(reply, deps.stopping);
      const { log } = deps;
      const sequences = await log.sequencesOf(root, { signal, limit: MAX_STAT_ENTRIES });
      const entries: EntryStat[] = [];
      for (const sequence of sequences) {
        const entry = await log.entryAt(sequence);
        if (entry !== undefined) entries.push(await entryStat(entry, deps, signal));
      }
      if (entries.length === 0) throw unknownEntry(root);
      return fileStatJson({ chainId: deps.chainId, root, entries });
    });
    addRoute(app, table, 'getHeld', async (request, reply) => {
      const root = parseRoot(pathText(request, 'root'));
      const seq = queryNumber(request, 'seq');
      const signal = requestSignal(reply, deps.stopping);
      const sequence = seq === undefined ? undefined : sequenceOf(seq);
      const known = await deps.finder.find({ root, sequence }, signal);
      if (known === undefined || known.entry.root !== root) throw unknownEntry(root);
      const { bits } = await deps.store.held(known.entry, { signal });
      void reply
        .type('application/octet-stream')
        .header('cache-control', 'no-store')
        .header('x-cairn-sequence', String(known.entry.sequence));
      return Buffer.from(bits.buffer, bits.byteOffset, bits.byteLength);
    });
  };
}

async function entryStat(
  entry: LogEntry,
  { shard, log, store }: EntryDoorsDeps,
  signal: AbortSignal,
): Promise<EntryStat> {
  const { sequence, sizeBytes, startSector, paddedSectors, submitter, tags, block } = entry;
  const { finalized, pruned } = await log.stateOf(sequence);
  return {
    sequence,
    sizeBytes,
    startSector,
    paddedSectors,
    submitter,
    tags: tags.length > MAX_LISTED_TAGS_BYTES ? tags.subarray(0, MAX_LISTED_TAGS_BYTES) : tags,
    block: block.number,
    finalized,
    ownedSegments: countOwnedSegments(shard(), startSector, sizeBytes),
    heldSegments: await store.heldCount(entry, { signal }),
    pruned,
  };
}

function unknownEntry(root: Root): StorageNodeError {
  return new StorageNodeError(
    { code: 'ENTRY_UNKNOWN', root },
    `no log entry with the root ${root} is known here`,
  );
}
