import { Fault, type Hex } from '@cairn/primitives';

/** What can be wrong with a file, its parts, or the history of a tree. */
export type CommitmentFault =
  /** A file of zero bytes has no root and cannot be stored. */
  | { readonly code: 'FILE_EMPTY' }
  /** A source delivered another number of bytes than was announced. */
  | { readonly code: 'FILE_LENGTH'; readonly expectedBytes: number; readonly actualBytes: number }
  | { readonly code: 'SEGMENT_INDEX'; readonly index: number; readonly segments: number }
  | {
      readonly code: 'SEGMENT_LENGTH';
      readonly index: number;
      readonly expectedBytes: number;
      readonly actualBytes: number;
    }
  /** Segment roots that are not 32 bytes for each segment with data. */
  | {
      readonly code: 'SEGMENT_ROOTS';
      readonly segments: number;
      readonly expectedBytes: number;
      readonly actualBytes: number;
    }
  /** Submission nodes whose heights are not those of the file's padded length. */
  | {
      readonly code: 'NODE_LAYOUT';
      readonly expectedHeights: readonly number[];
      readonly actualHeights: readonly number[];
    }
  /** A tree position that cannot be numbered exactly (beyond 2^53 − 1). */
  | { readonly code: 'TREE_FULL'; readonly length: number; readonly added: number }
  /** A stored subtree that a proof needs is neither kept nor known to be zero. */
  | { readonly code: 'NODE_MISSING'; readonly level: number; readonly index: number }
  /** Bytes that are not a snapshot of a tree. */
  | { readonly code: 'SNAPSHOT_MALFORMED'; readonly lengthBytes: number }
  /** Bytes that are not a submission record. */
  | {
      readonly code: 'RECORD_LENGTH';
      readonly expectedBytes: number;
      readonly actualBytes: number;
    };

/** A file or a tree that is not what it should be. */
export class CommitmentError extends Fault<CommitmentFault> {}

/** What can be wrong with something that claims to belong under a root. */
export type ProofFault =
  | { readonly code: 'SEGMENT_INDEX'; readonly index: number; readonly segments: number }
  | {
      readonly code: 'SEGMENT_LENGTH';
      readonly index: number;
      readonly expectedBytes: number;
      readonly actualBytes: number;
    }
  /** A position outside the tree. */
  | { readonly code: 'PROOF_INDEX'; readonly index: number; readonly count: number }
  /** A path of another length than the position has. */
  | {
      readonly code: 'PROOF_LENGTH';
      readonly index: number;
      readonly expected: number;
      readonly actual: number;
    }
  /** A hash that is not 32 bytes; `level` counts from the leaf, `-1` for the leaf or root itself. */
  | { readonly code: 'PROOF_HASH_LENGTH'; readonly level: number; readonly actualBytes: number }
  /** A path that leads to another root. */
  | {
      readonly code: 'PROOF_WRONG_ROOT';
      readonly index: number;
      readonly expectedRoot: Hex;
      readonly actualRoot: Hex;
    }
  /** Something other than zeros where the file is padding only. */
  | {
      readonly code: 'PROOF_PADDING';
      readonly index: number;
      readonly firstSegment: number;
      readonly endSegment: number;
    };

/** Bytes or hashes that do not belong where they claim to. */
export class ProofError extends Fault<ProofFault> {}
