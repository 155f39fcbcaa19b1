import type { VerifiedSegment } from '@cairn/commitments';
import type { LogEntry, LogStore, SegmentStore } from '@cairn/log-layer';
import {
  BoundedQueue,
  type Clock,
  describeError,
  forEachConcurrent,
  type Logger,
  LruCache,
  runTogether,
  Semaphore,
  type Sequence,
} from '@cairn/primitives';
import { firstGlobalSegment, MAX_SEGMENTS_PER_REPLY, type ShardConfig } from '@cairn/wire-protocol';
import type { PeerRecord } from '@cairn/wire-protocol/peers';
import type { DiskGuard } from '../disk-guard.ts';
import type { FetchOutcome, SegmentFetcher } from './fetch-segments.ts';
import type { PeerBook } from './peer-book.ts';
import { missingRanges, restOf, type SegmentRange } from './segment-ranges.ts';
import type { SyncMetrics } from './sync-metrics.ts';

/** What filling works with. */
export interface ShardFillerDeps {
  readonly log: Pick<LogStore, 'pendingFrom' | 'entryAt' | 'stateOf'>;
  readonly store: Pick<SegmentStore, 'heldSegments' | 'put'>;
  readonly book: PeerBook;
  readonly fetcher: Pick<SegmentFetcher, 'fetch'>;
  /** Marks an entry finalised if its own segments are all held; keeps its failures to itself. */
  readonly settle: (entry: LogEntry, signal: AbortSignal) => Promise<void>;
  readonly disk: Pick<DiskGuard, 'requireRoom' | 'faultOf'>;
  /** The shard now; asked each time, since it may change. */
  readonly shard: () => ShardConfig;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly logger: Logger;
  readonly metrics: SyncMetrics;
  /** Told of an entry of which a peer gave something. */
  readonly onFetched: (sequence: Sequence) => void;
  /** Told of a peer whose answer does not prove. */
  readonly onLie: (peer: string, reason: string) => Promise<void>;
}

/** Bounds of filling. */
export interface ShardFillerOptions {
  /** Requests to peers at once, each for up to 8 segments. */
  readonly parallelRequests: number;
}

/** Entries looked at at once. */
const PARALLEL_ENTRIES = 8;
/** Entries that were announced and wait for their turn; those beyond are found among the pending ones. */
const MAX_ANNOUNCED = 10_000;
/** Entries whose next try is remembered. */
const MAX_REMEMBERED = 100_000;
/** A file that was just paid for is being uploaded: peers are not asked for it at once. */
const GRACE_MS = 15_000;
/** The first rest of an entry that nobody gave; it doubles up to the longest. */
const REST_MS = 2000;
const MAX_REST_MS = 300_000;
/** Time between looks through what is pending. */
const SWEEP_MS = 2000;
/** Least time between two times that all resting entries are tried again. */
const RETRY_ALL_MS = 2000;
/** Time until a full or failing disk is tried again. */
const DISK_MS = 2000;
/** Time until a busy holder is asked again. */
const BUSY_MS = 20;

interface Rest {
  readonly tries: number;
  readonly againMs: number;
}

/**
 * Fetches from peers what this node's shard should hold and does not, until it holds all: the
 * journey of a late joiner, of a healed disk and of a shard that has grown alike. Entries that
 * peers announce come first, then all that is pending, in order.
 */
export class ShardFiller {
  readonly #deps: ShardFillerDeps;
  readonly #options: ShardFillerOptions;
  readonly #announced = new BoundedQueue<Sequence>(MAX_ANNOUNCED);
  readonly #rests = new LruCache<Sequence, Rest>({ maxWeight: MAX_REMEMBERED });
  readonly #atWork = new Set<Sequence>();
  readonly #requests: Semaphore;
  #isWoken = false;
  #retriedAtMs = Number.NEGATIVE_INFINITY;
  #isRetryOwed = false;
  #wake: () => void = () => undefined;

