import {
  type BlsBackend,
  betaOf,
  type SigningKey,
  signTicket,
  type Ticket,
} from '@cairn/attestation';
import {
  type Address,
  type Clock,
  describeError,
  equalBytes,
  type Logger,
} from '@cairn/primitives';
import { drawDuty } from './draw-duty.ts';
import type { DrawFacts, Waiting } from './ports.ts';
import type { Membership } from './rejoin.ts';

/** Time between looks at the phase. */
const POLL_MS = 1000;
/** Looks at the phase alone, once an epoch needs nothing more of a signer: a reorganisation is noticed by the next whole look. */
const BRIEF_LOOKS = 5;
/** The longest wait after failures; it doubles up to there. */
const MAX_WAIT_MS = 10_000;

/** What a signer draws with, and where its ticket goes. */
export interface TicketingDeps {
  readonly chain: DrawFacts;
  readonly signer: Address;
  readonly key: SigningKey;
  readonly backend: Pick<BlsBackend, 'expandSignature'>;
  /** Hands a ticket on, to a keeper or to the chain; the same ticket may come again. */
  deliver(ticket: Ticket & { readonly epoch: number }, options: Waiting): Promise<void>;
}

/** What came of a look at a signer's duty. */
export type TicketOutcome =
  /** Tickets are not called for, or not beyond doubt yet. */
  | { readonly kind: 'notNow' }
  /** The signer has no votes in the epoch. */
  | { readonly kind: 'noVotes'; readonly epoch: number }
  /** The key registered for the epoch is not the one held here. */
  | { readonly kind: 'otherKey'; readonly epoch: number }
  /** The ticket is in a block. */
  | { readonly kind: 'posted'; readonly epoch: number }
  /** The ticket wins nothing and is not owed: it stays unseen. */
  | { readonly kind: 'idle'; readonly epoch: number }
  | { readonly kind: 'delivered'; readonly epoch: number; readonly seats: number };

/**
 * A signer's part in the draw of the next epoch: the ticket, where it wins seats or is owed, and only
 * once the phase for it stands in a final block. Before that a ticket must not be seen: votes and keys
 * of the epoch whose seed hangs on it could still be changed.
 *
 * @throws what the chain and the delivery throw
 */
export async function postTicket(deps: TicketingDeps, options: Waiting): Promise<TicketOutcome> {
  const { chain, signer, key, backend } = deps;
  const newest = await chain.phase(options);
  if (newest.phase !== 'tickets') return { kind: 'notNow' };
  const final = await chain.finalPhase(options);
  if (final.phase !== 'tickets' || final.epoch !== newest.epoch) return { kind: 'notNow' };
  const epoch = newest.epoch + 1;
  const round = await chain.round(epoch, options);
  if (round === undefined) return { kind: 'notNow' };
  const standing = await chain.standing(signer, epoch, options);
  if (standing.hasTicket) return { kind: 'posted', epoch };
  const { publicKey } = standing;
  if (publicKey === undefined || standing.votes === 0) return { kind: 'noVotes', epoch };
  if (!equalBytes(publicKey, key.publicKey)) return { kind: 'otherKey', epoch };
  const signature = signTicket(key, chain.network, round);
  const beta = betaOf(signature, backend);
  const { seats, isContributor } = await drawDuty(chain, { epoch, beta, standing }, options);
  if (seats === 0 && !isContributor) return { kind: 'idle', epoch };
  await deps.deliver({ epoch, signer, signature }, options);
  return { kind: 'delivered', epoch, seats };
}

/** What posting tickets for ever needs besides. */
export interface TicketingLoopDeps extends TicketingDeps {
  /** Asks for lost votes back where they are due, see `rejoinWhenDue`. */
  rejoin(options: Waiting): Promise<Membership>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Posts the signer's ticket of every epoch, until the signal aborts. A ticket is delivered again
 * until a block holds it; after a reorganisation too. A signer without votes asks for them back.
 *
 * @throws the signal's reason
 */
export async function runTicketing(deps: TicketingLoopDeps, signal: AbortSignal): Promise<void> {
  const { clock, logger } = deps;
  let last = '';
  let settledEpoch = 0;
  let briefLooks = 0;
  for (let waitMs = POLL_MS; ; ) {
    signal.throwIfAborted();
    try {
      while (briefLooks > 0 && (await deps.chain.phase({ signal })).epoch + 1 === settledEpoch) {
        briefLooks -= 1;
        await clock.sleep(POLL_MS, signal);
      }
      const outcome = await postTicket(deps, { signal });
      const isSettled = outcome.kind === 'posted' || outcome.kind === 'idle';
      briefLooks = isSettled ? BRIEF_LOOKS : 0;
      if (isSettled) settledEpoch = outcome.epoch;
      if (outcome.kind === 'noVotes' && (await deps.rejoin({ signal })) === 'rejoined') {
        logger.info({ signer: deps.signer }, 'votes lost for a missed ticket were asked for again');
      }
      const said = JSON.stringify(outcome);
      if (said !== last && outcome.kind === 'otherKey') {
        logger.warn(
          outcome,
          'another key is registered than the one held here, no ticket is posted',
        );
      } else if (said !== last) {
        logger.debug(outcome, 'looked at the draw');
      }
      last = said;
      waitMs = POLL_MS;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      logger.warn({ reason: describeError(error), retryInMs: waitMs }, 'the ticket was not posted');
      waitMs = Math.min(waitMs * 2, MAX_WAIT_MS);
    }
    await clock.sleep(waitMs, signal);
  }
}
