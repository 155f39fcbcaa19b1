import type { LogEntry, LogStore, SegmentStore } from '@cairn/log-layer';
import {
  type Clock,
  type Json,
  type KeyValueStore,
  type Logger,
  sequenceOf,
} from '@cairn/primitives';
import { PRUNE_KEY } from '../keyspace.ts';
import { keptWrite, naturalOf, readKept } from './kept-record.ts';
import type { SpaceReclaimer } from './reclaim-space.ts';

/** What pruning works with. */
export interface PrunerDeps {
  readonly log: Pick<LogStore, 'nextSequence' | 'entryAt' | 'markPruned'>;
  readonly segments: Pick<SegmentStore, 'sweep'>;
  readonly kv: Pick<KeyValueStore, 'get' | 'write'>;
  readonly reclaimer: Pick<SpaceReclaimer, 'reclaimAll'>;
  /** Waits after `busyMs` of work, so that clients are served meanwhile. */
  readonly rest: (busyMs: number, signal: AbortSignal) => Promise<void>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
}

/** Entries marked, and records dropped, between two notes of where pruning is. */
const ENTRIES_A_BATCH = 256;
const PIECES_A_BATCH = 4096;

interface Progress {
  /** Entries that end at or before this sector are given up. */
  readonly target: number;
  readonly stage: 'entries' | 'pieces' | 'space' | 'done';
  /** First sequence not looked at: entries lie in the flow in the order of their sequences. */
  readonly sequence: number;
  /** First sector whose records were not looked at. */
  readonly sector: number;
}

/**
 * Gives up files whose storing is no longer paid: entries are marked, then their pieces lose their
 * records, then the room is given back. Each step is noted with what it did, so that it goes on after
 * a crash at any moment.
 */
export class Pruner {
  readonly #deps: PrunerDeps;
  #progress: Progress;

  private constructor(deps: PrunerDeps, progress: Progress) {
    this.#deps = deps;
    this.#progress = progress;
  }

  /** Reads where an earlier process was. */
  static async open(deps: PrunerDeps): Promise<Pruner> {
    const kept = await readKept(deps.kv, PRUNE_KEY);
    const stage = kept?.['stage'];
    return new Pruner(deps, {
      target: naturalOf(kept, 'target'),
      stage: stage === 'entries' || stage === 'pieces' || stage === 'space' ? stage : 'done',
      sequence: naturalOf(kept, 'sequence'),
      sector: naturalOf(kept, 'sector'),
    });
  }

  /** Whether something is left to do of what was asked for. */
  get isDue(): boolean {
    return this.#progress.stage !== 'done';
  }

  /** Where pruning is. */
  get report(): Json {
    const { target, stage, sequence } = this.#progress;
    return { belowSector: target, stage, entries: sequence };
  }

  /**
   * Asks for entries that end at or before `sector` to be given up: durable once this resolves, done
   * by `run`. A sector below an earlier one changes nothing.
   */
  async request(sector: number): Promise<void> {
    if (sector <= this.#progress.target) return;
    await this.#note({ ...this.#progress, target: sector, stage: 'entries' }, true);
  }

  /** Does what was asked for, to its end. @throws what the stores throw; call it again then */
  async run(signal: AbortSignal): Promise<void> {
    while (this.isDue) {
      signal.throwIfAborted();
      const { stage } = this.#progress;
      if (stage === 'entries') await this.#markEntries(signal);
      else if (stage === 'pieces') await this.#dropPieces(signal);
      else {
        await this.#deps.reclaimer.reclaimAll(signal);
        await this.#note({ ...this.#progress, stage: 'done' }, true);
        this.#deps.logger.info(
          { belowSector: this.#progress.target },
          'expired files were given up',
        );
      }
    }
  }

  async #markEntries(signal: AbortSignal): Promise<void> {
    const { log, rest, clock } = this.#deps;
    for (;;) {
      signal.throwIfAborted();
      const began = clock.monotonic();
      const { target, sequence: first } = this.#progress;
      const expired: LogEntry[] = [];
      let sequence = first;
      for (; sequence < log.nextSequence && expired.length < ENTRIES_A_BATCH; sequence += 1) {
        const entry = await log.entryAt(sequenceOf(sequence));
        if (entry === undefined || entry.startSector + entry.paddedSectors > target) break;
        expired.push(entry);
      }
      const isLast = expired.length < ENTRIES_A_BATCH;
      const next: Progress = { ...this.#progress, sequence, stage: isLast ? 'pieces' : 'entries' };
      await log.markPruned(expired, [keptWrite(PRUNE_KEY, { ...next })]);
      this.#progress = next;
      if (isLast) return;
      await rest(clock.monotonic() - began, signal);
    }
  }

  async #dropPieces(signal: AbortSignal): Promise<void> {
    const { log, segments, rest, clock } = this.#deps;
    const { target, sequence } = this.#progress;
    const kept = await log.entryAt(sequenceOf(sequence));
    const end = Math.min(target, kept?.startSector ?? target); // an entry that reaches over stays whole
    for (let from: number | undefined = this.#progress.sector; from !== undefined && from < end; ) {
      signal.throwIfAborted();
      const began = clock.monotonic();
      const after = (next: number | undefined): Progress => ({
        ...this.#progress,
        sector: next ?? end,
      });
      const { next } = await segments.sweep({
        from,
        end,
        limit: PIECES_A_BATCH,
        keeps: () => false,
        alongside: (at) => [keptWrite(PRUNE_KEY, { ...after(at) })],
        signal,
      });
      this.#progress = after(next);
      from = next;
      await rest(clock.monotonic() - began, signal);
    }
    await this.#note({ ...this.#progress, stage: 'space' }, true);
  }

  async #note(progress: Progress, sync: boolean): Promise<void> {
    await this.#deps.kv.write([keptWrite(PRUNE_KEY, { ...progress })], { sync });
    this.#progress = progress;
  }
}
