import { type Address, Fault } from '@cairn/primitives';

/** Why a ticket is not taken to be relayed. */
export type KeeperFault =
  /** Tickets of `wanted` are taken now, or of none. */
  | {
      readonly code: 'TICKET_NOT_WANTED';
      readonly epoch: number;
      readonly wanted: number | undefined;
    }
  /** The signer has no votes or no key in the epoch. */
  | { readonly code: 'TICKET_NO_VOTES'; readonly signer: Address; readonly epoch: number }
  /** It wins no seat and is no duty: the contract would pass over it. */
  | { readonly code: 'TICKET_IDLE'; readonly signer: Address; readonly epoch: number }
  /** Tickets come faster than this keeper checks them. */
  | { readonly code: 'TICKET_RATE'; readonly perSecond: number }
  /** Sent as something else than a ticket. */
  | { readonly code: 'MEDIA_TYPE'; readonly expected: string; readonly actual: string }
  /** As many tickets wait as may. */
  | { readonly code: 'TICKETS_FULL'; readonly most: number };

/** A ticket that a keeper does not take. */
export class KeeperError extends Fault<KeeperFault> {}
