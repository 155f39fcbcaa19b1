import { ProofError, type VerifiedSegment } from '@cairn/commitments';
import type { LogEntry, SegmentStore, UploadCache } from '@cairn/log-layer';
import { type Root, Semaphore, type Sequence } from '@cairn/primitives';
import { firstGlobalSegment } from '@cairn/wire-protocol';
import type { DiskGuard } from '../disk-guard.ts';
import type { EntryFinder, KnownEntry } from '../entry-finder.ts';
import { StorageNodeError } from '../errors.ts';
import type { StorageNodeMetrics } from '../metrics.ts';

/** Which segment is offered, before anything about it is proven. */
export interface SegmentOffer {
  readonly root: Root;
  /** Length of the file, as the sender states it. */
  readonly sizeBytes: number;
  readonly index: number;
  /** The log entry meant; `undefined`: whichever the root means. */
  readonly sequence: Sequence | undefined;
}

/** What became of an offered segment. */
export type AcceptOutcome =
  /** It is on the disk. */
  | 'stored'
  /** It was on the disk before. */
  | 'already'
  /** Everything this node keeps of the file was on the disk before; nothing was verified. */
  | 'finalized'
  /** It is proven and belongs to a shard that is kept elsewhere, or will be given up here. */
  | 'foreign'
  /** It waits in memory for the file's log entry. */
  | 'cached';

/** What accepting works with. */
export interface SegmentAcceptorDeps {
  readonly finder: EntryFinder;
  readonly store: Pick<SegmentStore, 'put' | 'has'>;
  readonly cache: Pick<UploadCache, 'add' | 'flush'>;
  /** Marks the entry finalised if its own segments are all held; keeps its failures to itself. */
  readonly settle: (entry: LogEntry, signal: AbortSignal) => Promise<void>;
  readonly disk: Pick<DiskGuard, 'requireRoom' | 'faultOf'>;
  /** Whether a segment of the flow is kept here, now and after a change of the shard under way. */
  readonly keeps: (globalSegment: number) => boolean;
  readonly metrics: StorageNodeMetrics;
}

/** Bounds of accepting. */
export interface SegmentAcceptorOptions {
  /** Segments verified and written at once. */
  readonly concurrentWrites: number;
  /** Segments that may wait for their turn. */
  readonly queuedWrites: number;
  /** The largest file that may wait in memory for its log entry. */
  readonly maxCachedFileBytes: number;
}

/**
 * Takes segments in, for every door: known entry? verify, store, finalise; or keep in memory until
 * the log knows the file. Owns this order, and nothing else does.
 */
export class SegmentAcceptor {
  readonly #deps: SegmentAcceptorDeps;
  readonly #writes: Semaphore;
  readonly #maxCachedFileBytes: number;

