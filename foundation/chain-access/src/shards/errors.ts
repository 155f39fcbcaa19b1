import { type Address, type ChainId, Fault, type Hex, type Root } from '@cairn/primitives';

/** What can be wrong with a shard beside its chain. */
export type ShardFault =
  /** The endpoint for the shard serves another chain. */
  | {
      readonly code: 'SHARD_OTHER_CHAIN';
      readonly shardId: number;
      readonly expected: ChainId;
      readonly actual: ChainId;
    }
  /** The entrance named or given for a shard takes blobs of another one. */
  | {
      readonly code: 'SHARD_OTHER_ENTRANCE';
      readonly entrance: Address;
      readonly expected: number;
      readonly actual: number;
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
  /** The order does not have that place yet: it has `count`, so that the newest is one less. */
  | { readonly code: 'SHARD_PLACE_NOT_GIVEN'; readonly globalIndex: number; readonly count: number }
  /** The log of the checkpoint at that place has no such file. */
  | {
      readonly code: 'SHARD_NOT_LOGGED';
      readonly shardId: number;
      readonly root: Root;
      readonly globalIndex: number;
      readonly logCount: number;
    }
  /** No checkpoint that is ordered has the blob's batch: the newest one of the shard has `daCount` batches. */
  | {
      readonly code: 'SHARD_BLOB_NOT_ORDERED';
      readonly shardId: number;
      readonly batchRoot: Hex;
      readonly daCount: number;
    }
  /** What endpoints told does not lead to the roots that are ordered. */
  | { readonly code: 'SHARD_BAD_PROOF'; readonly shardId: number; readonly reason: string };

/** A shard whose state cannot be told. */
export class ShardError extends Fault<ShardFault> {}

/** The fault for what leads to no root that is ordered. */
export function badProof(shardId: number, reason: string): ShardError {
  return new ShardError(
    { code: 'SHARD_BAD_PROOF', shardId, reason },
    `what was told of shard ${shardId} proves nothing: ${reason}`,
  );
}
