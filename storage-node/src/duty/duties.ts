import {
  ensurePeriodOpen,
  explainRefusal,
  PossessionError,
  periodAt,
  type SectorSource,
} from '@cairn/chain-access/possession';
import type { Hasher } from '@cairn/commitments';
import type { LogStore, Reader, SegmentStore } from '@cairn/log-layer';
import {
  type Clock,
  describeError,
  forEachConcurrent,
  isFault,
  type Json,
  type KeyValueStore,
  type Logger,
  type Metrics,
} from '@cairn/primitives';
import type { PartHealth } from '../health.ts';
import { DutyBook } from './duty-book.ts';
import {
  DUTY_STATES,
  type DutyReport,
  type DutyState,
  dutyHealth,
  dutyStatusJson,
} from './duty-report.ts';
import { KeptDuty } from './kept-duty.ts';
import { localSectors } from './local-sectors.ts';
import { createDutyMetrics, type DutyMetrics } from './metrics.ts';
import type { DutyChain } from './open-duty-chain.ts';

/** What keeping duties is made of. */
export interface DutiesDeps {
  readonly pollMs: number;
  /** Blocks of history read at once, at most. */
  readonly pageBlocks: number;
  readonly openChain: (signal: AbortSignal) => Promise<DutyChain>;
  readonly log: LogStore;
  readonly segments: SegmentStore;
  readonly reader: Reader;
  readonly kv: KeyValueStore;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Between tries to begin. */
const RETRY_MS = 5000;
/** Duties answered at the same time. */
const PARALLEL_ANSWERS = 8;

/**
 * Keeps the duties of an account beside a storage node: finds them by the contract's events, and
 * answers each paid period with sectors that are here, proven before gas is paid for them. Whatever goes
 * wrong with it, the node goes on: the reason is told, and it tries again.
 */
export class Duties {
  readonly #deps: DutiesDeps;
  readonly #metrics: DutyMetrics;
  readonly #source: SectorSource;
  readonly #kept = new Map<number, KeptDuty>();
  #chain: DutyChain | undefined;
  #state: DutyState = 'starting';
  #fault: unknown;
  #period = 0;
  #hasReread = false;

  constructor(deps: DutiesDeps) {
    this.#deps = deps;
    this.#metrics = createDutyMetrics(deps.metrics);
    this.#source = localSectors(deps);
    this.#show();
  }