  constructor(deps: SegmentAcceptorDeps, options: SegmentAcceptorOptions) {
    this.#deps = deps;
    this.#writes = new Semaphore({
      limit: options.concurrentWrites,
      maxWaiting: options.queuedWrites,
    });
    this.#maxCachedFileBytes = options.maxCachedFileBytes;
  }

  /** Segments waiting for their turn now. */
  get waiting(): number {
    return this.#writes.waiting;
  }

  /**
   * Takes one segment in. When this resolves with `stored`, it is on the disk. The signal ends the wait for a
   * turn; what has begun is brought to its end.
   *
   * @param prove - verifies the segment; called once its entry and size are found plausible
   * @throws {StorageNodeError} ENTRY_MISMATCH, ENTRY_PRUNED, STORE_FULL; {CacheError};
   * {QueueFullError}; {SegmentError} ENTRY_REPLACED; what `prove` throws; the signal's reason
   */
  async accept(
    offer: SegmentOffer,
    prove: () => VerifiedSegment,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<AcceptOutcome> {
    const { metrics } = this.#deps;
    try {
      const outcome = await this.#accept(offer, prove, signal);
      metrics.uploads.add(1, { result: outcome });
      return outcome;
    } catch (error) {
      metrics.uploads.add(1, { result: 'refused' });
      if (error instanceof ProofError) metrics.verifyFailures.add();
      throw error;
    }
  }

  async #accept(
    offer: SegmentOffer,
    prove: () => VerifiedSegment,
    signal: AbortSignal,
  ): Promise<AcceptOutcome> {
    const known = await this.#deps.finder.find(offer, signal);
    if (known === undefined) this.#requireCacheable(offer);
    else if (isSettled(known, offer)) {
      // Nothing may be missing because nothing of it is kept here, or not where the sender's log has it.
      return this.#keeps(known.entry, offer.index) ? 'finalized' : 'foreign';
    }
    return this.#writes.run(async () => {
      const segment = prove();
      // A write goes on though its sender leaves. Without what follows it, a file that is whole would never be
      // final: whoever comes back finds nothing left to send.
      const { signal: own } = new AbortController();
      return known === undefined
        ? this.#keepForLater(offer, segment, own)
        : this.#store(known.entry, segment, own);
    }, signal);
  }

  /** Stores what waits in memory for `entry`. @throws as `accept`; the rest waits on */
  async flush(entry: LogEntry, signal: AbortSignal): Promise<void> {
    await this.#deps.cache.flush(entry, (_, segment) => this.#store(entry, segment, signal));
  }

  #requireCacheable({ sizeBytes }: SegmentOffer): void {
    const maxFileBytes = this.#maxCachedFileBytes;
    if (sizeBytes <= maxFileBytes) return;
    throw new StorageNodeError(
      { code: 'CACHE_FILE_TOO_LARGE', sizeBytes, maxBytes: maxFileBytes },
      `the log does not know this file yet, and ${sizeBytes} bytes are too many to wait in memory (${maxFileBytes} at most)`,
    );
  }

  async #keepForLater(
    offer: SegmentOffer,
    segment: VerifiedSegment,
    signal: AbortSignal,
  ): Promise<AcceptOutcome> {
    const { finder, cache, store } = this.#deps;
    cache.add(segment);
    // The entry may have come between the look-up and now, and with it the flush for it. Where a
    // sequence is meant, only that one counts: the file may be in the log elsewhere, too, where its
    // segments are of other shards.
    const known = await finder.find(offer, signal);
    if (known?.entry.root !== offer.root || known.entry.sizeBytes !== offer.sizeBytes)
      return 'cached';
    const { entry } = known;
    await this.flush(entry, signal);
    if (!this.#keeps(entry, segment.index)) return 'foreign';
    return (await store.has(entry, segment.index)) ? 'stored' : 'cached';
  }

  #keeps({ startSector }: LogEntry, index: number): boolean {
    return this.#deps.keeps(firstGlobalSegment(startSector) + index);
  }

  async #store(
    entry: LogEntry,
    segment: VerifiedSegment,
    signal: AbortSignal,
  ): Promise<AcceptOutcome> {
    const { store, disk, settle, metrics } = this.#deps;
    if (!this.#keeps(entry, segment.index)) return 'foreign';
    if (await store.has(entry, segment.index)) return 'already';
    await disk.requireRoom();
    try {
      // A second sender of the same segment waits in here for the first one's outcome.
      if ((await store.put(entry, segment, { signal })) === 'held') return 'already';
    } catch (error) {
      throw disk.faultOf(error);
    }
    metrics.uploadBytes.add(segment.data.length);
    await settle(entry, signal);
    return 'stored';
  }
}

/** Whether nothing is left to do for the offer. @throws {StorageNodeError} ENTRY_MISMATCH, ENTRY_PRUNED */
function isSettled({ entry, state }: KnownEntry, offer: SegmentOffer): boolean {
  const { sequence } = entry;
  if (entry.root !== offer.root) {
    throw new StorageNodeError(
      {
        code: 'ENTRY_MISMATCH',
        field: 'root',
        sequence,
        expected: entry.root,
        actual: offer.root,
      },
      `log entry ${sequence} is of the file ${entry.root}, not of ${offer.root}`,
    );
  }
  if (entry.sizeBytes !== offer.sizeBytes) {
    throw new StorageNodeError(
      {
        code: 'ENTRY_MISMATCH',
        field: 'sizeBytes',
        sequence,
        expected: entry.sizeBytes,
        actual: offer.sizeBytes,
      },
      `log entry ${sequence} has ${entry.sizeBytes} bytes, the segment says ${offer.sizeBytes}`,
    );
  }
  if (state.pruned) {
    throw new StorageNodeError(
      { code: 'ENTRY_PRUNED', sequence },
      `log entry ${sequence} is no longer kept here`,
    );
  }
  return state.finalized;
}
