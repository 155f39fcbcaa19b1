import assert from 'node:assert/strict';
import { checkpointHash, treeRoot } from '@cairn/attestation';
import {
  blockOf,
  type OrderedEvent,
  OrderFeed,
  readOrder,
  readShard,
  readShardContent,
} from '@cairn/chain-access/shards';
import { equalBytes } from '@cairn/primitives';
import {
  CHECKPOINT_REQUEST_TYPE,
  CHECKPOINT_VOTES_PATH,
  type CheckpointRequest,
  encodeCheckpointRequest,
} from '@cairn/wire-protocol/da';
import { testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import type { NewShard } from '../../../foundation/chain-access/test/shard-network.ts';
import type { ShardWorld } from './shard-world.ts';

/** Every place that a world's hub gave up to a block, the newest one unless told, oldest first. */
export async function eventsOf(
  { network, chain }: ShardWorld,
  block?: number,
): Promise<readonly OrderedEvent[]> {
  const options = { signal: testSignal() };
  const feed = new OrderFeed(network.ordering);
  const toBlock = block ?? (await chain.client.blockNumber(options));
  const all: OrderedEvent[] = [];
  for await (const { ordered } of feed.forward({ fromBlock: 0, toBlock }, options)) {
    all.push(...ordered);
  }
  return all;
}

/** The order is one: indexes without gaps, of each shard the numbers from its first one on, once each. */
export async function assertOneOrderOf(
  world: ShardWorld,
  shardIds: readonly number[],
): Promise<void> {
  const { ordering } = world.network;
  const options = { signal: testSignal() };
  const block = await world.chain.client.blockNumber(options); // relayers go on meanwhile
  const all = await eventsOf(world, block);
  assert.deepEqual(
    all.map(({ globalIndex }) => globalIndex),
    all.map((_, index) => index),
  );
  for (const shardId of shardIds) {
    const { firstCheckpoint } = await readShard(ordering, shardId, options);
    const own = all.filter((event) => event.shardId === shardId);
    assert.deepEqual(
      own.map(({ number }) => number),
      own.map((_, index) => firstCheckpoint + index),
    );
  }
  const { root, count } = await readOrder(ordering, { ...options, block });
  assert.equal(count, all.length);
  assert.ok(equalBytes(root, treeRoot(all.map(({ hash }) => hash))));
}

/** The fault by which a signer refuses to sign for a bundle. */
export async function refusalBy(
  { host }: Pick<ShardWorld['signers'][number], 'host'>,
  wanted: CheckpointRequest,
): Promise<unknown> {
  const reply = await fetch(`${host.address.url}${CHECKPOINT_VOTES_PATH}`, {
    method: 'POST',
    headers: { 'content-type': CHECKPOINT_REQUEST_TYPE },
    body: Buffer.from(encodeCheckpointRequest(wanted)),
  });
  assert.ok(!reply.ok, 'it signed');
  return ((await reply.json()) as { readonly code?: unknown }).code;
}

/** What is ordered of a shard is what its chain has now: nothing of a block that was taken back. */
export async function assertHeldBy(world: ShardWorld, { shard, anvil }: NewShard): Promise<void> {
  const { ordering } = world.network;
  const place = { shard, client: anvil.client, orderingHub: ordering.domain.address };
  let previous: Uint8Array = new Uint8Array(32);
  for (const { shardId, number, hash } of await eventsOf(world)) {
    if (shardId !== shard.shardId) continue;
    const content = await readShardContent(place, blockOf(shard, number), { signal: testSignal() });
    assert.deepEqual(checkpointHash({ ...content, number, previous }), hash);
    previous = hash;
  }
}
