import type { Network, PublicKey, Ticket, TicketRound } from '@cairn/attestation';
import type { EpochPhase } from '@cairn/chain-access/da';
import type { Address } from '@cairn/primitives';

/** Every call takes a signal; its reason is thrown once it aborts. */
export interface Waiting {
  readonly signal: AbortSignal;
}

/** What became of a call that others make as well. */
export type CallOutcome =
  /** It is in a block. */
  | 'done'
  /** Someone else did it first, or its time is over. */
  | 'overtaken';

/** A signer in an epoch. */
export interface Standing {
  readonly votes: number;
  /** With which it signs; `undefined` for none. */
  readonly publicKey: PublicKey | undefined;
  /** Whether its ticket for the epoch is in a block. */
  readonly hasTicket: boolean;
  /** Whether it owes one. */
  readonly isContributor: boolean;
}

/** The odds of an epoch's draw. */
export interface Odds {
  /** A vote's 32 bits win below it. */
  readonly threshold: number;
  readonly quorums: number;
}

/** What anyone may ask about the epoch that is being prepared; as of the newest block unless told. */
export interface DrawFacts {
  readonly network: Network;
  phase(options: Waiting): Promise<EpochPhase>;
  /** As of the newest final block. */
  finalPhase(options: Waiting): Promise<EpochPhase>;
  /** `undefined` while the epoch's seed is not drawn. */
  round(epoch: number, options: Waiting): Promise<TicketRound | undefined>;
  odds(epoch: number, options: Waiting): Promise<Odds>;
  /** In the current epoch or the next. */
  standing(signer: Address, epoch: number, options: Waiting): Promise<Standing>;
}

/** What a keeper does with the chain. Calls wait until a block holds them, and are made once. */
export interface KeeperChain extends DrawFacts {
  /** Whether the first seed of the network is still to be drawn. */
  needsFirstSeed(phase: EpochPhase, options: Waiting): Promise<boolean>;
  /** Header of the block that the next seal or first seed needs; `undefined` while it is not there. */
  entropyHeader(options: Waiting): Promise<Uint8Array | undefined>;
  drawFirstSeed(header: Uint8Array, options: Waiting): Promise<CallOutcome>;
  seal(header: Uint8Array, options: Waiting): Promise<CallOutcome>;
  submitTickets(tickets: readonly Ticket[], options: Waiting): Promise<CallOutcome>;
  /** Everyone who may have votes in an epoch, with a key or without, as of the newest final block. */
  voters(epoch: number, options: Waiting): Promise<readonly Address[]>;
  reportMissed(
    missed: { readonly signer: Address; readonly epoch: number },
    options: Waiting,
  ): Promise<CallOutcome>;
}
