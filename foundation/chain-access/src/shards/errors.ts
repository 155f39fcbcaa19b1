import { type Address, type ChainId, Fault, type Hex } from '@cairn/primitives';

/** What can be wrong with a shard beside its chain. */
export type ShardFault =
  /** The endpoint for the shard serves another chain. */
  | {
      readonly code: 'SHARD_OTHER_CHAIN';
      readonly shardId: number;
      readonly expected: ChainId;
      readonly actual: ChainId;
    }
  /** The entrance that the registry names is of another shard. */
  | {
      readonly code: 'SHARD_OTHER_ENTRANCE';
      readonly expected: number;
      readonly actual: number;
      readonly entrance: Address;
    }
  /** The endpoint does not have the block that a checkpoint is of. */
  | { readonly code: 'SHARD_NO_BLOCK'; readonly shardId: number; readonly block: number }
  /** The block was replaced while its state was read, or the endpoint answers from two histories. */
  | {
      readonly code: 'SHARD_BLOCK_CHANGED';
      readonly shardId: number;
      readonly block: number;
      readonly before: Hex;
      readonly after: Hex;
    }
  /** No checkpoint that is ordered has the file: the newest one of the shard has `logCount` files. */
  | {
      readonly code: 'SHARD_NOT_ORDERED';
      readonly shardId: number;
      readonly sequence: number;
      readonly logCount: number;
    }
  /** What endpoints told does not lead to the roots that are ordered. */
  | { readonly code: 'SHARD_BAD_PROOF'; readonly shardId: number; readonly reason: string };

/** A shard whose state cannot be told. */
export class ShardError extends Fault<ShardFault> {}
