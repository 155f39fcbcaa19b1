import assert from 'node:assert/strict';
import { treeRoot } from '@cairn/attestation';
import { type OrderedEvent, OrderFeed, readOrder, readShard } from '@cairn/chain-access/shards';
import { equalBytes } from '@cairn/primitives';
import { testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import type { ShardWorld } from './shard-world.ts';

/** Every place that a world's hub gave, oldest first. */
export async function eventsOf({ network, chain }: ShardWorld): Promise<readonly OrderedEvent[]> {
  const options = { signal: testSignal() };
  const feed = new OrderFeed(network.ordering);
  const toBlock = await chain.client.blockNumber(options);
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
  const all = await eventsOf(world);
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
  const { root, count } = await readOrder(ordering, options);
  assert.equal(count, all.length);
  assert.ok(equalBytes(root, treeRoot(all.map(({ hash }) => hash))));
}
