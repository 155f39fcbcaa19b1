import type { VerifiedSegment } from '@cairn/commitments';
import {
  concatBytes,
  LruCache,
  mapConcurrent,
  SECTOR_BYTES,
  SEGMENT_BYTES,
  SingleFlight,
} from '@cairn/primitives';
import { SegmentError } from './errors.ts';
import { assertRange } from './file-source.ts';
import type { LogEntry } from './log-entry.ts';
import type { RunRequest } from './read-run.ts';
import type { SegmentStore } from './segment-store.ts';

/** Bytes of segments kept in memory unless told. */
const DEFAULT_CACHE_BYTES = 32 * 1024 * 1024;
/** Segments read ahead of whoever pulls. */
const READ_AHEAD = 3;

export interface ReaderOptions {
  /** Bytes of segments kept in memory, 32 MiB unless told. */
  readonly cacheBytes?: number;
}

/** Reads files from the segment store: whole segments with proofs, sectors, any range of bytes. */
export class Reader {
  readonly #segments: Pick<SegmentStore, 'get' | 'getRun' | 'has'>;
  readonly #cache: LruCache<string, VerifiedSegment>;
  readonly #flights = new SingleFlight<VerifiedSegment | undefined>();

  constructor(
    deps: { readonly segments: Pick<SegmentStore, 'get' | 'getRun' | 'has'> },
    { cacheBytes = DEFAULT_CACHE_BYTES }: ReaderOptions = {},
  ) {
    this.#segments = deps.segments;
    this.#cache = new LruCache({ maxWeight: cacheBytes, weigh: ({ data }) => data.length });
  }

  /**
   * Segment `index` of an entry with its proof; `undefined` if it is not held. Read once for
   * callers that ask at the same time. The bytes are shared: do not write into them.
   *
   * @throws {CommitmentError} SEGMENT_INDEX; what the disk throws; the signal's reason
   */
  async segmentWithProof(
    entry: LogEntry,
    index: number,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<VerifiedSegment | undefined> {
    const key = `${entry.root}:${entry.startSector}:${entry.sizeBytes}:${index}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    // The work goes on for the others when one caller leaves, so it has no caller's signal.
    const work = async (): Promise<VerifiedSegment | undefined> => {
      const lasting = new AbortController().signal;
      const segment = await this.#segments.get(entry, index, { signal: lasting });
      if (segment !== undefined) this.#cache.set(key, segment);
      return segment;
    };
    return this.#flights.run(key, work, signal);
  }

  /**
   * Consecutive segments of an entry with their proofs, read from the disk in one piece into memory
   * that the caller gives, past the cache: whoever reads a file from end to end would only push out
   * of it what others come back to. Ends before the first that is not held or is damaged.
   *
   * @throws {CommitmentError} SEGMENT_INDEX; what the disk throws; the signal's reason
   */
  async segmentRun(
    entry: LogEntry,
    run: RunRequest,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly VerifiedSegment[]> {
    signal.throwIfAborted();
    return this.#segments.getRun(entry, run);
  }

  /**
   * Sectors `[startSector, endSector)` of an entry's file, counted from its first; `undefined` if
   * any of them is not held.
   *
   * @throws {RangeError} unless they lie within the file's sectors
   */
  async readSectors(
    entry: LogEntry,
    startSector: number,
    endSector: number,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Uint8Array | undefined> {
    const fileBytes = Math.ceil(entry.sizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
    const offset = startSector * SECTOR_BYTES;
    const length = (endSector - startSector) * SECTOR_BYTES;
    assertRange({ offset, length }, fileBytes);
    const parts: Uint8Array[] = [];
    for (const index of indexesOf(offset, length)) {
      const segment = await this.segmentWithProof(entry, index, { signal });
      if (segment === undefined) return undefined;
      parts.push(cut(segment, offset, length));
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : concatBytes(...parts);
  }

  /**
   * Bytes of an entry's file, in pieces of at most a segment; `undefined` if some of them are not
   * held when reading begins. The consumer pulls; three segments are read ahead of it.
   *
   * @throws {RangeError} unless the range lies within the file; while reading, {SegmentError}
   *   SEGMENT_NOT_HELD if a segment is gone, and the signal's reason
   */
  async readBytes(
    entry: LogEntry,
    offset: number,
    length: number,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    assertRange({ offset, length }, entry.sizeBytes);
    for (const index of indexesOf(offset, length)) {
      signal.throwIfAborted();
      if (!(await this.#segments.has(entry, index))) return undefined;
    }
    const read = async (index: number, inner: AbortSignal): Promise<Uint8Array> => {
      const segment = await this.segmentWithProof(entry, index, { signal: inner });
      if (segment !== undefined) return cut(segment, offset, length);
      const { sequence } = entry;
      throw new SegmentError(
        { code: 'SEGMENT_NOT_HELD', sequence, index },
        `segment ${index} of entry ${sequence} is not held any more`,
      );
    };
    return mapConcurrent(indexesOf(offset, length), read, { parallel: READ_AHEAD, signal });
  }
}

/** Segments that bytes `[offset, offset + length)` of a file lie in. */
function* indexesOf(offset: number, length: number): Generator<number, void, void> {
  const end = Math.ceil((offset + length) / SEGMENT_BYTES);
  if (length === 0) return;
  for (let index = Math.floor(offset / SEGMENT_BYTES); index < end; index += 1) yield index;
}

/** The part of a segment that lies in bytes `[offset, offset + length)` of its file. */
function cut({ index, data }: VerifiedSegment, offset: number, length: number): Uint8Array {
  const start = index * SEGMENT_BYTES;
  return data.subarray(Math.max(0, offset - start), Math.min(data.length, offset + length - start));
}
