import assert from 'node:assert/strict';
import { openEpoch, readTerms } from '@cairn/chain-access/da';
import {
  fileProofArgument,
  type OrderedEvent,
  OrderFeed,
  proveFile,
  readHead,
  readMirroredOrder,
  readMirrorHead,
  readOrder,
} from '@cairn/chain-access/shards';
import { type Address, isFault, seededRng } from '@cairn/primitives';
import { hasAnvil, oneSector, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { BLS } from '../../../foundation/chain-access/test/da-network.ts';
import { turnOf } from '../../src/relayer/take-turns.ts';
import { joiningShards } from './joining-shards.ts';
import { assertOneOrderOf, eventsOf } from './one-order.ts';
import { blobsOfShards } from './shard-blobs.ts';
import { ShardWorld, type TestRelayer } from './shard-world.ts';

const options = () => ({ signal: testSignal() });

describe('two consensus shards, their signers and relayers', function () {
  this.timeout(900_000);
  let world: ShardWorld;
  let relayer: TestRelayer;

  before(async function () {
    if (!hasAnvil) this.skip();
    world = await ShardWorld.start();
    relayer = await world.relayer('the first relayer');
  });
  after(async () => world?.stop());

  /** Looks of signers and of a relayer until nothing more is to be ordered. */
  const orderAll = async (by: TestRelayer = relayer): Promise<number> => {
    let ordered = 0;
    for (;;) {
      await world.mineHub(2);
      await world.watch();
      const now = await by.order.look(options());
      if (now === 0) return ordered;
      ordered += now;
    }
  };
  const events = (): Promise<readonly OrderedEvent[]> => eventsOf(world);
  const assertOneOrder = (): Promise<void> => assertOneOrderOf(world, [0, 1]);

  it('orders what both chains held, and proves a file of the shard on the hub at its global index', async () => {
    const { network } = world;
    await network.anvil.submit(network.log.contracts.flow, [oneSector(seededRng(11))]);
    await network.mine(30);
    assert.ok((await orderAll()) > 4);
    await assertOneOrder();
    const { shard } = await network.placeOf(1);
    const { client } = network.anvil;
    const deps = { ordering: network.ordering, shard, client, backend: BLS };
    const proof = await proveFile(deps, 0, options());
    assert.equal(proof.checkpoint.shardId, 1);
    await network.ordering.contract.read('requireFile', [fileProofArgument(proof)], options());
    const moved = { ...proof, ordered: { ...proof.ordered, globalIndex: 0 } };
    const forged = network.ordering.contract.read(
      'requireFile',
      [fileProofArgument(moved)],
      options(),
    );
    await assert.rejects(forged, (error) => isFault(error, 'CHAIN_RPC_ERROR'));
  });

  it('hands epochs over by the relayer alone, and opens the shard’s entrance under them', async () => {
    const { network } = world;
    const epoch = await world.turn();
    assert.ok((await relayer.mirror.look(options())) > 0);
    assert.equal((await readMirrorHead(network.mirror, options()))?.epoch, epoch);
    assert.equal(await relayer.mirror.look(options()), 0, 'nothing twice');
    await network.mine(1);
    const { entrance, payer: sender } = network;
    await openEpoch({ entrance, sender }, epoch, options());
    assert.ok((await readTerms(entrance, epoch, options())) !== undefined);
    await world.mineHub(12);
    await orderAll();
    await network.keepTime();
    await relayer.mirror.look(options());
    const { count } = await readMirroredOrder(network.mirror, options());
    assert.ok(count > 4, `${count} checkpoints are known on the shard`);
  });

  it('does no work twice with two relayers, and goes on with either of them while the other stalls', async () => {
    const { network } = world;
    const spreadMs = 10_000;
    const both = [
      await world.relayer('one of two', spreadMs),
      await world.relayer('two of two', spreadMs),
    ];
    await network.mine(20);
    await world.mineHub(12);
    await world.watch();
    const { count } = await readOrder(network.ordering, options());
    const sent = await Promise.all(both.map(({ address }) => nonceOf(world, address)));
    const steps: number[] = [];
    for (let ms = 0; ms <= spreadMs; ms += 500) {
      for (const { order, turns } of both) {
        turns.ms = ms;
        steps.push(await order.look(options()));
      }
    }
    const after = await Promise.all(both.map(({ address }) => nonceOf(world, address)));
    const transactions = after.reduce((sum, nonce, at) => sum + nonce - (sent[at] ?? 0), 0);
    assert.equal(transactions, steps.filter((each) => each > 0).length);
    assert.equal(transactions, 1, 'one bundle holds everything');
    assert.ok((await readOrder(network.ordering, options())).count > count);
    const turnsOf = both.map(({ address }) => turnOf(address, `order:${count}`));
    const first = (turnsOf[0] ?? 0) < (turnsOf[1] ?? 0) ? 0 : 1;
    assert.ok((after[first] ?? 0) > (sent[first] ?? 0), 'whose turn it was did it');
    await assertOneOrder();

    // One that takes its turns and does nothing costs a whole turn, and no more.
    await network.mine(20);
    await world.mineHub(12);
    await world.watch();
    const { count: known } = await readOrder(network.ordering, options());
    const turns = both.map(({ address }) => turnOf(address, `order:${known}`));
    const other = (turns[0] ?? 0) < (turns[1] ?? 0) ? both[1] : both[0];
    assert.ok(other !== undefined);
    let orderedAtMs: number | undefined;
    const startMs = other.turns.ms;
    for (let ms = 0; ms <= 2 * spreadMs && orderedAtMs === undefined; ms += 500) {
      other.turns.ms = startMs + ms;
      if ((await other.order.look(options())) > 0) orderedAtMs = ms;
    }
    assert.ok(orderedAtMs !== undefined, 'the other one ordered it alone');
    assert.ok((await readOrder(network.ordering, options())).count > known);
    await assertOneOrder();
  });

  it('leaves a shard out that too few signers reach, and takes it up again', async () => {
    const { network, signers } = world;
    await network.mine(20);
    await world.mineHub(12);
    const before = await readHead(network.ordering, 1, options());
    const hubBefore = await readHead(network.ordering, 0, options());
    for (const { node } of signers.slice(0, 2)) node.away.add(1);
    await orderAll();
    assert.equal((await readHead(network.ordering, 0, options())).number > hubBefore.number, true);
    assert.equal((await readHead(network.ordering, 1, options())).number, before.number);
    for (const { node } of signers) node.away.clear();
    await orderAll();
    assert.ok((await readHead(network.ordering, 1, options())).number > before.number);
    await assertOneOrder();
  });

  it('does not let a signer sign what its lying node says, nor the order depend on it', async () => {
    const { network, signers } = world;
    const liar = signers[3];
    assert.ok(liar !== undefined);
    const before = await readHead(network.ordering, 1, options());
    liar.node.lies.add(1);
    await network.mine(20);
    const signed = liar.signer.protection.slots;
    await orderAll();
    const after = await readHead(network.ordering, 1, options());
    assert.ok(after.number >= before.number + 2);
    const bundle = await new OrderFeed(network.ordering).bundleOf(
      (await events()).findLast(({ shardId }) => shardId === 1) ?? assert.fail(),
      BLS,
      options(),
    );
    assert.equal(bundle?.nonSigners.length, 1, 'the liar did not sign');
    assert.equal(liar.signer.protection.slots, signed);
    liar.node.lies.clear();
    await assertOneOrder();
  });

  it('goes on in one order after a shard stood still for 50 blocks of the hub, in an epoch that was carried over', async () => {
    const { network } = world;
    await world.mineHub(50);
    await world.carryOver();
    await orderAll();
    const before = await readHead(network.ordering, 1, options());
    await network.anvil.submit(network.log.contracts.flow, [oneSector(seededRng(12))]);
    await network.anvil.reorg(1); // above finality: what was not final is another block now
    await network.mine(25);
    await orderAll();
    const after = await readHead(network.ordering, 1, options());
    assert.ok(after.number >= before.number + 2, `${before.number} → ${after.number}`);
    await assertOneOrder();
  });

  blobsOfShards(() => ({ world, relayer, orderAll }));

  joiningShards(() => world);
});

async function nonceOf({ chain }: ShardWorld, address: Address): Promise<number> {
  return chain.client.getTransactionCount(address, 'latest', options());
}
