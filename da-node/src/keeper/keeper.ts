import type { VerifiedTicket } from '@cairn/attestation';
import { isOutage } from '@cairn/chain-access';
import { type EpochPhase, MAX_TICKETS_PER_CALL } from '@cairn/chain-access/da';
import { type Clock, describeError, forEachConcurrent, type Logger } from '@cairn/primitives';
import type { PendingTickets } from './pending-tickets.ts';
import type { KeeperChain, Waiting } from './ports.ts';

/** Failures at one step of one epoch after which no more of them are told. */
const MAX_FAILURES = 8;
/** The longest wait after a failure; it doubles up to there. */
const MAX_WAIT_MS = 10_000;
/** Signers asked about at once. */
const PARALLEL_SIGNERS = 8;
/** Batches of tickets of one epoch that are remembered until it is over. */
const MAX_BATCHES = 1024;

/** What a keeper works with. */
export interface KeeperDeps {
  readonly chain: KeeperChain;
  readonly pending: Pick<PendingTickets, 'take' | 'size'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How closely a keeper looks. */
export interface KeeperOptions {
  /** Time between looks; 1,000 unless told. */
  readonly pollMs?: number;
  /** Time that tickets wait for others, so that they share a transaction; none unless told. */
  readonly gatherMs?: number;
}

/**
 * Moves epochs on: relays tickets, seals, and reports who owed a ticket and posted none. Needs no
 * trust and no stake. Any number of keepers may run: what another did first counts as done. After a
 * reorganisation the same calls are made again.
 */
export class Keeper {
  readonly #deps: KeeperDeps;
  readonly #pollMs: number;
  /** The phase of the epoch that failures are counted for. */
  #step = '';
  #failures = 0;
  /** Whether the chain gave nothing usable at the last look. */
  #isOut = false;
  /** Batches of the epoch that is being prepared; posting one again costs a look. */
  #batches: (readonly VerifiedTicket[])[] = [];
  readonly #gatherMs: number;
  /** Since when tickets wait for others. */
  #waitingMs: number | undefined;
  /** The epoch of which nobody is missing. */
  #complete: number | undefined;

  constructor(deps: KeeperDeps, { pollMs = 1000, gatherMs = 0 }: KeeperOptions = {}) {
    this.#deps = deps;
    this.#pollMs = pollMs;
    this.#gatherMs = gatherMs;
  }

  /** Runs until the signal aborts. @throws the signal's reason */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    for (let waitMs = this.#pollMs; ; ) {
      signal.throwIfAborted();
      try {
        await this.look({ signal });
        waitMs = this.#pollMs;
        this.#failures = 0;
        this.#isOut = false;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        this.#tell(error);
        waitMs = Math.min(waitMs * 2, Math.max(MAX_WAIT_MS, this.#pollMs));
      }
      await clock.sleep(waitMs, signal);
    }
  }

  /** One look: does what the phase calls for. @throws what the chain throws */
  async look(options: Waiting): Promise<void> {
    const phase = await this.#deps.chain.phase(options);
    this.#turnTo(phase);
    if (phase.phase === 'tickets') await this.#takeTickets(phase, options);
    if (phase.phase === 'seal') await this.#seal(phase, options);
    if (phase.phase === 'sealed') await this.#report(phase.epoch + 1, options);
  }

  /** An outage says nothing about the step; it is told once, however long it lasts. */
  #tell(error: unknown): void {
    const { logger } = this.#deps;
    const reason = describeError(error);
    if (isOutage(error)) {
      if (!this.#isOut) logger.warn({ reason }, 'the chain does not answer, waiting for it');
      this.#isOut = true;
      return;
    }
    this.#isOut = false;
    this.#failures += 1;
    const facts = { reason, step: this.#step, failures: this.#failures };
    if (this.#failures < MAX_FAILURES) logger.warn(facts, 'the epoch could not be moved on');
    else if (this.#failures > MAX_FAILURES) logger.debug(facts, 'the epoch still does not move on');
    else logger.error(facts, 'the epoch does not move on, it is tried again from time to time');
  }

  #turnTo({ phase, epoch }: EpochPhase): void {
    const step = `${phase} of epoch ${epoch}`;
    if (step === this.#step) return;
    const { logger } = this.#deps;
    if (phase === 'halted')
      logger.error({ epoch }, 'the network halted: too few tickets for too long');
    else logger.debug({ epoch, phase }, 'the epoch moved on');
    if (phase !== 'tickets') this.#batches = [];
    this.#step = step;
    this.#failures = 0;
  }

  async #takeTickets(phase: EpochPhase, options: Waiting): Promise<void> {
    const { chain, pending } = this.#deps;
    if (await chain.needsFirstSeed(phase, options)) {
      const header = await chain.entropyHeader(options);
      if (header !== undefined) await chain.drawFirstSeed(header, options);
      return;
    }
    const epoch = phase.epoch + 1;
    while (this.#batches.length < MAX_BATCHES && this.#isBatchDue()) {
      const batch = pending.take(epoch, MAX_TICKETS_PER_CALL);
      if (batch.length === 0) break;
      this.#batches.push(batch);
    }
    // What is in a block already costs one look; what a reorganisation undid is sent again.
    const standing: (readonly VerifiedTicket[])[] = [];
    for (const batch of this.#batches) {
      if ((await chain.submitTickets(batch, options)) === 'done') standing.push(batch);
    }
    this.#batches = standing;
  }

  /** Whether as many tickets wait as a call takes, or the first of them has waited its time. */
  #isBatchDue(): boolean {
    const { pending, clock } = this.#deps;
    if (pending.size === 0) this.#waitingMs = undefined;
    else this.#waitingMs ??= clock.monotonic();
    if (pending.size >= MAX_TICKETS_PER_CALL) return true;
    return clock.monotonic() - (this.#waitingMs ?? Number.POSITIVE_INFINITY) >= this.#gatherMs;
  }

  async #seal({ epoch }: EpochPhase, options: Waiting): Promise<void> {
    const { chain, logger } = this.#deps;
    const header = await chain.entropyHeader(options);
    if (header === undefined) return;
    const outcome = await chain.seal(header, options);
    logger.debug({ epoch: epoch + 1, outcome }, 'asked for the seal of the next epoch');
  }

  /** Reports everyone who owed a ticket for a sealed epoch; looks again until nobody is left. */
  async #report(epoch: number, options: Waiting): Promise<void> {
    const { chain, logger } = this.#deps;
    if (this.#complete === epoch) return;
    let missing = 0;
    await forEachConcurrent(
      await chain.voters(epoch, options),
      async (signer, signal) => {
        const { votes, hasTicket, isContributor } = await chain.standing(signer, epoch, { signal });
        if (votes === 0 || hasTicket || !isContributor) return;
        missing += 1;
        const outcome = await chain.reportMissed({ signer, epoch }, { signal });
        logger.debug({ epoch, signer, outcome }, 'a signer owed a ticket and posted none');
      },
      { parallel: PARALLEL_SIGNERS, signal: options.signal },
    );
    if (missing === 0) this.#complete = epoch;
  }
}
