import type { FileSector } from '@cairn/commitments';
import { type Clock, equalBytes, type Logger, toHex } from '@cairn/primitives';
import { isOutage } from '../client/errors.ts';
import { refusalOf } from '../da/send-call.ts';
import { answerPeriod, type DutyCaller, openPeriod, type ShownSector } from './duty-calls.ts';
import {
  readDrawn,
  readDuty,
  readDutySpans,
  readIsPeriodOpen,
  readIsSettled,
} from './duty-facts.ts';
import type { DrawnSector, DutySet } from './duty-set.ts';
import { PossessionError } from './errors.ts';
import { periodAt, seedBlockOf, windowEndOf } from './open-possession.ts';

/** Sectors of the files of a duty, wherever they are kept. */
export interface SectorSource {
  /** A drawn sector with its path, proven under the file's root. @throws where it cannot be had */
  sector(
    drawn: DrawnSector,
    options: { readonly signal: AbortSignal },
  ): Promise<Pick<FileSector, 'data' | 'siblings'>>;
}

/** What keeping a duty needs. */
export interface DutyKeeperDeps extends DutyCaller {
  readonly set: DutySet;
  readonly source: SectorSource;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
}

/** What a look at the chain came to. */
export type DutyLook =
  /** Before its window, after it, or nobody pays for the period. */
  'nothing due' | 'settled' | 'answered';

/** Answers the periods of one duty by itself. */
export class DutyKeeper {
  readonly #deps: DutyKeeperDeps;
  readonly #id: number;
  readonly #pollMs: number;

  constructor(deps: DutyKeeperDeps, { id, pollMs = 2000 }: { id: number; pollMs?: number }) {
    this.#deps = deps;
    this.#id = id;
    this.#pollMs = pollMs;
  }

  /** Runs until `signal` aborts; a chain that is away, and sectors that are, are tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    for (;;) {
      signal.throwIfAborted();
      try {
        await this.look({ signal });
      } catch (error) {
        if (signal.aborted || error instanceof PossessionError) throw error;
        const [duty, refusal] = [this.#id, refusalOf(error)];
        const level = isOutage(error) ? 'debug' : 'warn';
        logger[level]({ duty, refusal, error }, 'a period could not be answered yet');
      }
      await clock.sleep(this.#pollMs, signal);
    }
  }

  /**
   * Answers the period of now if it is due: opens it where nobody did, reads what it draws, and
   * shows that.
   *
   * @throws {PossessionError} POSSESSION_NO_DUTY, POSSESSION_OTHER_SET; what source and chain throw
   */
  async look({ signal }: { readonly signal: AbortSignal }): Promise<DutyLook> {
    const { possession, sender, set, source, logger } = this.#deps;
    const id = this.#id;
    const { client, terms } = possession;
    const options = { signal };
    const block = await client.blockNumber(options);
    const period = periodAt(terms, block);
    // A transaction sent now is in the next block at the earliest.
    if (block < seedBlockOf(terms, period) || block >= windowEndOf(terms, period)) {
      return 'nothing due';
    }
    const duty = await readDuty(possession, id, options);
    if (duty === undefined || duty.provider !== sender.address) {
      throw new PossessionError(
        { code: 'POSSESSION_NO_DUTY', id },
        `duty ${id} is none of ${sender.address}`,
      );
    }
    if (duty.firstPeriod !== 0 && !equalBytes(duty.setRoot, set.root())) {
      const [expected, actual] = [toHex(duty.setRoot), toHex(set.root())];
      throw new PossessionError(
        { code: 'POSSESSION_OTHER_SET', id, expected, actual },
        `duty ${id} is of the set ${expected}, the files at hand make ${actual}`,
      );
    }
    const hasEnded = duty.endPeriod !== 0 && period >= duty.endPeriod;
    const spans = await readDutySpans(possession, id, options);
    const span = spans.findIndex(({ from, until }) => period >= from && period < until);
    if (span < 0 || hasEnded) return 'nothing due';
    if (await readIsSettled(possession, id, period, options)) return 'settled';
    if (!(await readIsPeriodOpen(possession, period, options))) {
      await this.#open(period, signal);
    }
    const shown: ShownSector[] = [];
    for (const number of await readDrawn(possession, id, period, options)) {
      const drawn = set.find(number);
      shown.push({ drawn, proof: await source.sector(drawn, options) });
    }
    await answerPeriod({ possession, sender }, { id, span, period }, set, shown, options);
    logger.info({ duty: id, period, block }, 'a period is answered');
    return 'answered';
  }

  /** Proves the period's seed, unless another was faster. */
  async #open(period: number, signal: AbortSignal): Promise<void> {
    try {
      await openPeriod(this.#deps, period, { signal });
    } catch (error) {
      if (refusalOf(error) !== 'PeriodOpen') throw error;
    }
  }
}
