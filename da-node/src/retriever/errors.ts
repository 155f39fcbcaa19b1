import { Fault } from '@cairn/primitives';

/** Why a blob cannot be read. */
export type RetrievalFault =
  /** Fewer rows are served than make up a blob: more signers, or later, may decide. */
  | { readonly code: 'BLOB_UNAVAILABLE'; readonly have: number; readonly need: number }
  /** Every member of its quorum answered, and none keeps a row of it. */
  | { readonly code: 'BLOB_ABSENT'; readonly members: number }
  /** No payload has this commitment: final, and the same for every reader. */
  | { readonly code: 'BLOB_NULL'; readonly badRows: number }
  /** There is no such epoch, or no such quorum in it. */
  | { readonly code: 'QUORUM_UNKNOWN'; readonly epoch: number; readonly quorumId: number };

/** A blob that cannot be read. */
export class RetrievalError extends Fault<RetrievalFault> {}
