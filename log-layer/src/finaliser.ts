import {
  fileShape,
  type Hasher,
  segmentDataBytes,
  type VerifiedSegment,
  verifySegment,
} from '@cairn/commitments';
import { type Logger, mapConcurrent, rootBytes, type Sequence } from '@cairn/primitives';
import { countOwnedSegments, ownedSegments, type ShardConfig } from '@cairn/wire-protocol';
import type { LogEntry } from './log-entry.ts';
import type { LogStore } from './log-store.ts';
import type { LogMetrics } from './metrics.ts';
import type { SegmentStore } from './segment-store.ts';

/** Entries of the same root that are looked at for pieces to copy. */
const MAX_SAME_ROOT = 64;
/** Pieces copied at once: bounds memory at 2 MiB a file and lets their syncs be shared. */
const PARALLEL_COPIES = 8;
/** Pieces found nowhere before copying gives up: a file may claim to have billions. */
const MAX_FAILED_COPIES = 1000;

/** What finalising works with. */
export interface FinaliserDeps {
  readonly log: LogStore;
  readonly segments: Pick<SegmentStore, 'heldSegments' | 'get' | 'getStashed' | 'put'>;
  readonly hasher: Hasher;
  readonly logger: Logger;
  readonly metrics: LogMetrics;
  /** The shard now; asked each time, since it may change. */
  readonly shard: () => ShardConfig;
  /** Told of each entry that is finalised now and was not before. */
  readonly onFinalised?: (entry: LogEntry) => void;
}

/**
 * Decides when an entry is finalised: when all segments that this node's shard owns are held. A
 * file that is in the log more than once is uploaded once; its pieces are copied to its other
 * places from wherever they are intact.
 */
export class Finaliser {
  readonly #deps: FinaliserDeps;

  constructor(deps: FinaliserDeps) {
    this.#deps = deps;
  }

