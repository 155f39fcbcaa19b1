import type { FeePool } from '@cairn/chain-access/da';
import { type Clock, describeError, forEachConcurrent, type Logger } from '@cairn/primitives';
import type { Waiting } from './ports.ts';

/** What paying out does with the chain. */
export interface PayOutChain {
  readonly maxRetentionEpochs: number;
  readonly graceSeconds: number;
  /** The epoch in office. */
  currentEpoch(options: Waiting): Promise<number>;
  /** Unix seconds at which an epoch ends; `undefined` for one without a committee. */
  endOf(epoch: number, options: Waiting): Promise<number | undefined>;
  /** Unix seconds of the newest block. */
  newestSeconds(options: Waiting): Promise<number>;
  /** Wei of blobs of an epoch, retention and suite that are with the entrance. */
  feesOf(pool: FeePool, options: Waiting): Promise<bigint>;
  release(pool: FeePool, options: Waiting): Promise<void>;
  /** First epoch whose pool is not fixed, and wei in such pools. */
  pools(options: Waiting): Promise<{ readonly nextEpoch: number; readonly scheduledWei: bigint }>;
  /** Fixes the pools of epochs that are over, at most so many. */
  fix(next: { readonly epoch: number; readonly most: number }, options: Waiting): Promise<void>;
}

/** What paying out needs. */
export interface PayOutDeps {
  readonly chain: PayOutChain;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Suites of blobs, whose fees are kept apart. */
const SUITES: readonly number[] = [0, 1];
/** Epochs behind the one in office whose fees are looked for, beside the time of grace. */
const REACH = 8;
/** Pools asked about at once, and fixed in one transaction. */
const PARALLEL = 8;
const POOLS_AT_ONCE = 16;
const MAX_WAIT_MS = 60_000;

/**
 * Moves fees on to those who keep rows: from the entrance once an epoch takes no more of them, into the
 * pools of the epochs in which they are earned. Anyone may do it; what another keeper did first counts
 * as done.
 */
export class PayOut {
  readonly #deps: PayOutDeps;
  /** Epochs of which nothing is left with the entrance. */
  readonly #released = new Set<number>();

  constructor(deps: PayOutDeps) {
    this.#deps = deps;
  }

  /** Runs until the signal aborts; what fails is told and tried again. @throws the signal's reason */
  async run(pollMs: number, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    for (let waitMs = pollMs; ; ) {
      signal.throwIfAborted();
      try {
        await this.look({ signal });
        waitMs = pollMs;
      } catch (error) {
        signal.throwIfAborted();
        waitMs = Math.min(2 * waitMs, Math.max(MAX_WAIT_MS, pollMs));
        logger.debug({ reason: describeError(error), retryInMs: waitMs }, 'fees were not moved on');
      }
      await clock.sleep(waitMs, signal);
    }
  }

  /** Moves on what is due now: fees of closed epochs first, so that the pools fixed after hold them. */
  async look(options: Waiting): Promise<void> {
    const { chain } = this.#deps;
    const current = await chain.currentEpoch(options);
    const nowSeconds = await chain.newestSeconds(options);
    for (let epoch = Math.max(1, current - REACH); epoch < current; epoch += 1) {
      if (this.#released.has(epoch)) continue;
      const endSeconds = await chain.endOf(epoch, options);
      if (endSeconds === undefined || nowSeconds <= endSeconds + chain.graceSeconds) continue;
      await this.#release(epoch, options);
      this.#released.add(epoch);
    }
    for (const epoch of this.#released) {
      if (epoch < current - 2 * REACH) this.#released.delete(epoch);
    }
    const { nextEpoch, scheduledWei } = await chain.pools(options);
    const endSeconds = await chain.endOf(nextEpoch, options);
    const isOver = nextEpoch < current && nowSeconds > (endSeconds ?? 0);
    if (scheduledWei > 0n && isOver) {
      await chain.fix({ epoch: nextEpoch, most: POOLS_AT_ONCE }, options);
    }
  }

  async #release(epoch: number, options: Waiting): Promise<void> {
    const { chain, logger } = this.#deps;
    const pools = Array.from({ length: chain.maxRetentionEpochs }, (_, index) =>
      SUITES.map((suite) => ({ epoch, retentionEpochs: index + 1, suite })),
    );
    const found: FeePool[] = [];
    await forEachConcurrent(
      pools.flat(),
      async (pool, signal) => {
        if ((await chain.feesOf(pool, { signal })) > 0n) found.push(pool);
      },
      { parallel: PARALLEL, signal: options.signal },
    );
    for (const pool of found) {
      await chain.release(pool, options);
      logger.info({ ...pool }, 'the fees of an epoch were moved on');
    }
  }
}
