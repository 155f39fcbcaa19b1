import type { TransactionSender } from '@cairn/chain-access';
import {
  type DuePeriod,
  type Duty,
  DutyKeeper,
  DutySet,
  findSpan,
  openWindowAt,
  type Possession,
  readDepositLeft,
  readDuePeriod,
  readDuty,
  readWasAnswered,
  type SectorSource,
  type SetRecord,
  windowEndOf,
} from '@cairn/chain-access/possession';
import type { Hasher } from '@cairn/commitments';
import { segmentsOf } from '@cairn/commitments';
import type { LogEntry, LogStore, SegmentStore } from '@cairn/log-layer';
import { type Clock, type Logger, rootBytes, sequenceOf } from '@cairn/primitives';
import type { DutyBook, DutyPast } from './duty-book.ts';
import { DutyError } from './errors.ts';
import type { DutyMetrics } from './metrics.ts';

/** Periods looked back over at most, after the node was away. */
const MAX_LOOK_BACK = 64;

/** How often it is looked whether all of the files are here. */
const RECOUNT_MS = 60_000;

/** What keeping a duty works with. */
export interface KeptDutyDeps {
  readonly possession: Possession;
  readonly sender: TransactionSender;
  readonly book: DutyBook;
  readonly source: SectorSource;
  readonly log: Pick<LogStore, 'entryAt' | 'nextSequence'>;
  readonly segments: Pick<SegmentStore, 'heldCount'>;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: DutyMetrics;
}

/** One duty of the node's account: what it asks for now, and what became of what it asked for. */
export class KeptDuty {
  readonly id: number;
  /** Numbers of its files in the log. */
  readonly sequences: readonly number[];
  readonly #deps: KeptDutyDeps;
  #keeper: DutyKeeper | undefined;
  #entries: readonly LogEntry[] = [];
  #lookedAt: number | undefined;
  #settled: number | undefined;
  #duty: Duty | undefined;
  #due: DuePeriod | undefined;
  #past: DutyPast | undefined;
  #fault: unknown;
  #missingSegments = 0;
  #countedMs = Number.NEGATIVE_INFINITY;
  #depositLeftWei = 0n;

  constructor(deps: KeptDutyDeps, id: number, sequences: readonly number[]) {
    this.#deps = deps;
    this.id = id;
    this.sequences = sequences;
  }

  /** As the chain last told it; `undefined` before. */
  get duty(): Duty | undefined {
    return this.#duty;
  }

  /** A paid period whose window is open and that is not answered. */
  get due(): DuePeriod | undefined {
    return this.#due;
  }

  get past(): DutyPast | undefined {
    return this.#past;
  }

  /** What kept it from being answered at the last look. */
  get fault(): unknown {
    return this.#fault;
  }

  /** Segments of its files that are not held here, as of the last look. */
  get missingSegments(): number {
    return this.#missingSegments;
  }

  get depositLeftWei(): bigint {
    return this.#depositLeftWei;
  }

  /** Whether it has begun and not ended, as of a period. */
  isKept(period: number): boolean {
    const { firstPeriod = 0, endPeriod = 0 } = this.#duty ?? {};
    return firstPeriod !== 0 && (endPeriod === 0 || period < endPeriod);
  }

  /**
   * Looks what the duty asks for at `block`, without answering it: what is due, what became of periods
   * that are over, and, once a minute, whether all of its files are here.
   *
   * @throws {DutyError} DUTY_ENTRY_UNKNOWN; {PossessionError} POSSESSION_OTHER_SET; what chain and
   * stores throw
   */
  async look(block: number, period: number, signal: AbortSignal): Promise<void> {
    const { possession } = this.#deps;
    const isNew = this.#lookedAt !== period;
    if (isNew || this.#duty?.firstPeriod === 0) {
      this.#duty = await readDuty(possession, this.id, { signal });
      if (this.#duty !== undefined && this.#duty.firstPeriod !== 0) {
        const { provider } = this.#duty;
        this.#depositLeftWei = await readDepositLeft(possession, this.id, provider, { signal });
      }
    }
    await this.#judge(block, signal);
    if (!this.isKept(period)) {
      this.#due = undefined;
      this.#missingSegments = 0;
      this.#lookedAt = period;
      return;
    }
    const keeper = await this.#requireKeeper(signal);
    const nowMs = this.#deps.clock.monotonic();
    if (isNew || nowMs - this.#countedMs >= RECOUNT_MS) {
      this.#missingSegments = await this.#countMissing(signal);
      this.#countedMs = nowMs;
      this.#lookedAt = period;
    }
    const open = openWindowAt(possession, block);
    if (open === undefined || this.#settled === open.period) {
      this.#due = undefined;
      return;
    }
    const duty = await keeper.requireOwn({ signal });
    const due = await readDuePeriod(possession, { id: this.id, duty, block }, { signal });
    if (due?.isSettled === true) this.#settled = due.period;
    this.#due = due?.isSettled === false ? due : undefined;
  }

