import { ChainError } from '@cairn/chain-access';
import type { LogEntry, LogStore, SegmentStore } from '@cairn/log-layer';
import {
  type Clock,
  describeError,
  type Json,
  type KeyValueStore,
  type Logger,
  sequenceOf,
} from '@cairn/primitives';
import { EXPIRY_KEY } from '../keyspace.ts';
import { keptWrite, naturalOf, readKept } from './kept-record.ts';
import type { UpkeepMetrics } from './metrics.ts';
import type { SpaceReclaimer } from './reclaim-space.ts';

/** What the chain says of payments, as of one look. Times are Unix seconds. */
export interface PaymentLook {
  /** Time of the newest block. */
  readonly now: number;
  /**
   * Until when anybody paid for any sector of an entry, and the end of its first term; `undefined` while its
   * time has not begun.
   */
  of(
    entry: LogEntry,
    signal: AbortSignal,
  ): Promise<{ readonly until: number; readonly firstTermEnd: number } | undefined>;
  /** The contract's own word on the entry, asked for now. */
  told(entry: LogEntry, signal: AbortSignal): Promise<number | undefined>;
}

/** What giving expired files up works with. */
export interface ExpiredPrunerDeps {
  readonly log: Pick<LogStore, 'nextSequence' | 'entryAt' | 'stateOf' | 'markPruned'>;
  readonly segments: Pick<SegmentStore, 'sweep'>;
  readonly kv: Pick<KeyValueStore, 'get' | 'write'>;
  readonly reclaimer: Pick<SpaceReclaimer, 'reclaimAll'>;
  /** Looks at the payments; `undefined` where the chain's contracts know no such thing. */
  readonly look: (signal: AbortSignal) => Promise<PaymentLook | undefined>;
  /** Whether the node has promised an entry to somebody else. */
  readonly isPromised: (entry: LogEntry) => boolean;
  readonly rest: (busyMs: number, signal: AbortSignal) => Promise<void>;
  readonly clock: Pick<Clock, 'monotonic' | 'now'>;
  readonly logger: Logger;
  readonly metrics: Pick<UpkeepMetrics, 'expiredFiles' | 'expiryLook'>;
}

/** Between looks at the payments, and after one that failed. */
const LOOK_MS = 3_600_000;
const RETRY_MS = 60_000;
/** Entries looked at between rests, and pieces dropped at once. */
const ENTRIES_A_BATCH = 256;
const PIECES_A_BATCH = 4096;

type Stage = 'pieces' | 'space' | 'done';

/**
 * Gives up files so long after nobody pays for them any more, each by itself: one that was renewed stays
 * among others that were not. Off unless told how long.
 *
 * A file is marked first, with a note of it, then its pieces lose their records, then room is given back:
 * it goes on after a crash at any moment. Both the chain's clock and the node's own must be past the time.
 */
export class ExpiredPruner {
  readonly #deps: ExpiredPrunerDeps;
  readonly #afterSeconds: number | undefined;
  /** Entries before this one were all given up. */
  #from: number;
  /** The entry whose pieces are being dropped. */
  #sequence: number;
  #stage: Stage;
  #files: number;
  #lookAt = Number.NEGATIVE_INFINITY;
  #lookedAt: number | undefined;
  #fault: string | undefined;

  private constructor(
    deps: ExpiredPrunerDeps,
    afterSeconds: number | undefined,
    kept: Readonly<Record<string, unknown>> | undefined,
  ) {
    this.#deps = deps;
    this.#afterSeconds = afterSeconds;
    this.#from = naturalOf(kept, 'from');
    this.#sequence = naturalOf(kept, 'sequence');
    this.#files = naturalOf(kept, 'files');
    const stage = kept?.['stage'];
    this.#stage = stage === 'pieces' || stage === 'space' ? stage : 'done';
  }

  /**
   * Reads where an earlier process was.
   *
   * @param options.afterSeconds - how long after the payment's end; `undefined`: never
   */
  static async open(
    deps: ExpiredPrunerDeps,
    { afterSeconds }: { readonly afterSeconds: number | undefined },
  ): Promise<ExpiredPruner> {
    return new ExpiredPruner(deps, afterSeconds, await readKept(deps.kv, EXPIRY_KEY));
  }

