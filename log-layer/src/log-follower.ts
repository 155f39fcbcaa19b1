import {
  BoundedQueue,
  type ChainLog,
  type ChainStep,
  type Clock,
  equalBytes,
  type Logger,
  rootOf,
  runTogether,
  type Sequence,
  sequenceOf,
} from '@cairn/primitives';
import { LogError } from './errors.ts';
import type { Finaliser } from './finaliser.ts';
import type { LogEntry } from './log-entry.ts';
import type { LogStore } from './log-store.ts';
import type { LogMetrics } from './metrics.ts';

/** Entries between two comparisons of the flow root with the contract's. */
const CHECK_EVERY = 500;
/** Entries waiting to be finalised; those beyond are found again among the pending ones. */
const MAX_WAITING_ENTRIES = 10_000;
/** The first wait before a failed finalisation is tried again; doubles up to the longest. */
const RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;

/** What following the log works with. */
export interface LogFollowerDeps {
  readonly chainLog: ChainLog;
  readonly log: LogStore;
  readonly finaliser: Pick<Finaliser, 'consider' | 'considerPending'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
  readonly metrics: LogMetrics;
  /** Blocks the chain log waits for on top of a block; 0 unless told. */
  readonly confirmations?: number;
  /** Told of each new entry once it is stored: the place to flush what waited for it. */
  readonly onEntry?: (entry: LogEntry, signal: AbortSignal) => Promise<void>;
  /** Told of entries that a reorg removed, newest first. */
  readonly onRollback?: (removed: readonly LogEntry[]) => void;
}

/** How far a follower is. */
export interface FollowProgress {
  /** Number of the newest block of the chain; `undefined` before the first step. */
  readonly head: number | undefined;
  /** Whether the log was read up to the head once. */
  readonly isCaughtUp: boolean;
}

/**
 * Copies the chain's log into the store, in order, once each, and takes back what the chain takes
 * back. Compares the flow root with the contract's every 500 entries and when it has caught up.
 */
export class LogFollower {
  readonly #deps: LogFollowerDeps;
  /** Sequences, not entries: ten thousand entries' tags could fill gigabytes. */
  readonly #waiting = new BoundedQueue<Sequence>(MAX_WAITING_ENTRIES);
  #head: number | undefined;
  #isCaughtUp = false;
  /** Whether entries did not fit into `#waiting`. */
  #isOverfull = false;
  #checkedSequence: number;
  /** Whether a comparison of the flow root could not be made when it was due. */
  #isCheckOwed = false;
  #suspect: Sequence | undefined;

  constructor(deps: LogFollowerDeps) {
    this.#deps = deps;
    this.#checkedSequence = deps.log.nextSequence;
  }

  get progress(): FollowProgress {
    return { head: this.#head, isCaughtUp: this.#isCaughtUp };
  }

  /**
   * Runs until `signal` aborts. A finalisation that fails is logged and tried again, and so is a
   * comparison of flow roots that the chain does not answer; neither stops the log.
   *
   * @throws {LogError} LOG_FLOW_MISMATCH, LOG_GAP, LOG_MISPLACED: the chain and we disagree
   * @throws what the chain or the store throws; the signal's reason
   */
  async run(signal: AbortSignal): Promise<void> {
    await runTogether(
      [
        (inner) => this.#follow(inner),
        (inner) => this.#finaliseLoop(inner),
        (inner) => this.#considerPending(inner),
      ],
      signal,
    );
  }

  /** Looks at an entry again soon: after a piece of it was found damaged, for example. */
  reconsider({ sequence }: Pick<LogEntry, 'sequence'>): void {
    if (this.#waiting.length < MAX_WAITING_ENTRIES) this.#waiting.push(sequence);
    else this.#isOverfull = true;
  }

  /** Looks at all entries that wait again soon: after this node's shard changed, for example. */
  reconsiderPending(): void {
    if (this.#deps.log.nextSequence === 0) return;
    this.#isOverfull = true;
    this.reconsider({ sequence: sequenceOf(0) }); // any entry wakes the loop, which then sees to the rest
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { chainLog, log } = this.#deps;
    for await (const step of chainLog.follow(log.marks(), { signal })) {
      await this.#take(step, signal);
    }
  }

  async #take(step: ChainStep, signal: AbortSignal): Promise<void> {
    const { log, logger, metrics, onEntry, onRollback } = this.#deps;
    const { added, removed } = await log.apply(step, signal);
    metrics.entries.set(log.nextSequence);
    if (step.kind === 'rollback') {
      this.#checkedSequence = Math.min(this.#checkedSequence, log.nextSequence);
      this.#suspect = undefined;
      metrics.rollbacks.add(1);
      metrics.removedEntries.add(removed.length);
      logger.info({ to: step.to?.number, removed: removed.length }, 'chain took blocks back');
      if (removed.length > 0) onRollback?.(removed);
      return;
    }
    this.#head = step.head;
    for (const entry of added) {
      logger.debug({ sequence: entry.sequence, root: entry.root }, 'log entry stored');
      await this.#tell(onEntry, entry, signal);
      this.reconsider(entry);
    }
    const { confirmations = 0 } = this.#deps;
    await this.#checkFlow(step.through.number + confirmations >= step.head, signal);
  }

  async #tell(
    onEntry: LogFollowerDeps['onEntry'],
    entry: LogEntry,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await onEntry?.(entry, signal);
    } catch (error) {
      signal.throwIfAborted();
      const { sequence } = entry;
      this.#deps.logger.warn({ sequence, error }, 'taking cached segments of an entry failed');
    }
  }

