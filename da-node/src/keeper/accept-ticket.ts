import { type BlsBackend, verifyTicket } from '@cairn/attestation';
import type { OfferedTicket } from '@cairn/wire-protocol/da';
import { drawDuty } from './draw-duty.ts';
import { KeeperError } from './errors.ts';
import type { PendingTickets } from './pending-tickets.ts';
import type { DrawFacts, Waiting } from './ports.ts';

/** What accepting a ticket needs. */
export interface AcceptTicketDeps {
  readonly chain: DrawFacts;
  readonly pending: Pick<PendingTickets, 'add' | 'has'>;
  readonly backend: Pick<BlsBackend, 'parseSignature' | 'verify' | 'expandSignature'>;
}

/**
 * Takes a ticket from outside to be relayed, once it is known to be its signer's and to count.
 *
 * @throws {KeeperError} TICKET_NOT_WANTED, TICKET_NO_VOTES, TICKET_IDLE, TICKETS_FULL; {BlsError}
 * BLS_NOT_A_SIGNATURE; {SeatError} TICKET_WRONG; what the chain throws
 */
export async function acceptTicket(
  { chain, pending, backend }: AcceptTicketDeps,
  { epoch, signer, signature }: OfferedTicket,
  options: Waiting,
): Promise<void> {
  const { phase, epoch: current } = await chain.phase(options);
  const wanted = phase === 'tickets' ? current + 1 : undefined;
  const round = epoch === wanted ? await chain.round(epoch, options) : undefined;
  if (round === undefined) {
    throw new KeeperError(
      { code: 'TICKET_NOT_WANTED', epoch, wanted },
      `tickets for epoch ${epoch} are not taken now`,
    );
  }
  if (pending.has(epoch, signer)) return;
  const standing = await chain.standing(signer, epoch, options);
  if (standing.hasTicket) return;
  const { publicKey, votes } = standing;
  if (publicKey === undefined || votes === 0) {
    throw new KeeperError(
      { code: 'TICKET_NO_VOTES', signer, epoch },
      `${signer} has no votes in epoch ${epoch}`,
    );
  }
  const ticket = verifyTicket(
    { signer, signature: backend.parseSignature(signature) },
    { publicKey, network: chain.network, round },
    backend,
  );
  const { seats, isContributor } = await drawDuty(
    chain,
    { epoch, beta: ticket.beta, standing },
    options,
  );
  if (seats === 0 && !isContributor) {
    throw new KeeperError(
      { code: 'TICKET_IDLE', signer, epoch },
      `the ticket of ${signer} wins nothing in epoch ${epoch} and is not owed`,
    );
  }
  pending.add(epoch, ticket);
}
