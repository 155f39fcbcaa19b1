import type { Checkpoint } from '@cairn/attestation';
import { daEntranceAbi, flowAbi, orderingHubAbi } from '@cairn/contracts';
import { type Address, fromHex } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import type { ChainBlock } from '../client/parse-replies.ts';
import { Contract } from '../da/contract.ts';
import { finalBlock } from '../da/finality.ts';
import { ShardError } from './errors.ts';
import type { Shard } from './ordering-facts.ts';

const NO_ROOT: Uint8Array = new Uint8Array(32);

/** What a shard's chain held at a block: a checkpoint without its place in the shard's stream. */
export type ShardContent = Omit<Checkpoint, 'number' | 'previous'>;

/** A shard and its chain. */
export interface ShardPlace {
  readonly shard: Shard;
  readonly client: Pick<ChainClient, 'callRaw' | 'getBlock' | 'rpc'>;
  /** What orders checkpoints, on whose chain shard 0 is: for the hub's own checkpoints. */
  readonly orderingHub: Address;
}

/** The block that a checkpoint is of. */
export function blockOf({ periodBlocks }: Pick<Shard, 'periodBlocks'>, number: number): number {
  return number * periodBlocks;
}

/**
 * Number of the newest checkpoint whose block stays, whether or not the shard's stream has begun there; 0
 * before the first.
 *
 * @throws what the client throws
 */
export async function newestFinalCheckpoint(
  { finality, periodBlocks }: Pick<Shard, 'finality' | 'periodBlocks'>,
  client: Pick<ChainClient, 'blockNumber' | 'getBlock'>,
  options: CallOptions,
): Promise<number> {
  return Math.floor((await finalBlock(client, finality, options)) / periodBlocks);
}

/**
 * What a shard's chain held at the end of a block, which must be final: then everybody who asks an
 * honest endpoint is told the same. Each value is asked as of that block, and the block's hash before
 * and after, so that a history that is replaced meanwhile is noticed. A contract that is not made yet
 * at that block holds nothing: its roots are zeros.
 *
 * @throws {ShardError} SHARD_NO_BLOCK, SHARD_BLOCK_CHANGED; {ChainError}
 */
export async function readShardContent(
  { shard, client, orderingHub }: ShardPlace,
  blockNumber: number,
  { signal }: CallOptions,
): Promise<ShardContent> {
  const { shardId } = shard;
  const before = await requireBlock({ client, shardId }, blockNumber, { signal });
  const at = { signal, block: blockNumber };
  const flow = await readFlow(shard.flow, client, at);
  const order = shardId === 0 ? await readHubOrder(orderingHub, client, at) : undefined;
  const batches = await readBatches(shard.entrance, client, at);
  const after = await requireBlock({ client, shardId }, blockNumber, { signal });
  if (before.hash !== after.hash) {
    throw new ShardError(
      {
        code: 'SHARD_BLOCK_CHANGED',
        shardId,
        block: blockNumber,
        before: before.hash,
        after: after.hash,
      },
      `block ${blockNumber} of shard ${shardId} was ${before.hash} and became ${after.hash} while it was read`,
    );
  }
  return {
    shardId,
    ...flow,
    ...order,
    ...batches,
    blockNumber,
    blockHash: fromHex(before.hash),
    timeSeconds: before.timestamp,
  };
}

type BlockReads = CallOptions & { readonly block: number };
type Caller = Pick<ChainClient, 'callRaw' | 'rpc'>;

async function readFlow(
  address: Address | undefined,
  client: Caller,
  at: BlockReads,
): Promise<Pick<Checkpoint, 'flowRoot' | 'flowLength' | 'logRoot' | 'logCount'>> {
  if (address === undefined || !(await isMade(address, client, at))) {
    return { flowRoot: NO_ROOT, flowLength: 0, logRoot: NO_ROOT, logCount: 0 };
  }
  const flow = new Contract(client, address, flowAbi);
  return {
    flowRoot: (await flow.read('computeFlowRoot', [], at)).bytes(0),
    flowLength: (await flow.read('tree', [], at)).number(0),
    logRoot: (await flow.read('logRoot', [], at)).bytes(0),
    logCount: (await flow.read('logCount', [], at)).number(0),
  };
}

/** The order of checkpoints, which stands where other shards have their log. */
async function readHubOrder(
  address: Address,
  client: Caller,
  at: BlockReads,
): Promise<Pick<Checkpoint, 'logRoot' | 'logCount'>> {
  if (!(await isMade(address, client, at))) return { logRoot: NO_ROOT, logCount: 0 };
  const order = await new Contract(client, address, orderingHubAbi).read('orderRoot', [], at);
  return { logRoot: order.bytes(0), logCount: order.number(1) };
}

async function readBatches(
  address: Address | undefined,
  client: Caller,
  at: BlockReads,
): Promise<Pick<Checkpoint, 'daRoot' | 'daCount'>> {
  if (address === undefined || !(await isMade(address, client, at))) {
    return { daRoot: NO_ROOT, daCount: 0 };
  }
  const entrance = new Contract(client, address, daEntranceAbi);
  return {
    daRoot: (await entrance.read('daRoot', [], at)).bytes(0),
    daCount: (await entrance.read('daCount', [], at)).number(0),
  };
}

/** Whether there was a contract at a block. @throws {ChainError} CHAIN_BAD_REPLY */
async function isMade(
  address: Address,
  client: Pick<ChainClient, 'rpc'>,
  { signal, block }: BlockReads,
): Promise<boolean> {
  const code = await client.rpc('eth_getCode', [address, `0x${block.toString(16)}`], { signal });
  if (typeof code === 'string' && /^0x([0-9a-f]{2})*$/i.test(code)) return code !== '0x';
  throw new ChainError(
    { code: 'CHAIN_BAD_REPLY', method: 'eth_getCode', reason: 'no code' },
    `the endpoint does not tell whether there was a contract at ${address} in block ${block}`,
  );
}

async function requireBlock(
  { client, shardId }: { readonly client: Pick<ChainClient, 'getBlock'>; readonly shardId: number },
  number: number,
  options: CallOptions,
): Promise<ChainBlock> {
  const block = await client.getBlock(number, options);
  if (block?.number === number) return block;
  throw new ShardError(
    { code: 'SHARD_NO_BLOCK', shardId, block: number },
    `the endpoint of shard ${shardId} does not have block ${number}`,
  );
}
