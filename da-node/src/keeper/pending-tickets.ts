import type { VerifiedTicket } from '@cairn/attestation';
import type { Address } from '@cairn/primitives';
import { KeeperError } from './errors.ts';

/** Tickets that wait at most: every signer of a network may have one. */
const MAX_PENDING = 65_536;

/**
 * Verified tickets of one epoch that wait to be relayed, one for each signer. Those that were taken out
 * are remembered until the epoch is over: they come once, however often they are sent.
 */
export class PendingTickets {
  #epoch = 0;
  readonly #taken = new Set<Address>();
  readonly #tickets = new Map<Address, VerifiedTicket>();

  /** Tickets that wait. */
  get size(): number {
    return this.#tickets.size;
  }

  /** Whether this epoch's ticket of a signer waits or was taken out. */
  has(epoch: number, signer: Address): boolean {
    return epoch === this.#epoch && (this.#tickets.has(signer) || this.#taken.has(signer));
  }

  /**
   * Adds a ticket, if its signer has none here; those of other epochs are forgotten.
   *
   * @throws {KeeperError} TICKETS_FULL
   */
  add(epoch: number, ticket: VerifiedTicket): void {
    this.#turnTo(epoch);
    if (this.has(epoch, ticket.signer)) return;
    if (this.#tickets.size + this.#taken.size >= MAX_PENDING) {
      throw new KeeperError(
        { code: 'TICKETS_FULL', most: MAX_PENDING },
        `${MAX_PENDING} tickets wait to be relayed, which is the most allowed`,
      );
    }
    this.#tickets.set(ticket.signer, ticket);
  }

  /** Takes out up to `most` tickets of an epoch, those that came first. */
  take(epoch: number, most: number): VerifiedTicket[] {
    if (epoch !== this.#epoch) return [];
    const taken = [...this.#tickets.values()].slice(0, most);
    for (const { signer } of taken) {
      this.#tickets.delete(signer);
      this.#taken.add(signer);
    }
    return taken;
  }

  #turnTo(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#tickets.clear();
    this.#taken.clear();
  }
}