  /** What everybody may know of it. */
  get health(): PartHealth {
    return dutyHealth(this.#report);
  }

  /** Whether a file may be one that a duty is for; all may while the duties are not known. */
  isPromised(sequence: number): boolean {
    if (this.#state !== 'keeping') return true;
    return [...this.#kept.values()].some(({ sequences }) => sequences.includes(sequence));
  }

  /** What admins see of it. */
  statusJson(): Json {
    return dutyStatusJson(this.#report, this.#chain?.sender.address);
  }

  /** Runs until `signal` aborts, whatever happens to it. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#session(signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#noteFault(error);
        await this.#deps.clock.sleep(RETRY_MS, signal);
      }
    }
  }

  get #report(): DutyReport {
    const duties = [...this.#kept.values()];
    const terms = this.#chain?.possession.terms;
    return { state: this.#state, fault: this.#fault, period: this.#period, terms, duties };
  }

  /** From opening the contract until `signal` aborts; a chain that is away meanwhile is waited for. */
  async #session(signal: AbortSignal): Promise<void> {
    const { kv, clock, pollMs } = this.#deps;
    const chain = await this.#deps.openChain(signal);
    try {
      this.#chain = chain;
      const contract = chain.possession.contract.address;
      const provider = chain.sender.address;
      const book = await DutyBook.open(kv, { contract, provider }, signal);
      for (;;) {
        try {
          await this.#look(chain, book, signal);
          this.#fault = undefined;
          this.#state = 'keeping';
          this.#show();
        } catch (error) {
          signal.throwIfAborted();
          this.#noteFault(error);
        }
        await clock.sleep(pollMs, signal);
      }
    } finally {
      await chain.close();
    }
  }

  #noteFault(error: unknown): void {
    const reason = describeError(error);
    const isNews = this.#fault === undefined || reason !== describeError(this.#fault);
    const code = isFault(error) ? error.code : undefined;
    if (isNews) this.#deps.logger.error({ code, reason }, 'duties cannot be kept, trying again');
    this.#fault = error;
    this.#state = 'degraded';
    this.#show();
  }

  async #look(chain: DutyChain, book: DutyBook, signal: AbortSignal): Promise<void> {
    const { possession, sender } = chain;
    const { client, terms } = possession;
    const { pageBlocks } = this.#deps;
    const block = await client.blockNumber({ signal });
    this.#period = periodAt(terms, block);
    // What is younger than finality is in force in no period whose window is open.
    const toBlock = block - terms.finalityBlocks;
    if (toBlock > (book.throughBlock ?? -1)) {
      await book.readUpTo(possession, { toBlock, pageBlocks }, signal);
    }
    for (const [id, sequences] of book.sets) {
      if (this.#kept.get(id)?.sequences === sequences) continue;
      const deps = { ...this.#deps, ...chain, book, source: this.#source, metrics: this.#metrics };
      this.#kept.set(id, new KeptDuty(deps, id, sequences));
    }
    this.#metrics.balance.set(Number(await client.getBalance(sender.address, { signal })));
    for (const duty of this.#kept.values()) {
      await this.#attempt(duty, book, () => duty.look(block, this.#period, signal), signal);
    }
    this.#show();
    await this.#answerDue(chain, book, signal);
  }

  async #answerDue(chain: DutyChain, book: DutyBook, signal: AbortSignal): Promise<void> {
    const due = [...this.#kept.values()].filter((duty) => duty.due !== undefined);
    const period = due[0]?.due?.period;
    if (period === undefined) return;
    await ensurePeriodOpen(chain, period, { signal });
    await forEachConcurrent(
      due,
      (duty, inner) => this.#attempt(duty, book, () => duty.answer(inner), inner),
      { parallel: PARALLEL_ANSWERS, signal },
    );
  }

  /** Does something about one duty; what goes wrong with it is noted, and leaves the others alone. */
  async #attempt(
    duty: KeptDuty,
    book: DutyBook,
    work: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await work();
      duty.noteFault(undefined);
    } catch (thrown) {
      signal.throwIfAborted();
      const error = explainRefusal(thrown);
      const reason = describeError(error);
      const isNews = duty.fault === undefined || reason !== describeError(duty.fault);
      duty.noteFault(error);
      if (duty.due !== undefined) this.#metrics.failures.add(1);
      const code = isFault(error) ? error.code : undefined;
      const fields = { duty: duty.id, period: duty.due?.period, code, reason };
      if (isNews) this.#deps.logger.error(fields, 'a duty cannot be kept now, trying again');
      if (error instanceof PossessionError && error.code === 'POSSESSION_OTHER_SET') {
        // What was read of it may be of blocks that are gone: read it all again, once.
        if (!this.#hasReread) await book.reread(signal);
        this.#hasReread = true;
      }
    }
  }

  #show(): void {
    const metrics = this.#metrics;
    for (const state of DUTY_STATES) {
      metrics.state.set(Number(state === this.#state), { state });
    }
    const kept = [...this.#kept.values()].filter((duty) => duty.isKept(this.#period));
    const windowBlocks = this.#chain?.possession.terms.windowBlocks ?? 1;
    const left = kept.flatMap(({ due }) => (due === undefined ? [] : [due.blocksLeft]));
    metrics.kept.set(kept.length);
    metrics.due.set(left.length);
    metrics.windowLeft.set(left.length === 0 ? 1 : Math.min(...left) / windowBlocks);
    metrics.missingSegments.set(kept.reduce((sum, duty) => sum + duty.missingSegments, 0));
    metrics.deposit.set(Number(kept.reduce((sum, duty) => sum + duty.depositLeftWei, 0n)));
  }
}
