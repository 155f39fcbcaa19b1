import type { OrderState } from '@cairn/attestation';
import { type Address, type ChainId, chainIdOf, isZeroBytes } from '@cairn/primitives';
import type { ReadOptions } from '../da/contract.ts';
import type { Finality } from '../da/finality.ts';
import type { Values } from '../da/values.ts';
import type { Ordering } from './open-ordering.ts';

/** A consensus shard, as the hub's registry has it. */
export interface Shard {
  /** 0 is the hub. */
  readonly shardId: number;
  readonly chainId: ChainId;
  /** Blocks between two checkpoints, at least 1: number k is of block k · period. */
  readonly periodBlocks: number;
  readonly finality: Finality;
  /** Number of its first checkpoint, at least 1: what its chain held before is in that one. */
  readonly firstCheckpoint: number;
  /** What the shard has none of is `undefined`. */
  readonly flow: Address | undefined;
  readonly entrance: Address | undefined;
  readonly mirror: Address | undefined;
}

/** The newest ordered checkpoint of a shard. */
export interface ShardHead {
  /** Before the shard's first checkpoint the number before that, 0 for most. */
  readonly number: number;
  /** Its leaf, 32 bytes; zeros before the first. */
  readonly hash: Uint8Array;
  /** Its place in the order; 0 before the first. */
  readonly globalIndex: number;
}

/** A shard by its fields in the registry. */
export function shardIn(shardId: number, values: Values): Shard {
  const finality = values.number('finality');
  return {
    shardId,
    chainId: chainIdOf(values.number('chainId')),
    periodBlocks: values.number('period'),
    finality: finality === 0 ? 'tag' : finality,
    firstCheckpoint: values.number('first'),
    flow: contractOrNone(values.address('flow')),
    entrance: contractOrNone(values.address('daEntrance')),
    mirror: contractOrNone(values.address('mirror')),
  };
}

/** A shard of the registry. @throws {ChainError} CHAIN_RPC_ERROR if there is none with this number */
export async function readShard(
  { contract }: Pick<Ordering, 'contract'>,
  shardId: number,
  options: ReadOptions,
): Promise<Shard> {
  return shardIn(shardId, (await contract.read('shardOf', [shardId], options)).inner(0));
}

/** Shards in the registry. Their numbers need not follow on each other. */
export async function readShardCount(
  { contract }: Pick<Ordering, 'contract'>,
  options: ReadOptions,
): Promise<number> {
  return (await contract.read('shardCount', [], options)).number(0);
}

/** The newest ordered checkpoint of a shard. @throws {ChainError} CHAIN_RPC_ERROR for an unknown shard */
export async function readHead(
  { contract }: Pick<Ordering, 'contract'>,
  shardId: number,
  options: ReadOptions,
): Promise<ShardHead> {
  const values = await contract.read('head', [shardId], options);
  return {
    number: values.number(0),
    hash: values.bytes(1),
    globalIndex: values.number(2),
  };
}

/** Leaf of one of the 16 newest ordered checkpoints of a shard; `undefined` for others. */
export async function readCheckpointHash(
  { contract }: Pick<Ordering, 'contract'>,
  { shardId, number }: { readonly shardId: number; readonly number: number },
  options: ReadOptions,
): Promise<Uint8Array | undefined> {
  const hash = (await contract.read('checkpointHash', [shardId, number], options)).bytes(0);
  return isZeroBytes(hash) ? undefined : hash;
}

/** The root over all ordered checkpoints. */
export async function readOrder(
  { contract }: Pick<Ordering, 'contract'>,
  options: ReadOptions,
): Promise<OrderState> {
  const values = await contract.read('orderRoot', [], options);
  return { root: values.bytes(0), count: values.number(1) };
}

/** The root over the first `count` checkpoints, where it is known; `undefined` where it is not. */
export async function readOrderRootAt(
  { contract }: Pick<Ordering, 'contract'>,
  count: number,
  options: ReadOptions,
): Promise<Uint8Array | undefined> {
  const root = (await contract.read('orderRootAt', [count], options)).bytes(0);
  return isZeroBytes(root) ? undefined : root;
}

function contractOrNone(address: Address): Address | undefined {
  return BigInt(address) === 0n ? undefined : address;
}
