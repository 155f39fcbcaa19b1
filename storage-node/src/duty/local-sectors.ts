import type { DrawnSector, SectorSource } from '@cairn/chain-access/possession';
import { type Hasher, proveFileSector } from '@cairn/commitments';
import type { LogEntry, LogStore, Reader } from '@cairn/log-layer';
import { rootBytes, SEGMENT_SECTORS, sequenceOf, toHex } from '@cairn/primitives';
import { DutyError } from './errors.ts';

/** Where stored sectors are read. */
export interface LocalSectorsDeps {
  readonly log: Pick<LogStore, 'entryAt'>;
  readonly reader: Pick<Reader, 'segmentWithProof'>;
  readonly hasher: Pick<Hasher, 'hashMany'>;
}

/**
 * Sectors of files that this node keeps, each with its path to the file's root. What is read is
 * compared with its checksum; what rotted counts as not held, and is fetched from peers again.
 */
export function localSectors({ log, reader, hasher }: LocalSectorsDeps): SectorSource {
  return {
    async sector({ entry, sector }: DrawnSector, { signal }) {
      const known = await log.entryAt(sequenceOf(entry.sequence));
      const index = Math.floor(sector / SEGMENT_SECTORS);
      const isIt = known !== undefined && toHex(rootBytes(known.root)) === toHex(entry.fileRoot);
      const segment = isIt ? await readSegment(known, index, reader, signal) : undefined;
      if (segment !== undefined) return proveFileSector(segment, sector % SEGMENT_SECTORS, hasher);
      const { sequence } = entry;
      throw new DutyError(
        { code: 'DUTY_SECTOR_NOT_HELD', sequence, segment: index, sector },
        `segment ${index} of log entry ${sequence}, of which sector ${sector} is drawn, is not held here`,
      );
    },
  };
}

function readSegment(
  entry: LogEntry,
  index: number,
  reader: Pick<Reader, 'segmentWithProof'>,
  signal: AbortSignal,
): ReturnType<Reader['segmentWithProof']> {
  return reader.segmentWithProof(entry, index, { signal });
}
