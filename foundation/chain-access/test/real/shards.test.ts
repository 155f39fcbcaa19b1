import assert from 'node:assert/strict';
import { checkpointHash, treeRoot } from '@cairn/attestation';
import { isFault, seededRng } from '@cairn/primitives';
import { openEpoch } from '../../src/da/entrance-calls.ts';
import { readTerms } from '../../src/da/entrance-facts.ts';
import { refusalOf } from '../../src/da/send-call.ts';
import { acceptEpoch, acceptHubCheckpoint } from '../../src/shards/mirror-calls.ts';
import {
  readMirroredEpoch,
  readMirroredOrder,
  readMirrorHead,
} from '../../src/shards/mirror-facts.ts';
import { OrderFeed } from '../../src/shards/order-feed.ts';
import { submitBundle } from '../../src/shards/ordering-calls.ts';
import { readCheckpointHash, readHead, readOrder } from '../../src/shards/ordering-facts.ts';
import { newestFinalCheckpoint, readShardContent } from '../../src/shards/read-checkpoint.ts';
import { ShardBook } from '../../src/shards/shard-book.ts';
import { hasAnvil, oneSector, testSignal } from '../anvil.ts';
import { BLS } from '../da-network.ts';
import { placeIn, SHARD_CHAIN, ShardNetwork } from '../shard-network.ts';

const options = () => ({ signal: testSignal() });

describe('consensus shards on two chains', function () {
  this.timeout(120_000);
  let network: ShardNetwork;

  before(async function () {
    if (!hasAnvil) this.skip();
    network = await ShardNetwork.start();
  });
  after(async () => network?.stop());

  it('lists the shards of the registry as their fields say', async () => {
    await network.hub.mine(2);
    const shards = await new ShardBook(network.ordering).shards(options());
    assert.deepEqual(
      shards.map(({ shardId, chainId, finality }) => [shardId, chainId, finality]),
      [
        [0, 31_337, 2],
        [1, SHARD_CHAIN, 2],
      ],
    );
    assert.equal(shards[0]?.flow, undefined);
    assert.equal(shards[1]?.flow, network.log.contracts.flow);
  });

  it('reads what a shard held at a block, the same however far the chain has gone on', async () => {
    await network.anvil.submit(network.log.contracts.flow, [oneSector(seededRng(7))]);
    const place = await network.placeOf(1);
    const block = await network.anvil.client.blockNumber(options());
    const held = await readShardContent(place, block, options());
    assert.equal(held.logCount, 1);
    await network.anvil.submit(network.log.contracts.flow, [oneSector(seededRng(8))]);
    assert.deepEqual(await readShardContent(place, block, options()), held);
    const later = await readShardContent(place, block + 1, options());
    assert.equal(later.logCount, 2);
    assert.ok(later.flowLength > held.flowLength);
    const wait = readShardContent(place, block + 1000, options());
    await assert.rejects(wait, (error) => isFault(error, 'SHARD_NO_BLOCK'));
  });

  it('orders what the committee signed, and tells bundles and places from the hub alone', async () => {
    const { ordering, hub } = network;
    await network.mine(30);
    const place = await network.placeOf(1);
    const newest = await newestFinalCheckpoint(place.shard, network.anvil.client, options());
    assert.ok(newest >= 2, `${newest} checkpoints are final`);
    const first = await network.nextCheckpoint(1);
    const second = await network.nextCheckpoint(1, first);
    const ofHub = await network.nextCheckpoint(0);
    const epoch = await currentEpoch(network);
    const bundle = await network.signBundle([first, ofHub, second], epoch);
    const caller = { ordering, sender: hub.payer };
    const receipt = await submitBundle(caller, bundle, BLS, options());
    assert.deepEqual(await readHead(ordering, 1, options()), {
      number: 2,
      hash: checkpointHash(second),
      globalIndex: 2,
    });
    const order = await readOrder(ordering, options());
    assert.equal(order.count, 3);
    assert.deepEqual(order.root, treeRoot([first, ofHub, second].map(checkpointHash)));
    const known = await readCheckpointHash(ordering, { shardId: 1, number: 1 }, options());
    assert.deepEqual(known, checkpointHash(first));

    const feed = new OrderFeed(ordering);
    const range = { fromBlock: 0, toBlock: receipt.block.number };
    const found = await feed.find(1, range, options());
    assert.deepEqual([found?.shardId, found?.number], [0, 1]);
    assert.ok(found !== undefined);
    const told = await feed.bundleOf(found, BLS, options());
    assert.deepEqual(told?.checkpoints, bundle.checkpoints);
    assert.deepEqual([told?.epoch, told?.nonSigners, told?.siblings], [epoch, [], []]);
    assert.deepEqual(told?.signature, bundle.signature);
    const again = submitBundle(caller, await network.signBundle([ofHub], epoch), BLS, options());
    await again; // passed by
    assert.equal((await readOrder(ordering, options())).count, 3);
    const gap = { ...second, number: 5 };
    const refused = submitBundle(caller, await network.signBundle([gap], epoch), BLS, options());
    await assert.rejects(refused, (error) => refusalOf(error) === 'BadSequence');
  });

  it('hands epochs and the order over to the mirror, under which the shard’s entrance opens', async () => {
    const { mirror, mirrorCaller } = network;
    const epoch = await network.hub.turn();
    await network.hub.mine(2);
    await network.keepTime();
    const { handed, signed } = await network.signHandover(epoch);
    const forged = { ...handed, header: { ...handed.header, endSeconds: 2 ** 40 } };
    const refused = acceptEpoch(mirrorCaller, forged, signed, BLS, options());
    await assert.rejects(refused, (error) => refusalOf(error) === 'BadSignature');
    await acceptEpoch(mirrorCaller, handed, signed, BLS, options());
    assert.equal((await readMirrorHead(mirror, options()))?.epoch, epoch);
    assert.deepEqual((await readMirroredEpoch(mirror, epoch, options()))?.seed, handed.header.seed);
    assert.equal((await readMirroredOrder(mirror, options())).count, 3);
    await network.mine(1);
    const { entrance, payer: sender } = network;
    await openEpoch({ entrance, sender }, epoch, options());
    assert.ok((await readTerms(entrance, epoch, options())) !== undefined);

    const items = [await network.nextCheckpoint(0)];
    const place = await network.placeOf(0);
    const newest = await newestFinalCheckpoint(place.shard, network.hub.anvil.client, options());
    while ((items.at(-1)?.number ?? newest) < newest) {
      items.push(await network.nextCheckpoint(0, items.at(-1)));
    }
    await network.order(items, epoch);
    await network.hub.mine(12);
    await network.keepTime();
    const later = [await network.nextCheckpoint(0)];
    const [checkpoint] = later;
    assert.ok(checkpoint !== undefined);
    const bundle = await network.signBundle(later, epoch);
    const told = { checkpoint, epoch, ...placeIn(later, 0) };
    await acceptHubCheckpoint(mirrorCaller, told, bundle, BLS, options());
    const { root, count } = await readOrder(network.ordering, options());
    assert.equal(count, 3 + items.length);
    assert.deepEqual(await readMirroredOrder(mirror, options()), { root, count });
    const twice = acceptHubCheckpoint(mirrorCaller, told, bundle, BLS, {
      ...options(),
      intent: 'again',
    });
    await assert.rejects(twice, (error) => refusalOf(error) === 'OrderNotNewer');
  });
});

async function currentEpoch({ ordering }: ShardNetwork): Promise<number> {
  return (await ordering.hub.sortition.read('currentEpoch', [], options())).number(0);
}
