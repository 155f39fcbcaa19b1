import { type EpochHeader, promiseSlotOf } from '@cairn/attestation';
import { type Clock, describeError, type Logger, type Root } from '@cairn/primitives';
import type { SignerMetrics } from './metrics.ts';
import type { ChainOptions, SignerChain, SignerNetwork } from './ports.ts';
import type { ProtectionLog } from './protection-log.ts';
import type { HeldSlice } from './slice-index.ts';
import type { SliceStore } from './slice-store.ts';
import type { VoteBook } from './vote-book.ts';

/** What is kept in order. */
export interface HousekeeperDeps {
  readonly chain: Pick<SignerChain, 'account' | 'epochHeader' | 'finalSeconds'>;
  readonly network: SignerNetwork;
  readonly store: SliceStore;
  readonly protection: ProtectionLog;
  readonly votes: VoteBook;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SignerMetrics;
}

/** When things are given up. */
export interface HousekeeperOptions {
  /** Seconds that everything is kept beyond its time, for clocks that differ. */
  readonly marginSeconds: number;
  /** Time between two rounds. */
  readonly intervalMs: number;
}

/** Epochs that one round forgets at most. */
const EPOCHS_PER_ROUND = 100;

/**
 * Gives up what nobody can ask for any more: slices past their expiry, promised ones that were never
 * paid once their epoch's batches are closed, votes of closed epochs, and what the log of signed slots
 * remembers of these.
 */
export class Housekeeper {
  readonly #deps: HousekeeperDeps;
  readonly #options: HousekeeperOptions;
  /** Promised slices known to be paid, which does not change: at most as many as are held. */
  readonly #paid = new Set<Root>();

  constructor(deps: HousekeeperDeps, options: HousekeeperOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Runs until `signal` aborts; a round that fails is logged and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    for (;;) {
      try {
        await this.round(signal);
      } catch (error) {
        signal.throwIfAborted();
        logger.warn({ reason: describeError(error) }, 'tidying up failed and is tried again');
      }
      await clock.sleep(this.#options.intervalMs, signal);
    }
  }

  /** Gives up what is over now. @throws what chain and disk throw */
  async round(signal: AbortSignal): Promise<void> {
    const { chain, store, votes, clock, protection, metrics } = this.#deps;
    const nowSeconds = Math.floor(clock.now() / 1000) - this.#options.marginSeconds;
    // A charge counts once its block is final, which may be long after the epoch was closed.
    const finalSeconds = Math.min(nowSeconds, await chain.finalSeconds({ signal }));
    for (const slice of [...store.all()]) {
      signal.throwIfAborted();
      const isOver =
        slice.header.expirySeconds < nowSeconds ||
        (await this.#isUnpaid(slice, finalSeconds, { signal }));
      if (!isOver) continue;
      this.#paid.delete(slice.leaf);
      await store.remove(slice.leaf);
    }
    await votes.prune(nowSeconds);
    await this.#forgetEpochs(nowSeconds, { signal });
    metrics.heldBytes.set(store.heldBytes);
    metrics.heldSlices.set(store.slices);
    metrics.protectedSlots.set(protection.slots);
  }

  /** Whether a promise can no longer be charged and, as is final, was not. */
  async #isUnpaid(
    { header, promise, epoch, leaf }: HeldSlice,
    finalSeconds: number,
    options: ChainOptions,
  ): Promise<boolean> {
    const slot = promiseSlotOf(header.submissionIndex);
    if (promise === undefined || slot === undefined || this.#paid.has(leaf)) return false;
    const office = await this.#deps.chain.epochHeader(epoch, options);
    if (office === undefined || !this.#isClosed(office, finalSeconds)) return false;
    const { charged } = await this.#deps.chain.account(header.submitter, [slot], options);
    if (charged[0] === true) this.#paid.add(leaf);
    return charged[0] === false;
  }

  async #forgetEpochs(nowSeconds: number, options: ChainOptions): Promise<void> {
    const { chain, protection } = this.#deps;
    const oldest = protection.oldestEpoch;
    if (oldest === undefined) return;
    let epoch = oldest;
    while (epoch < oldest + EPOCHS_PER_ROUND) {
      const office = await chain.epochHeader(epoch, options);
      if (office === undefined || !this.#isClosed(office, nowSeconds)) break;
      epoch += 1;
    }
    await protection.forget(epoch, options);
  }

  #isClosed({ endSeconds }: EpochHeader, atSeconds: number): boolean {
    return endSeconds + this.#deps.network.graceSeconds < atSeconds;
  }
}
