import { type Address, Fault } from '@cairn/primitives';
import type { ProposalState } from './read-proposals.ts';

/** What can be wrong with a proposal before anything is sent. */
export type GovernanceFault =
  /** The governor has no such proposal in the blocks that were read. */
  | { readonly code: 'GOVERNANCE_NO_PROPOSAL'; readonly id: string }
  /** A proposal with these calls and this description is there already. */
  | { readonly code: 'GOVERNANCE_PROPOSED'; readonly id: string; readonly state: ProposalState }
  /** A step that the proposal's state does not allow. */
  | {
      readonly code: 'GOVERNANCE_STATE';
      readonly id: string;
      readonly step: string;
      readonly state: ProposalState;
      readonly wanted: ProposalState;
    }
  /** A step whose time comes later, in unix seconds of the chain. */
  | {
      readonly code: 'GOVERNANCE_TOO_EARLY';
      readonly id: string;
      readonly step: string;
      readonly atSeconds: number;
      readonly nowSeconds: number;
    }
  /** An account whose stake had no votes in the epoch of a proposal. */
  | {
      readonly code: 'GOVERNANCE_NO_VOTES';
      readonly id: string;
      readonly account: Address;
      readonly epoch: number;
    }
  /** An account that has voted on a proposal. */
  | { readonly code: 'GOVERNANCE_VOTED'; readonly id: string; readonly account: Address }
  /** A call that cannot be built, or one that nothing here can name. */
  | { readonly code: 'GOVERNANCE_BAD_CALL'; readonly call: string; readonly problem: string }
  /** A name whose contract is no module of the stake hub. */
  | { readonly code: 'GOVERNANCE_NO_MODULE'; readonly name: string; readonly contract: Address };

/** A step of governance that was not taken. */
export class GovernanceError extends Fault<GovernanceFault> {}