  /** Answers what is due. @throws as `DutyKeeper.answer` */
  async answer(signal: AbortSignal): Promise<void> {
    const due = this.#due;
    if (due === undefined || this.#keeper === undefined) return;
    const { metrics } = this.#deps;
    const receipt = await this.#keeper.answer(due, { signal });
    metrics.gas.add(Number(receipt.gasUsed * receipt.gasPriceWei));
    metrics.pay.add(Number(this.#duty?.priceWei ?? 0n));
    this.#settled = due.period;
    this.#due = undefined;
    this.#missingSegments = await this.#countMissing(signal);
  }

  /** Notes what kept it from being answered, or that nothing does. */
  noteFault(fault: unknown): void {
    this.#fault = fault;
  }

  /** What became of the periods that nothing can change any more, each looked at once. */
  async #judge(block: number, signal: AbortSignal): Promise<void> {
    const { possession, book, metrics, logger } = this.#deps;
    const { terms } = possession;
    const duty = this.#duty;
    if (duty === undefined || duty.firstPeriod === 0) return;
    const { periodBlocks, finalityBlocks, firstBlock } = terms;
    const settledBlock = block - finalityBlocks - (windowEndOf(terms, 0) - firstBlock);
    const last = Math.floor((settledBlock - firstBlock) / periodBlocks);
    this.#past ??= (await book.pastOf(this.id)) ?? {
      through: duty.firstPeriod - 1,
      answered: 0,
      missed: 0,
      lastAnswered: 0,
      lastMissed: 0,
    };
    if (last <= this.#past.through) return;
    const first = Math.max(this.#past.through + 1, last - MAX_LOOK_BACK + 1);
    for (let period = first; period <= last; period += 1) {
      let past: DutyPast = { ...this.#past, through: period };
      const span = await findSpan(possession, { id: this.id, duty, period }, { signal });
      if (span !== undefined) {
        const isAnswered = await readWasAnswered(possession, this.id, period, { signal });
        metrics.periods.add(1, { result: isAnswered ? 'answered' : 'missed' });
        past = isAnswered
          ? { ...past, answered: past.answered + 1, lastAnswered: period }
          : { ...past, missed: past.missed + 1, lastMissed: period };
        if (!isAnswered) logger.error({ duty: this.id, period }, 'a paid period was missed');
      }
      await book.notePast(this.id, past);
      this.#past = past;
    }
  }

  async #requireKeeper(signal: AbortSignal): Promise<DutyKeeper> {
    if (this.#keeper !== undefined) return this.#keeper;
    const records: SetRecord[] = [];
    const entries: LogEntry[] = [];
    for (const sequence of this.sequences) {
      signal.throwIfAborted();
      const entry = await this.#deps.log.entryAt(sequenceOf(sequence));
      if (entry === undefined) throw this.#unknownEntry(sequence);
      const { root, sizeBytes, paddedSectors: sectors } = entry;
      records.push({ sequence: entry.sequence, fileRoot: rootBytes(root), sizeBytes, sectors });
      entries.push(entry);
    }
    const keeper = new DutyKeeper({ ...this.#deps, set: new DutySet(records) }, { id: this.id });
    this.#duty = await keeper.requireOwn({ signal });
    this.#entries = entries;
    this.#keeper = keeper;
    return keeper;
  }

  #unknownEntry(sequence: number): DutyError {
    const { nextSequence } = this.#deps.log;
    return new DutyError(
      { code: 'DUTY_ENTRY_UNKNOWN', id: this.id, sequence, nextSequence },
      `duty ${this.id} is of log entry ${sequence}, and the log is read up to entry ${nextSequence} here`,
    );
  }

  async #countMissing(signal: AbortSignal): Promise<number> {
    let missing = 0;
    for (const entry of this.#entries) {
      signal.throwIfAborted();
      const held = await this.#deps.segments.heldCount(entry, { signal });
      missing += segmentsOf(entry.sizeBytes) - held;
    }
    return missing;
  }
}