  async #finaliseLoop(signal: AbortSignal): Promise<void> {
    const { finaliser, log, clock, logger, metrics } = this.#deps;
    let delayMs = RETRY_MS;
    for await (const sequence of this.#waiting.take(signal)) {
      try {
        const entry = await log.entryAt(sequence);
        if (entry !== undefined) await finaliser.consider(entry, signal);
        delayMs = RETRY_MS;
      } catch (error) {
        signal.throwIfAborted();
        metrics.finaliseFailures.add(1);
        logger.warn({ sequence, error, delayMs }, 'finalising an entry failed');
        await clock.sleep(delayMs, signal);
        delayMs = Math.min(delayMs * 2, MAX_RETRY_MS);
        this.reconsider({ sequence });
      }
      if (this.#isOverfull && this.#waiting.length === 0) {
        this.#isOverfull = false;
        await this.#considerPending(signal);
      }
    }
  }

  #considerPending(signal: AbortSignal): Promise<void> {
    return this.#deps.finaliser.considerPending(signal, (entry) => this.reconsider(entry));
  }

  /**
   * Compares the flow root with the contract's. One mismatch may be a reorg we have not heard of;
   * the same after the next step is not.
   */
  async #checkFlow(isAtHead: boolean, signal: AbortSignal): Promise<void> {
    const { chainLog, log, logger } = this.#deps;
    const isCatchUpEnd = isAtHead && !this.#isCaughtUp;
    if (isAtHead) this.#isCaughtUp = true;
    const isDue = log.nextSequence >= this.#checkedSequence + CHECK_EVERY;
    const isSuspect = this.#suspect !== undefined;
    if (log.nextSequence === 0) return;
    if (!(isDue || isCatchUpEnd || isSuspect || this.#isCheckOwed)) return;
    const sequence = sequenceOf(log.nextSequence - 1);
    const local = log.flowRoot();
    let remote: Uint8Array | undefined;
    try {
      remote = await chainLog.flowRootAt(sequence, { signal });
      this.#isCheckOwed = false;
    } catch (error) {
      signal.throwIfAborted();
      this.#isCheckOwed = true;
      logger.warn({ sequence, error }, 'the flow root cannot be compared now, at the next step');
      return;
    }
    if (remote === undefined) return; // the contract remembers only so many; asked again later
    if (equalBytes(local, remote)) {
      this.#checkedSequence = log.nextSequence;
      this.#suspect = undefined;
      return;
    }
    const [localRoot, chainRoot] = [rootOf(local), rootOf(remote)];
    if (this.#suspect === undefined) {
      this.#suspect = sequence;
      logger.warn({ sequence, localRoot, chainRoot }, 'flow root differs, looking again');
      return;
    }
    const localLength = log.flowLength;
    throw new LogError(
      { code: 'LOG_FLOW_MISMATCH', sequence, localRoot, chainRoot, localLength },
      `after entry ${sequence} the flow root here is ${localRoot} over ${localLength} sectors, ` +
        `on the chain it is ${chainRoot}`,
    );
  }
}
