import type { Checkpoint } from '@cairn/attestation';
import type { ChainOptions } from '../ports.ts';

/** A consensus shard as a signer watches it. */
export interface WatchedShard {
  /** 0 is the hub. */
  readonly shardId: number;
  /** Changes with the contracts that its checkpoints tell of: what was read before counts no more. */
  readonly version: string;
}

/** The newest ordered checkpoint of a shard; before its first one the number before that, and zeros. */
export interface OrderedHead {
  readonly number: number;
  /** Its leaf, 32 bytes. */
  readonly hash: Uint8Array;
}

/** What a shard's chain held at a checkpoint's block. */
export type CheckpointContent = Omit<Checkpoint, 'number' | 'previous'>;

/** Facts of consensus shards that a signer needs: the hub's from final blocks, a shard's from its own node. */
export interface ShardChains {
  /** The shards whose chains can be asked here, by rising number. */
  shards(options: ChainOptions): Promise<readonly WatchedShard[]>;
  /** The newest checkpoint of a shard that is ordered. */
  head(shardId: number, options: ChainOptions): Promise<OrderedHead>;
  /** Leaf of one of a shard's newest ordered checkpoints; `undefined` for others. */
  orderedHash(
    shardId: number,
    number: number,
    options: ChainOptions,
  ): Promise<Uint8Array | undefined>;
  /** Number of a shard's newest checkpoint whose block is final; 0 before the first. */
  newest(shardId: number, options: ChainOptions): Promise<number>;
  /** What the shard's chain held at the block of a checkpoint, which is final. */
  content(shardId: number, number: number, options: ChainOptions): Promise<CheckpointContent>;
}
