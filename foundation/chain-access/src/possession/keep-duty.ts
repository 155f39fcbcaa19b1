import { type FileSector, type Hasher, verifyFileSector } from '@cairn/commitments';
import { type Clock, equalBytes, type Logger, toHex } from '@cairn/primitives';
import { isOutage } from '../client/errors.ts';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import { refusalOf } from '../da/send-call.ts';
import type { SendOptions } from '../send/transaction-sender.ts';
import { type DuePeriod, openWindowAt, readDuePeriod } from './due-period.ts';
import { answerPeriod, type DutyCaller, openPeriod, type ShownSector } from './duty-calls.ts';
import { type Duty, readDrawn, readDuty, readIsPeriodOpen } from './duty-facts.ts';
import type { DrawnSector, DutySet } from './duty-set.ts';
import { PossessionError } from './errors.ts';

/** Sectors of the files of a duty, wherever they are kept. */
export interface SectorSource {
  /** A drawn sector with its path. @throws where it cannot be had */
  sector(
    drawn: DrawnSector,
    options: { readonly signal: AbortSignal },
  ): Promise<Pick<FileSector, 'data' | 'siblings'>>;
}

/** What keeping a duty needs. */
export interface DutyKeeperDeps extends DutyCaller {
  readonly set: DutySet;
  readonly source: SectorSource;
  /** Proves what the source gives before it is paid for. */
  readonly hasher: Pick<Hasher, 'hashMany'>;
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
   * @throws {PossessionError} POSSESSION_NO_DUTY, POSSESSION_OTHER_SET; {ProofError} for a sector
   * that is not the file's; what source and chain throw
   */
  async look({ signal }: { readonly signal: AbortSignal }): Promise<DutyLook> {
    const { possession } = this.#deps;
    const block = await possession.client.blockNumber({ signal });
    if (openWindowAt(possession, block) === undefined) return 'nothing due';
    const duty = await this.requireOwn({ signal });
    const due = await readDuePeriod(possession, { id: this.#id, duty, block }, { signal });
    if (due === undefined) return 'nothing due';
    if (due.isSettled) return 'settled';
    await this.answer(due, { signal });
    return 'answered';
  }

  /** The duty, once it is sure that these are its files. @throws {PossessionError} POSSESSION_NO_DUTY, POSSESSION_OTHER_SET; what the chain throws */
  async requireOwn({ signal }: { readonly signal: AbortSignal }): Promise<Duty> {
    const { possession, sender, set } = this.#deps;
    const id = this.#id;
    const duty = await readDuty(possession, id, { signal });
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
    return duty;
  }

  /**
   * Answers a period, each sector proven here before anything is paid.
   *
   * @throws {ProofError} for a sector that is not the file's; what source and chain throw
   */
  async answer(
    { period, span }: DuePeriod,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<TransactionReceipt> {
    const { possession, sender, set, source, hasher, logger } = this.#deps;
    const id = this.#id;
    await ensurePeriodOpen({ possession, sender }, period, { signal });
    const shown: ShownSector[] = [];
    for (const number of await readDrawn(possession, id, period, { signal })) {
      const drawn = set.find(number);
      const proof = await source.sector(drawn, { signal });
      const { fileRoot: root, sizeBytes } = drawn.entry;
      verifyFileSector({ ...proof, root, sizeBytes, index: drawn.sector }, hasher);
      shown.push({ drawn, proof });
    }
    const place = { id, span, period };
    const receipt = await answerPeriod({ possession, sender }, place, set, shown, { signal });
    logger.info({ duty: id, period, block: receipt.block.number }, 'a period is answered');
    return receipt;
  }
}

/** Proves a period's seed, unless somebody has. @throws as `openPeriod` */
export async function ensurePeriodOpen(
  caller: DutyCaller,
  period: number,
  options: SendOptions,
): Promise<void> {
  if (await readIsPeriodOpen(caller.possession, period, options)) return;
  try {
    await openPeriod(caller, period, options);
  } catch (error) {
    if (refusalOf(error) !== 'PeriodOpen') throw error; // another was faster
  }
}
