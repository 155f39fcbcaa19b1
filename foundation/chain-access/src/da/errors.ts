import { Fault } from '@cairn/primitives';

/** What can be wrong with stake, epochs and blobs on chain besides the chain and the transaction. */
export type DaFault =
  /** Contracts that should know each other name others. */
  | {
      readonly code: 'DA_CONTRACTS_DIFFER';
      readonly what: string;
      readonly expected: string;
      readonly actual: string;
    }
  /** No header of this epoch in any final block. */
  | { readonly code: 'DA_EPOCH_UNKNOWN'; readonly epoch: number }
  /** A group without members: none was drawn for it, or the epoch has fewer groups. */
  | { readonly code: 'DA_QUORUM_EMPTY'; readonly epoch: number; readonly quorumId: number }
  /** Events that contradict what the contracts hold. */
  | {
      readonly code: 'DA_LOG_INCONSISTENT';
      readonly epoch: number;
      readonly quorumId: number;
      readonly reason: string;
    }
  /** An event that the contract cannot have written. */
  | { readonly code: 'DA_BAD_EVENT'; readonly event: string; readonly reason: string }
  /** The transaction went through, but its receipt lacks an event that it must have. */
  | { readonly code: 'DA_NO_EVENT'; readonly event: string; readonly transactionHash: string };

/** Stake, epochs or blobs that are not what the contracts promise. */
export class DaError extends Fault<DaFault> {}
