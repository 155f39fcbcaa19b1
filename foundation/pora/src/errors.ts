import { Fault, type Hex } from '@cairn/primitives';

/** What can be wrong with an answer: each is what the contract would refuse it for. */
export type PoraFault =
  /** The answer is to another epoch's context. */
  | { readonly code: 'PORA_STALE_CONTEXT'; readonly expected: Hex; readonly actual: Hex }
  /** The context is of an epoch that cannot be mined. */
  | { readonly code: 'PORA_EMPTY_CONTEXT' }
  | { readonly code: 'PORA_RANGE_START'; readonly startPosition: number; readonly step: number }
  /** A range that is not whole segments, or ends where the flow has no whole segment. */
  | { readonly code: 'PORA_RANGE_END'; readonly end: number; readonly minableLength: number }
  | { readonly code: 'PORA_RANGE_LENGTH'; readonly mineLength: number; readonly required: number }
  /** A mask whose zero bits are not the lowest ones. */
  | { readonly code: 'PORA_SHARD_MASK'; readonly shardMask: Hex }
  | { readonly code: 'PORA_SHARD_ID'; readonly shardId: bigint; readonly shards: number }
  | { readonly code: 'PORA_SHARD_COUNT'; readonly shards: number; readonly maxShards: number }
  /** The nonce leads to no segment of the range. */
  | { readonly code: 'PORA_RECALL_OUTSIDE'; readonly segment: bigint; readonly segments: number }
  | { readonly code: 'PORA_PIECE_INDEX'; readonly index: number; readonly pieces: number }
  | { readonly code: 'PORA_WRONG_POSITION'; readonly expected: number; readonly actual: number }
  /** A piece that was sealed with a context that does not hold it. */
  | {
      readonly code: 'PORA_SEAL_CONTEXT';
      readonly position: number;
      readonly start: number;
      readonly end: number;
    }
  /** A piece of zeros: whoever stores nothing can show it. */
  | { readonly code: 'PORA_ZERO_PIECE'; readonly position: number }
  | { readonly code: 'PORA_WRONG_ROOT'; readonly expected: Hex; readonly actual: Hex }
  /** A hash above what wins. */
  | { readonly code: 'PORA_QUALITY'; readonly hash: Hex; readonly limit: Hex };

/** An answer that the mining contract would refuse. */
export class PoraError extends Fault<PoraFault> {}