  /** Whether something was begun, or it is time to look. */
  get isDue(): boolean {
    if (this.#stage !== 'done') return true;
    return this.#afterSeconds !== undefined && this.#deps.clock.monotonic() >= this.#lookAt;
  }

  /** What it has done. */
  get report(): Json {
    return {
      afterSeconds: this.#afterSeconds ?? null,
      stage: this.#stage,
      files: this.#files,
      lookedAt: this.#lookedAt === undefined ? null : new Date(this.#lookedAt).toISOString(),
      fault: this.#fault ?? null,
    };
  }

  /** Looks once at the payments, and gives up what is expired. @returns whether anything was given up */
  async run(signal: AbortSignal): Promise<boolean> {
    const { clock, logger, reclaimer } = this.#deps;
    const before = this.#files;
    const wasBegun = this.#stage !== 'done';
    if (this.#stage === 'pieces') await this.#dropPieces(signal);
    if (this.#afterSeconds !== undefined && clock.monotonic() >= this.#lookAt) {
      try {
        await this.#lookThrough(this.#afterSeconds, signal);
        this.#lookAt = clock.monotonic() + LOOK_MS;
        this.#fault = undefined;
      } catch (error) {
        signal.throwIfAborted();
        if (!isOfChain(error)) throw error;
        this.#fault = describeError(error);
        logger.warn({ reason: this.#fault }, 'the chain did not say what is paid for');
        this.#lookAt = clock.monotonic() + RETRY_MS;
      }
    }
    if (this.#stage !== 'done') {
      await reclaimer.reclaimAll(signal);
      await this.#note({ stage: 'done' }, true);
      const files = this.#files - before;
      logger.info({ files }, 'files that nobody pays for were given up');
    }
    return wasBegun || this.#files > before;
  }

  async #lookThrough(afterSeconds: number, signal: AbortSignal): Promise<void> {
    const { log, clock, look, metrics, rest, isPromised } = this.#deps;
    const payments = await look(signal);
    if (payments === undefined) return;
    const now = Math.min(payments.now, Math.floor(clock.now() / 1000));
    const isOver = (until: number | undefined): boolean =>
      until !== undefined && until + afterSeconds < now;
    let isAllGone = true;
    let began = clock.monotonic();
    for (let sequence = this.#from; sequence < log.nextSequence; sequence += 1) {
      signal.throwIfAborted();
      if (sequence % ENTRIES_A_BATCH === 0) {
        await rest(clock.monotonic() - began, signal);
        began = clock.monotonic();
      }
      const entry = await log.entryAt(sequenceOf(sequence));
      if (entry === undefined) break;
      if (!(await log.stateOf(entry.sequence)).pruned) {
        const paid = await payments.of(entry, signal);
        // Time goes on in the order of the flow: whatever comes behind is paid for as well.
        if (paid === undefined || !isOver(paid.firstTermEnd)) break;
        const isGone =
          isOver(paid.until) && !isPromised(entry) && isOver(await payments.told(entry, signal));
        if (isGone) await this.#giveUp(entry, signal);
        isAllGone &&= isGone;
      }
      if (isAllGone) this.#from = sequence + 1;
    }
    this.#lookedAt = clock.now();
    metrics.expiryLook.set(this.#lookedAt / 1000);
  }

  async #giveUp(entry: LogEntry, signal: AbortSignal): Promise<void> {
    const { log, metrics } = this.#deps;
    const { sequence } = entry;
    const kept = { from: this.#from, sequence, stage: 'pieces' as const, files: this.#files + 1 };
    await log.markPruned([entry], [keptWrite(EXPIRY_KEY, kept)]);
    this.#sequence = sequence;
    this.#stage = 'pieces';
    this.#files += 1;
    metrics.expiredFiles.add(1);
    await this.#dropPieces(signal);
  }

  /** Drops the records of the noted entry's pieces: its own sectors only, padding included. */
  async #dropPieces(signal: AbortSignal): Promise<void> {
    const { log, segments, rest, clock } = this.#deps;
    const entry = await log.entryAt(sequenceOf(this.#sequence));
    const isPruned = entry !== undefined && (await log.stateOf(entry.sequence)).pruned;
    if (entry !== undefined && isPruned) {
      const end = entry.startSector + entry.paddedSectors;
      for (let from: number | undefined = entry.startSector; from !== undefined && from < end; ) {
        signal.throwIfAborted();
        const began = clock.monotonic();
        const { next }: { readonly next: number | undefined } = await segments.sweep({
          from,
          end,
          limit: PIECES_A_BATCH,
          keeps: () => false,
          signal,
        });
        from = next;
        await rest(clock.monotonic() - began, signal);
      }
    }
    await this.#note({ stage: 'space' }, false);
  }

  async #note({ stage }: { readonly stage: Stage }, sync: boolean): Promise<void> {
    const kept = { from: this.#from, sequence: this.#sequence, stage, files: this.#files };
    await this.#deps.kv.write([keptWrite(EXPIRY_KEY, kept)], { sync });
    this.#stage = stage;
  }
}

/** Whether asking the chain failed, as it may: it is asked again. */
function isOfChain(error: unknown): boolean {
  return error instanceof ChainError;
}
