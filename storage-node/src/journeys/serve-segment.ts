import type { VerifiedSegment } from '@cairn/commitments';
import type { LogEntry, Reader, RunRequest } from '@cairn/log-layer';
import { MAX_QUEUED_WRITES, Semaphore } from '@cairn/primitives';
import type { StorageNodeMetrics } from '../metrics.ts';

/** What serving reads from. */
export interface SegmentReaderDeps {
  readonly reader: Pick<Reader, 'segmentRun' | 'segmentWithProof'>;
  readonly metrics: StorageNodeMetrics;
}

/**
 * Reads segments for every door. What comes out was proven when it was stored and compared with its
 * checksum since; what is damaged comes out as not held, and the store has taken it out of service.
 */
export class SegmentReader {
  readonly #deps: SegmentReaderDeps;
  readonly #reads: Semaphore;

  constructor(deps: SegmentReaderDeps, options: { readonly concurrentReads: number }) {
    this.#deps = deps;
    this.#reads = new Semaphore({
      limit: options.concurrentReads,
      maxWaiting: MAX_QUEUED_WRITES,
    });
  }

  /** Reads that run or wait now. */
  get active(): number {
    return this.#reads.running + this.#reads.waiting;
  }

  /**
   * Segment `index` of an entry; `undefined` if it is not held here.
   *
   * @throws {QueueFullError}; {SegmentError} SEGMENT_SEALED; what the disk throws; the signal's reason
   */
  async read(
    entry: LogEntry,
    index: number,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<VerifiedSegment | undefined> {
    const { reader, metrics } = this.#deps;
    const segment = await this.#reads.run(
      () => reader.segmentWithProof(entry, index, { signal }),
      signal,
    );
    if (segment !== undefined) metrics.downloadBytes.add(segment.data.length);
    return segment;
  }

  /**
   * Consecutive segments of an entry, read together into memory that the caller gives, up to the
   * first that is not held.
   *
   * @throws as `read`
   */
  async readRun(
    entry: LogEntry,
    run: RunRequest,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly VerifiedSegment[]> {
    const { reader, metrics } = this.#deps;
    const segments = await this.#reads.run(() => reader.segmentRun(entry, run, { signal }), signal);
    for (const { data } of segments) metrics.downloadBytes.add(data.length);
    return segments;
  }
}
