import assert from 'node:assert/strict';
import { checkpointHash, treeRoot } from '@cairn/attestation';
import { Fault, isFault, seededRng } from '@cairn/primitives';
import type { ChainClient } from '../../src/client/chain-client.ts';
import type { LogRecord } from '../../src/client/parse-replies.ts';
import { openEpoch } from '../../src/da/entrance-calls.ts';
import { readTerms } from '../../src/da/entrance-facts.ts';
import { refusalOf } from '../../src/da/send-call.ts';
import { acceptEpoch, acceptHubCheckpoint } from '../../src/shards/mirror-calls.ts';
import {
  readMirroredEpoch,
  readMirroredOrder,
  readMirrorHead,
} from '../../src/shards/mirror-facts.ts';
import { type OrderedEvent, OrderFeed } from '../../src/shards/order-feed.ts';
import { type SignedBundle, submitBundle } from '../../src/shards/ordering-calls.ts';
import { readCheckpointHash, readHead, readOrder } from '../../src/shards/ordering-facts.ts';
import { fileProofArgument, proveFile, readPlaces } from '../../src/shards/prove-file.ts';
import { newestFinalCheckpoint, readShardContent } from '../../src/shards/read-checkpoint.ts';
import { ShardBook } from '../../src/shards/shard-book.ts';
import { hasAnvil, oneSector, testSignal } from '../anvil.ts';
import { BLS } from '../da-network.ts';
import { placeIn, SHARD_CHAIN, ShardNetwork } from '../shard-network.ts';
import { refusalsOfTwoChains } from './shard-refusals.ts';

const options = () => ({ signal: testSignal() });

describe('consensus shards on two chains', () => {
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

  it('orders nothing that was forged, replayed or signed out of office, each refused by name', async () => {
    const { ordering, hub } = network;
    const caller = { ordering, sender: hub.payer };
    const epoch = await currentEpoch(network);
    const next = await network.nextCheckpoint(1);
    const right = await network.signBundle([next], epoch);
    const { root: before } = await readOrder(ordering, options());
    const [one, two] = hub.signers;
    assert.ok(one !== undefined && two !== undefined);
    const forged = { ...next, daCount: next.daCount + 1 };
    const elsewhere = { ...next, shardId: 0 };
    const cases: readonly (readonly [string, SignedBundle])[] = [
      ['BadSignature', { ...right, checkpoints: [forged] }],
      ['BadSignature', { ...right, checkpoints: [elsewhere] }],
      ['BadSignature', { ...right, checkpoints: [next, next] }],
      ['EpochClosed', { ...right, epoch: epoch - 1 }],
      ['EpochNotBegun', { ...right, epoch: epoch + 1 }],
      ['ShardUnknown', await network.signBundle([{ ...next, shardId: 7 }], epoch)],
      ['BadSequence', await network.signBundle([{ ...next, number: 9 }], epoch)],
      ['BadSequence', await network.signBundle([{ ...next, previous: next.logRoot }], epoch)],
    ];
    for (const [name, bundle] of cases) {
      const refused = submitBundle(caller, bundle, BLS, options());
      await assert.rejects(refused, (error) => refusalOf(error) === name, name);
    }
    // Two thirds are not more than two thirds.
    const few = network.signBundle([next], epoch, [one, two]);
    await assert.rejects(few, (error) => isFault(error, 'WEIGHT_TOO_LOW'));
    assert.deepEqual((await readOrder(ordering, options())).root, before);
  });

  it('loses nothing to a relayer that is faster with a part of a bundle', async () => {
    const { ordering, hub } = network;
    const epoch = await currentEpoch(network);
    const first = await network.nextCheckpoint(1);
    const ofHub = await network.nextCheckpoint(0);
    const both = await network.signBundle([first, ofHub], epoch);
    const { count } = await readOrder(ordering, options());
    const { sender } = await hub.guest('a relayer that is faster');
    const part = await network.signBundle([ofHub], epoch);
    await submitBundle({ ordering, sender }, part, BLS, options());
    await submitBundle({ ordering, sender: hub.payer }, both, BLS, options());
    assert.equal((await readOrder(ordering, options())).count, count + 2);
    assert.equal((await readHead(ordering, 1, options())).globalIndex, count + 1);
  });

  it('believes neither an endpoint of the hub nor one of the shard about the place of a file', async () => {
    const { ordering, hub } = network;
    const { shard, client } = await network.placeOf(1);
    const deps = { ordering, shard, client: client as ChainClient, backend: BLS };
    const proof = await proveFile(deps, 0, options());
    assert.equal(proof.checkpoint.shardId, 1);
    const places = await readPlaces(ordering, options());
    const changed = (at: number, by: Partial<OrderedEvent>) =>
      places.map((place, index) => (index === at ? { ...place, ...by } : place));
    const isBad = (error: unknown): boolean => isFault(error, 'SHARD_BAD_PROOF');
    // The hub's endpoint tells another leaf for the file's checkpoint.
    const { globalIndex } = proof.ordered;
    const otherLeaf = changed(globalIndex, { hash: seededRng(1).fill(new Uint8Array(32)) });
    await assert.rejects(proveFile(deps, 0, { ...options(), places: otherLeaf }), isBad);
    // It tells another leaf elsewhere: the root is not the hub's, which contracts and committees know.
    const other = places.findIndex(({ shardId }) => shardId === 0);
    const elsewhere = changed(other, { hash: new Uint8Array(32).fill(1) });
    const told = await proveFile(deps, 0, { ...options(), places: elsewhere });
    const asked = ordering.contract.read('requireFile', [fileProofArgument(told)], options());
    await assert.rejects(asked, /NotOrdered|reverted/);
    // It leaves an event out.
    const short: ChainClient = lying(hub.anvil.client, (logs) => logs.slice(1));
    const gapped = { ...ordering, hub: { ...ordering.hub, client: short } };
    await assert.rejects(readPlaces(gapped, options()), isBad);
    // The shard's endpoint tells a log without its first file.
    const liar = { ...deps, client: lying(deps.client, (logs) => logs.slice(1)) };
    await assert.rejects(proveFile(liar, 0, options()), (error) => error instanceof Fault);
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
    assert.ok((await readMirroredOrder(mirror, options())).count >= 3);
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
    const { count: before } = await readOrder(network.ordering, options());
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
    assert.equal(count, before + items.length);
    assert.deepEqual(await readMirroredOrder(mirror, options()), { root, count });
    const twice = acceptHubCheckpoint(mirrorCaller, told, bundle, BLS, {
      ...options(),
      intent: 'again',
    });
    await assert.rejects(twice, (error) => refusalOf(error) === 'OrderNotNewer');
  });

  refusalsOfTwoChains(() => network);
});

async function currentEpoch({ ordering }: ShardNetwork): Promise<number> {
  return (await ordering.hub.sortition.read('currentEpoch', [], options())).number(0);
}

/** An endpoint that tells other logs than its chain has. */
function lying(
  client: ChainClient,
  lie: (logs: readonly LogRecord[]) => readonly LogRecord[],
): ChainClient {
  return new Proxy(client, {
    get: (target, name) => {
      const own: unknown = Reflect.get(target, name, target);
      if (typeof own !== 'function') return own;
      if (name !== 'getLogs') return own.bind(target);
      return async (...args: unknown[]) => lie(await own.apply(target, args));
    },
  });
}
