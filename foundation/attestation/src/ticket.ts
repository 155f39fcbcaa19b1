import { type Address, keccak256 } from '@cairn/primitives';
import { abiWords } from './abi-words.ts';
import type { BlsBackend, PublicKey, Signature, SigningKey } from './bls-backend.ts';
import { type Network, type TicketRound, tagOf, ticketDigest } from './digests.ts';
import { SeatError } from './errors.ts';
import { signatureToWords } from './points.ts';

declare const verified: unique symbol;

/** A signer's draw of an epoch, as it comes from outside. */
export interface Ticket {
  readonly signer: Address;
  /** Over the round's ticket digest: there is only one that verifies. */
  readonly signature: Signature;
}

/** A ticket that is its signer's. Only `verifyTicket` makes one. */
export type VerifiedTicket = Ticket & {
  /** What its seats are drawn by, 32 bytes. */
  readonly beta: Uint8Array;
  readonly [verified]: 'ticket';
};

/**
 * A signer's ticket. Never shown before the tickets of the round are called for: seeds to come
 * hang on it.
 */
export function signTicket(key: SigningKey, network: Network, round: TicketRound): Signature {
  return key.sign(ticketDigest(network, round));
}

/** The key a ticket has to be of, and its round. */
export interface TicketContext {
  readonly publicKey: PublicKey;
  readonly network: Network;
  readonly round: TicketRound;
}

/** @throws {SeatError} TICKET_WRONG */
export function verifyTicket(
  ticket: Ticket,
  { publicKey, network, round }: TicketContext,
  backend: Pick<BlsBackend, 'verify' | 'expandSignature'>,
): VerifiedTicket {
  if (!backend.verify(publicKey, ticketDigest(network, round), ticket.signature)) {
    throw new SeatError(
      { code: 'TICKET_WRONG', signer: ticket.signer },
      `the ticket of ${ticket.signer} for epoch ${round.epoch} is not signed by its key`,
    );
  }
  const beta = betaOf(ticket.signature, backend);
  return { ...ticket, beta } as VerifiedTicket;
}

/** The 32 bytes that a ticket draws: the hash of its eight words under a tag. */
export function betaOf(
  signature: Signature,
  backend: Pick<BlsBackend, 'expandSignature'>,
): Uint8Array {
  return keccak256(abiWords(tagOf('beta'), signatureToWords(signature, backend)));
}