  /**
   * Finalises an entry if all it needs is held or can be copied, then its twins of the same root.
   * Safe to call again at any time.
   *
   * @returns whether the entry is finalised now
   * @throws what the stores throw; ENTRY_REPLACED if the chain replaced the entry meanwhile
   */
  async consider(entry: LogEntry, signal: AbortSignal): Promise<boolean> {
    const { log } = this.#deps;
    const { finalized, pruned } = await log.stateOf(entry.sequence);
    if (finalized || pruned) return finalized;
    // Most entries, where there are many shards: nothing is kept of them, and nothing is there for twins.
    const isKept = this.#isKept(entry);
    if (isKept && !(await this.#complete(entry, signal))) return false;
    const isNew = await this.#mark(entry, signal);
    for (const sequence of isNew && isKept ? await this.#twinsOf(entry, signal) : []) {
      const twin = await log.entryAt(sequence);
      if (twin === undefined || twin.root !== entry.root) continue;
      if (await this.#complete(twin, signal)) await this.#mark(twin, signal);
    }
    return isNew || (await log.stateOf(entry.sequence)).finalized;
  }

  /**
   * Looks at every entry that waits, in order. For the start: a crash may lie behind us.
   *
   * @param onFailed - told of entries whose finalisation failed, to try it again
   */
  async considerPending(signal: AbortSignal, onFailed: (entry: LogEntry) => void): Promise<void> {
    const { log, logger, metrics } = this.#deps;
    for (let from = 0; ; ) {
      const sequences = await log.pendingFrom(from, { signal });
      for (const sequence of sequences) {
        signal.throwIfAborted();
        const entry = await log.entryAt(sequence);
        try {
          if (entry !== undefined) await this.consider(entry, signal);
        } catch (error) {
          signal.throwIfAborted();
          metrics.finaliseFailures.add(1);
          logger.warn({ sequence, error }, 'finalising an entry failed');
          if (entry !== undefined) onFailed(entry);
        }
        from = sequence + 1;
      }
      if (sequences.length === 0) return;
    }
  }

  /** Whether all owned segments are held, after copying those that exist elsewhere. */
  async #complete(entry: LogEntry, signal: AbortSignal): Promise<boolean> {
    const missing = await this.#missing(entry, signal);
    const first = missing.next();
    if (first.done === true) return true;
    const sources = await this.#sourcesOf(entry, signal);
    // One look tells whether there is anything to copy: a file never seen has no piece anywhere.
    if (!(await this.#copy(entry, first.value, sources, signal))) return false;
    let failed = 0;
    const copyOne = (index: number, inner: AbortSignal): Promise<boolean> =>
      this.#copy(entry, index, sources, inner);
    const copies = mapConcurrent(missing, copyOne, { parallel: PARALLEL_COPIES, signal });
    for await (const isCopied of copies) {
      if (!isCopied) failed += 1;
      if (failed === MAX_FAILED_COPIES) break;
    }
    return failed === 0;
  }

  /** Owned segments that are not held, one at a time: there may be billions. */
  async #missing(
    entry: LogEntry,
    signal: AbortSignal,
  ): Promise<Generator<number, undefined, undefined>> {
    const held = await this.#deps.segments.heldSegments(entry, { signal });
    const owned = ownedSegments(this.#deps.shard(), entry.startSector, entry.sizeBytes);
    return (function* () {
      for (const index of owned) if (!held.has(index)) yield index;
      return undefined;
    })();
  }

  /** Whether some of it is kept here. */
  #isKept({ startSector, sizeBytes }: LogEntry): boolean {
    return countOwnedSegments(this.#deps.shard(), startSector, sizeBytes) > 0;
  }

  /**
   * Marks an entry finalised. A piece that was found damaged since the last look takes the mark back:
   * who finds one first forgets the piece and then the mark, so one of the two always notices.
   *
   * @returns whether it is finalised now and was not before
   */
  async #mark(entry: LogEntry, signal: AbortSignal): Promise<boolean> {
    const { log, logger, metrics, onFinalised } = this.#deps;
    if (!(await log.setFinalized(entry, true))) return false;
    if (this.#isKept(entry) && (await this.#missing(entry, signal)).next().done !== true) {
      await log.setFinalized(entry, false);
      return false;
    }
    metrics.finalised.add(1);
    logger.debug({ sequence: entry.sequence, root: entry.root }, 'entry finalised');
    onFinalised?.(entry);
    return true;
  }

  /** Other places where pieces of the same root may lie: finalised entries first, then orphans. */
  async #sourcesOf(entry: LogEntry, signal: AbortSignal): Promise<LogEntry[]> {
    const { log } = this.#deps;
    const options = { signal, limit: MAX_SAME_ROOT };
    const finalised = await log.finalisedOf(entry.root, options);
    const all = await log.sequencesOf(entry.root, options);
    const sources: LogEntry[] = [];
    for (const sequence of new Set([...finalised, ...all])) {
      const source = sequence === entry.sequence ? undefined : await log.entryAt(sequence);
      if (source !== undefined) sources.push(source);
    }
    return [...sources, ...(await log.orphansOf(entry.root, signal))];
  }

  async #copy(
    entry: LogEntry,
    index: number,
    sources: readonly LogEntry[],
    signal: AbortSignal,
  ): Promise<boolean> {
    for (const source of [...sources, undefined]) {
      const found =
        source === undefined
          ? await this.#deps.segments.getStashed(entry, index)
          : await this.#pieceOf(source, index, signal);
      const segment = found === undefined ? undefined : this.#adopt(entry, found);
      if (segment === undefined) continue;
      const result = await this.#deps.segments.put(entry, segment, { signal });
      if (result === 'stored') this.#deps.metrics.copiedSegments.add(1);
      return true;
    }
    return false;
  }

  async #pieceOf(
    source: LogEntry,
    index: number,
    signal: AbortSignal,
  ): Promise<VerifiedSegment | undefined> {
    if (index >= fileShape(source.sizeBytes).segments) return undefined;
    return this.#deps.segments.get(source, index, { signal });
  }

  /** A piece of the same root as a piece of `entry`: sizes may differ, so it is proven anew. */
  #adopt(entry: LogEntry, { data, index, proof }: VerifiedSegment): VerifiedSegment | undefined {
    const { sizeBytes } = entry;
    const wantedBytes = segmentDataBytes(fileShape(sizeBytes), index);
    const fitted = data.length === wantedBytes ? data : new Uint8Array(wantedBytes);
    if (fitted !== data) fitted.set(data.subarray(0, wantedBytes));
    const claim = { root: rootBytes(entry.root), sizeBytes, index, data: fitted, proof };
    try {
      return verifySegment(claim, this.#deps.hasher);
    } catch (error) {
      const { logger } = this.#deps;
      logger.debug(
        { sequence: entry.sequence, index, error },
        'piece of the same root does not fit',
      );
      return undefined;
    }
  }

  /** Entries of the root that still wait, this one left out. */
  async #twinsOf(entry: LogEntry, signal: AbortSignal): Promise<Sequence[]> {
    const { log } = this.#deps;
    const twins: Sequence[] = [];
    for (const sequence of await log.sequencesOf(entry.root, { signal })) {
      if (sequence === entry.sequence) continue;
      if (!(await log.stateOf(sequence)).finalized) twins.push(sequence);
    }
    return twins;
  }
}