  constructor(deps: ShardFillerDeps, options: ShardFillerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#requests = new Semaphore({
      limit: options.parallelRequests,
      maxWaiting: 2 * PARALLEL_ENTRIES * options.parallelRequests,
    });
  }

  /** A peer holds its part of an entry now: it is looked at next. */
  announce(sequence: Sequence): void {
    this.#rests.delete(sequence);
    if (this.#announced.length < MAX_ANNOUNCED) this.#announced.push(sequence);
  }

  /** An entry came from the chain just now: its uploader has the first turn. */
  defer(sequence: Sequence): void {
    this.#rests.set(sequence, { tries: 0, againMs: this.#deps.clock.monotonic() + GRACE_MS });
  }

  /** An entry lost a segment: it is looked at soon. */
  reconsider(sequence: Sequence): void {
    this.#rests.delete(sequence);
    this.#rouse();
  }

  /** Somebody new is there: nothing rests any more; once in a few seconds, however many come. */
  retryAll(): void {
    const nowMs = this.#deps.clock.monotonic();
    if (nowMs - this.#retriedAtMs < RETRY_ALL_MS) {
      this.#isRetryOwed = true;
      return;
    }
    this.#isRetryOwed = false;
    this.#retriedAtMs = nowMs;
    this.#rests.clear();
    this.#rouse();
  }

  /** Runs until `signal` aborts. @throws the signal's reason; what the log's store throws */
  async run(signal: AbortSignal): Promise<void> {
    await runTogether([(inner) => this.#heed(inner), (inner) => this.#sweep(inner)], signal);
  }

  async #heed(signal: AbortSignal): Promise<void> {
    await forEachConcurrent(
      this.#announced.take(signal),
      async (sequence, inner) => {
        await this.#consider(sequence, inner);
      },
      { parallel: PARALLEL_ENTRIES, signal },
    );
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { metrics } = this.#deps;
    for (;;) {
      if (this.#isRetryOwed) this.retryAll();
      this.#isWoken = false;
      let waiting = 0;
      const onResting = (): void => {
        waiting += 1;
      };
      const work = async (sequence: Sequence, inner: AbortSignal): Promise<void> => {
        if (!(await this.#consider(sequence, inner))) waiting += 1;
      };
      await forEachConcurrent(this.#pending(onResting, signal), work, {
        parallel: PARALLEL_ENTRIES,
        signal,
      });
      metrics.waitingEntries.set(waiting);
      if (!this.#isWoken) await this.#rest(signal);
    }
  }

  /** What is pending and does not rest. */
  async *#pending(
    onResting: () => void,
    signal: AbortSignal,
  ): AsyncGenerator<Sequence, void, void> {
    for (let from = 0; ; ) {
      const sequences = await this.#deps.log.pendingFrom(from, { signal });
      if (sequences.length === 0) return;
      for (const sequence of sequences) {
        from = sequence + 1;
        if (this.#isResting(sequence)) onResting();
        else yield sequence;
      }
    }
  }

  /** Works on an entry unless it rests. @returns whether nothing of it is missing now */
  async #consider(sequence: Sequence, signal: AbortSignal): Promise<boolean> {
    const { log, clock, logger, disk } = this.#deps;
    if (this.#isResting(sequence) || this.#atWork.has(sequence)) return false;
    const rest = this.#rests.get(sequence);
    this.#atWork.add(sequence);
    try {
      const entry = await log.entryAt(sequence);
      if (entry === undefined) return true;
      const { finalized, pruned } = await log.stateOf(sequence);
      if (finalized || pruned) return true;
      const isWhole = await this.#fill(entry, signal);
      if (isWhole) {
        this.#rests.delete(sequence);
        await this.#deps.settle(entry, signal);
        return true;
      }
    } catch (error) {
      signal.throwIfAborted();
      const fault = disk.faultOf(error);
      logger.warn({ sequence, reason: describeError(fault) }, 'filling an entry failed');
      await clock.sleep(DISK_MS, signal);
    } finally {
      this.#atWork.delete(sequence);
    }
    this.#rests.set(sequence, {
      tries: (rest?.tries ?? 0) + 1,
      againMs: clock.monotonic() + Math.min(MAX_REST_MS, REST_MS * 2 ** (rest?.tries ?? 0)),
    });
    return false;
  }

  #isResting(sequence: Sequence): boolean {
    const rest = this.#rests.get(sequence);
    return rest !== undefined && rest.againMs > this.#deps.clock.monotonic();
  }

  /** Fetches what is missing of an entry. @returns whether all that is owned is held */
  async #fill(entry: LogEntry, signal: AbortSignal): Promise<boolean> {
    const held = await this.#deps.store.heldSegments(entry, { signal });
    const shard = this.#deps.shard();
    const isMissing = (index: number): boolean => !held.has(index);
    const ranges = missingRanges(shard, entry, isMissing);
    const first = ranges.next();
    if (first.done === true) return true;
    // One look tells whether anybody has it: a file may claim to have billions of segments.
    if (!(await this.#fetchRange(entry, first.value, isMissing, signal))) return false;
    let isWhole = true;
    await forEachConcurrent(
      untilFalse(ranges, () => isWhole),
      async (range, inner) => {
        if (!(await this.#fetchRange(entry, range, isMissing, inner))) isWhole = false;
      },
      { parallel: this.#options.parallelRequests, signal },
    );
    return isWhole;
  }

  /** Asks one holder after another until the range is held. @returns whether it is */
  async #fetchRange(
    entry: LogEntry,
    range: SegmentRange,
    isMissing: (index: number) => boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { book, clock } = this.#deps;
    // The view of what is held may be an old one: what came in is remembered here too.
    const kept = new Set<number>();
    const isLeft = (index: number): boolean => !kept.has(index) && isMissing(index);
    for (let left = restOf(range, isLeft); left !== undefined; left = restOf(range, isLeft)) {
      const globalSegment = firstGlobalSegment(entry.startSector) + left.first;
      const [holder] = book.holdersOf(globalSegment, entry.sequence);
      if (holder === undefined) {
        if (!book.hasBusyHolder(globalSegment, entry.sequence)) return false;
        await clock.sleep(BUSY_MS, signal);
        continue;
      }
      const asked = left;
      const given = await this.#requests.run(() => this.#ask(holder, entry, asked, signal), signal);
      for (const { index } of given) kept.add(index);
      if (!kept.has(asked.first)) book.noteAbsent(holder.peer, entry.sequence);
    }
    return true;
  }

  /** Asks a holder and stores what it gives. @returns what is held now because of it */
  async #ask(
    holder: PeerRecord,
    entry: LogEntry,
    range: SegmentRange,
    signal: AbortSignal,
  ): Promise<readonly VerifiedSegment[]> {
    const { book, clock, fetcher, metrics, logger, onLie } = this.#deps;
    const { peer } = holder;
    const beganMs = clock.monotonic();
    book.begin(peer);
    let outcome: FetchOutcome;
    try {
      await this.#deps.disk.requireRoom();
      outcome = await fetcher.fetch(holder, entry, range, { signal });
    } catch (error) {
      book.end(peer, 'aborted', 0);
      throw error;
    }
    metrics.requests.add(1, { result: outcome.kind });
    const ended = outcome.kind === 'lied' ? 'failed' : outcome.kind;
    book.end(peer, ended, clock.monotonic() - beganMs);
    if (outcome.kind === 'gave') {
      await this.#keep(entry, outcome.segments, signal);
      return outcome.segments;
    }
    if (outcome.kind === 'absent') return [];
    const { reason } = outcome;
    logger.debug({ peer, sequence: entry.sequence, reason }, 'a peer did not give a segment');
    if (outcome.kind === 'lied') await onLie(peer, reason);
    return [];
  }

  async #keep(
    entry: LogEntry,
    segments: readonly VerifiedSegment[],
    signal: AbortSignal,
  ): Promise<void> {
    const { store, metrics, onFetched } = this.#deps;
    onFetched(entry.sequence);
    // Put together, so that they share a sync.
    const keep = async (segment: VerifiedSegment, inner: AbortSignal): Promise<void> => {
      const result = await store.put(entry, segment, { signal: inner });
      metrics.segments.add(1, { result });
      metrics.bytes.add(segment.data.length);
    };
    await forEachConcurrent(segments, keep, { parallel: MAX_SEGMENTS_PER_REPLY, signal });
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = (): void => woken.abort(new Error('there is something to do'));
    this.#wake = wake;
    signal.addEventListener('abort', wake, { once: true });
    try {
      await this.#deps.clock.sleep(SWEEP_MS, woken.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!woken.signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', wake);
      this.#wake = () => undefined;
    }
  }

  #rouse(): void {
    this.#isWoken = true;
    this.#wake();
  }
}

function* untilFalse<Item>(
  items: Iterator<Item>,
  goesOn: () => boolean,
): Generator<Item, void, void> {
  for (let next = items.next(); next.done !== true; next = items.next()) {
    if (!goesOn()) return;
    yield next.value;
  }
}
