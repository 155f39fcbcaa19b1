import { type EpochHeader, promiseSlotOf } from '@cairn/attestation';
import {
  type Clock,
  describeError,
  forEachConcurrent,
  type Logger,
  type Root,
} from '@cairn/primitives';
import type { SignerMetrics } from './metrics.ts';
import type { PlaceBook, SignerPlace } from './places.ts';
import type { ChainOptions } from './ports.ts';
import type { ProtectionLog } from './protection-log.ts';
import type { HeldSlice } from './slice-index.ts';
import type { SliceStore } from './slice-store.ts';
import type { VoteBook } from './vote-book.ts';

/** What is kept in order. */
export interface HousekeeperDeps {
  readonly places: Pick<PlaceBook, 'home' | 'all'>;
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
/** Shards whose promised slices are looked at at once: one whose chain is away holds up no other. */
const PARALLEL_PLACES = 8;
/** Slices of one kind and shard that may fail in one round before the rest waits for the next. */
const MAX_FAILURES = 8;

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

  /** Runs until `signal` aborts; what fails in a round is logged and tried again in the next. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    for (;;) {
      await this.round(signal);
      await clock.sleep(this.#options.intervalMs, signal);
    }
  }

  /** Gives up what is over now, as much of it as chain and disk let. @throws the signal's reason */
  async round(signal: AbortSignal): Promise<void> {
    const { store, votes, clock, protection, metrics } = this.#deps;
    const nowSeconds = Math.floor(clock.now() / 1000) - this.#options.marginSeconds;
    await this.#try('votes', () => votes.prune(nowSeconds), signal);
    await this.#try('signed slots', () => this.#forgetEpochs(nowSeconds, { signal }), signal);
    await this.#removeExpired(nowSeconds, signal);
    const removeUnpaid = async (place: SignerPlace, inner: AbortSignal): Promise<void> => {
      await this.#try('unpaid slices', () => this.#removeUnpaid(place, nowSeconds, inner), inner);
    };
    const { places } = this.#deps;
    await forEachConcurrent(places.all(), removeUnpaid, { parallel: PARALLEL_PLACES, signal });
    metrics.heldBytes.set(store.heldBytes);
    metrics.heldSlices.set(store.slices);
    metrics.protectedSlots.set(protection.slots);
  }

  /** Whether `work` came to its end; what fails is logged. @throws the signal's reason */
  async #try(what: string, work: () => Promise<void>, signal: AbortSignal): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      signal.throwIfAborted();
      const reason = describeError(error);
      this.#deps.logger.warn({ what, reason }, 'tidying up failed and is tried again');
      return false;
    }
  }

  async #removeExpired(nowSeconds: number, signal: AbortSignal): Promise<void> {
    let failures = 0;
    for (const slice of [...this.#deps.store.all()]) {
      signal.throwIfAborted();
      if (slice.header.expirySeconds >= nowSeconds) continue;
      if (!(await this.#try('an expired slice', () => this.#remove(slice), signal))) failures += 1;
      if (failures >= MAX_FAILURES) return;
    }
  }

  /** @throws what the chain throws about the time */
  async #removeUnpaid(place: SignerPlace, nowSeconds: number, signal: AbortSignal): Promise<void> {
    const { store } = this.#deps;
    const { chain, network } = place;
    // A charge counts once its block is final, which may be long after the epoch was closed.
    const finalSeconds = Math.min(nowSeconds, await chain.finalSeconds({ signal }));
    let failures = 0;
    for (const slice of [...store.all()]) {
      signal.throwIfAborted();
      if (slice.header.shardId !== network.shardId) continue;
      const look = async (): Promise<void> => {
        if (await this.#isUnpaid(slice, place, finalSeconds, { signal })) await this.#remove(slice);
      };
      if (!(await this.#try('a promised slice', look, signal))) failures += 1;
      if (failures >= MAX_FAILURES) return;
    }
  }

  async #remove({ leaf }: HeldSlice): Promise<void> {
    await this.#deps.store.remove(leaf);
    this.#paid.delete(leaf);
  }

  /** Whether a promise can no longer be charged and, as is final, was not. */
  async #isUnpaid(
    { header, promise, epoch, leaf }: HeldSlice,
    { chain, network }: SignerPlace,
    finalSeconds: number,
    options: ChainOptions,
  ): Promise<boolean> {
    const slot = promiseSlotOf(header.submissionIndex);
    if (promise === undefined || slot === undefined || this.#paid.has(leaf)) return false;
    const isClosed = (at: number): boolean => isOver(office, network.graceSeconds, at);
    const office = await chain.epochHeader(epoch, options);
    if (!isClosed(finalSeconds)) return false;
    const { charged, atSeconds } = await chain.account(header.submitter, [slot], options);
    if (charged[0] === true) this.#paid.add(leaf);
    // Another endpoint may answer, and from an older block than the one that told the time.
    return charged[0] === false && isClosed(Math.min(finalSeconds, atSeconds));
  }

  async #forgetEpochs(nowSeconds: number, options: ChainOptions): Promise<void> {
    const { places, protection } = this.#deps;
    const { chain } = places.home; // epochs are the hub's, whichever shard asks
    const graceSeconds = Math.max(...places.all().map(({ network }) => network.graceSeconds));
    const oldest = protection.oldestEpoch;
    if (oldest === undefined) return;
    let epoch = oldest;
    while (epoch < oldest + EPOCHS_PER_ROUND) {
      const office = await chain.epochHeader(epoch, options);
      const next = await chain.epochHeader(epoch + 1, options);
      if (!isOver(office, graceSeconds, nowSeconds)) break;
      // Its committee hands over to the next epoch, however late that is sealed.
      if (next === undefined || next.startSeconds >= nowSeconds) break;
      epoch += 1;
    }
    await protection.forget(epoch, options);
  }
}

/** Whether batches of an epoch can no longer be confirmed; not of one that is not known. */
function isOver(office: EpochHeader | undefined, graceSeconds: number, atSeconds: number): boolean {
  return office !== undefined && office.endSeconds + graceSeconds < atSeconds;
}
