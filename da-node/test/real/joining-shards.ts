import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpointHash } from '@cairn/attestation';
import { createChainClient } from '@cairn/chain-access';
import { readPhase } from '@cairn/chain-access/da';
import {
  addShardCall,
  castVote,
  executeProposal,
  firstCheckpointAfter,
  propose,
  queueProposal,
  readProposal,
} from '@cairn/chain-access/governance';
import {
  anchorMirror,
  blockOf,
  certifyCheckpoint,
  fileProofArgument,
  proveFile,
  readHead,
  readMirroredOrder,
  readMirrorHead,
  readOrder,
  readShardContent,
} from '@cairn/chain-access/shards';
import { chainIdOf, isZeroBytes, seededRng, systemClock } from '@cairn/primitives';
import { oneSector, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { BLS, type TestSigner } from '../../../foundation/chain-access/test/da-network.ts';
import { governHub } from '../../../foundation/chain-access/test/governed-hub.ts';
import { foundShard, type NewShard } from '../../../foundation/chain-access/test/shard-network.ts';
import { isSoak } from '../../../test/support/soak.ts';
import { type ContentChain, type PutContent, proveToProgram, putOn } from './contents-of-each.ts';
import type { DaProcess } from './da-process.ts';
import { assertHeldBy, assertOneOrderOf, eventsOf, refusalBy } from './one-order.ts';
import { type KillableSigner, killableSigner, relayerOf } from './shard-processes.ts';
import type { ShardWorld } from './shard-world.ts';

const TIMEOUT_MS = 600_000;
const options = () => ({ signal: testSignal(TIMEOUT_MS) });
/** Chains that join, and times that each of them stands still: four shards in all in the long run. */
const JOINING = isSoak ? 2 : 1;
const ROUNDS = isSoak ? 4 : 1;
/** Between looks: each costs a dozen calls. */
const POLL_MS = 250;
/** Blocks of a chain before it joins. */
const PAST_BLOCKS = 100;
/** A chain that nobody here has an endpoint for. */
const UNKNOWN_CHAIN = 99_999;
const UNKNOWN_SHARD = 9;
const TERMS = { votingDelaySeconds: 2, votingSeconds: 8, delaySeconds: 5 };

/** Chains that join a running network of two shards by governance, stand still, and come back; relayer and signer are killed. */
export function joiningShards(worldOf: () => ShardWorld): void {
  describe('chains that join them by what stake decides', function () {
    this.timeout(TIMEOUT_MS);
    let world: ShardWorld;
    let folder: string;
    let relayer: DaProcess;
    let signer: KillableSigner | undefined;
    const joined: NewShard[] = [];
    const cleanUp: (() => Promise<unknown>)[] = [];

    before(async function () {
      if (this.test?.parent?.isPending()) this.skip();
      world = worldOf();
      folder = await mkdtemp(join(tmpdir(), 'cairn-joining-'));
      cleanUp.push(() => rm(folder, { recursive: true, force: true }));
      for (let at = 0; at < JOINING; at += 1) {
        const shardId = 2 + at;
        const stateFile = join(folder, `${shardId}.json`);
        const shard = await foundShard(world.network, { shardId, blocks: PAST_BLOCKS, stateFile });
        cleanUp.push(() => shard.anvil.stop());
        joined.push(shard);
        // Endpoints stand in configurations before the chains join.
        const client = createChainClient({ rpcUrl: shard.anvil.url, attempts: 1 });
        world.clients.set(shard.shard.chainId, client);
      }
      relayer = await relayerOf(world, folder, joined);
      await relayer.start();
      cleanUp.push(() => relayer.kill('SIGKILL'));
    });
    after(async () => {
      for (const clean of cleanUp.toReversed()) await clean();
    });

    const anvilOf = (shardId: number) =>
      joined.find(({ shard }) => shard.shardId === shardId)?.anvil ?? world.network.anvil;
    const shardIds = () => [0, 1, ...joined.map(({ shard }) => shard.shardId)];
    const headOf = async (shardId: number): Promise<number> =>
      (await readHead(world.network.ordering, shardId, options())).number;
    const goingOn = (halted?: number) => joined.filter(({ shard }) => shard.shardId !== halted);
    /** Looks again until something holds; all chains but the halted one go on, and the hub has an epoch in office. */
    const until = async (
      what: string,
      holds: () => Promise<boolean>,
      halted?: number,
    ): Promise<void> => {
      const { signal } = options();
      while (!(await holds())) {
        if (signal.aborted) throw new Error(`${what} did not happen; the relayer: ${relayer.said}`);
        const { phase } = await readPhase(world.chain.hub, { signal });
        if (phase === 'seal') await world.carryOver();
        await world.mineHub(1);
        await world.network.keepTime();
        for (const { anvil } of goingOn(halted)) await world.network.keepTime(anvil);
        for (const { shards } of world.signers) await shards.look({ signal });
        await systemClock().sleep(POLL_MS, signal);
      }
    };
    /** Blocks on all chains but the halted one, until more of each stream is ordered. */
    const ordersBeyond = async (
      numbers: ReadonlyMap<number, number>,
      halted?: number,
    ): Promise<void> => {
      await world.mineHub(12);
      await world.network.mine(10);
      for (const { anvil } of goingOn(halted)) await anvil.rpc('anvil_mine', '0xa', '0x1');
      await until(
        `more than ${JSON.stringify([...numbers])}`,
        async () => {
          for (const [shardId, number] of numbers) {
            if ((await headOf(shardId)) <= number) return false;
          }
          return true;
        },
        halted,
      );
    };
    const headsOf = async (ids: readonly number[]): Promise<Map<number, number>> => {
      const heads = new Map<number, number>();
      for (const id of ids) heads.set(id, await headOf(id));
      return heads;
    };

    it('relays as a process of its own, on both chains', async () => {
      const { network } = world;
      const before = await headOf(1);
      const mirrored = await readMirroredOrder(network.mirror, options());
      await network.mine(20);
      await until('relaying', async () => {
        const { count } = await readMirroredOrder(network.mirror, options());
        return (await headOf(1)) >= before + 2 && count > mirrored.count;
      });
      await assertOneOrderOf(world, [0, 1]);
    });

    it('take part after one proposal, without a restart of anybody, and without their past', async () => {
      const { network } = world;
      const { hub, ordering } = network;
      const { governance, log } = await governHub(hub, TERMS);
      const { client } = hub.anvil;
      const seconds = TERMS.votingDelaySeconds + TERMS.votingSeconds + TERMS.delaySeconds;
      const calls = [];
      for (const { shard, anvil } of joined) {
        const firstCheckpoint = await firstCheckpointAfter(anvil.client, shard, seconds, options());
        const wanted = { ...shard, firstCheckpoint };
        calls.push(addShardCall(client, ordering.domain.address, wanted));
      }
      const [first] = joined;
      assert.ok(first !== undefined);
      const elsewhere = {
        ...first.shard,
        chainId: chainIdOf(UNKNOWN_CHAIN),
        shardId: UNKNOWN_SHARD,
      };
      calls.push(addShardCall(client, ordering.domain.address, elsewhere));
      const [one, two] = hub.signers;
      assert.ok(one !== undefined && two !== undefined && log.directory !== undefined);
      const caller = (sender: TestSigner['sender']) => ({ governance, sender });
      const wish = { calls, description: 'chains join' };
      const id = await propose(caller(one.sender), wish, options());
      await world.mineHub(3);
      for (const { sender } of [one, two]) {
        const proposal = await readProposal(governance, id, options());
        await castVote(caller(sender), proposal, { support: 'for' }, options());
      }
      await world.mineHub(9);
      const paid = caller(hub.payer);
      await queueProposal(paid, await readProposal(governance, id, options()), options());
      await world.mineHub(6);
      await executeProposal(paid, await readProposal(governance, id, options()), options());
      assert.equal((await readProposal(governance, id, options())).state, 'executed');

      const { flow } = first.shard;
      assert.ok(flow !== undefined);
      await first.anvil.submit(flow, [oneSector(seededRng(21))]);
      const epoch = (await governanceEpoch(world)) ?? assert.fail();
      for (const { mirror, payer, anvil } of joined) {
        await network.keepTime(anvil);
        await anchorMirror({ mirror, sender: payer }, await network.handed(epoch), options());
        await anvil.rpc('anvil_mine', '0x1e', '0x1');
      }
      await until('the first checkpoint of each', async () => {
        for (const { shard, mirror } of joined) {
          const { hash } = await readHead(ordering, shard.shardId, options());
          if (isZeroBytes(hash)) return false;
          if ((await readMirroredOrder(mirror, options())).count === 0) return false;
        }
        return true;
      });
      await assertOneOrderOf(world, shardIds());
      for (const { shard } of joined) {
        const own = (await eventsOf(world)).filter(({ shardId }) => shardId === shard.shardId);
        assert.ok(10 * (own[0]?.number ?? 0) > PAST_BLOCKS, 'none of its past is ordered');
      }
      const told = `{"shardId":${UNKNOWN_SHARD},"chainId":${UNKNOWN_CHAIN}} no endpoint is named for the chain of a shard`;
      assert.equal(world.warnings.filter((each) => each === told).length, world.signers.length);
      assert.match(relayer.said, /no endpoint is named for the chain of a shard/);

      const deps = { ordering, shard: first.shard, client: first.anvil.client, backend: BLS };
      const block = await client.blockNumber(options()); // relayers go on meanwhile
      const places = await eventsOf(world, block);
      const proof = await proveFile(deps, 0, { ...options(), places });
      assert.equal(proof.checkpoint.shardId, first.shard.shardId);
      const at = { ...options(), block };
      await ordering.contract.read('requireFile', [fileProofArgument(proof)], at);
    });

    if (isSoak) {
      it('keep files and blobs on each of them, proven to a program that trusts one checkpoint of the hub', async () => {
        const { network } = world;
        const { hub, ordering } = network;
        const epoch = await world.takeOffice();
        await network.keepTime();
        for (const { anvil } of joined) await network.keepTime(anvil);
        const mirrors = [network.mirror, ...joined.map(({ mirror }) => mirror)];
        await until('each mirror’s epoch', async () => {
          for (const mirror of mirrors) {
            const head = await readMirrorHead(mirror, options());
            if ((head?.epoch ?? 0) < epoch) return false;
          }
          return true;
        });
        await world.watch();
        const { shard } = await network.placeOf(1);
        const { anvil, entrance } = network;
        const chains: readonly ContentChain[] = [
          { shardId: 0, anvil: hub.anvil, entrance: hub.entrance, shard: undefined },
          { shardId: 1, anvil, entrance, shard },
          ...joined.map((each) => ({ ...each, shardId: each.shard.shardId })),
        ];
        const contents: PutContent[] = [];
        for (const chain of chains) contents.push(await putOn(world, chain));
        const isOrdered = async (): Promise<boolean> => {
          for (const { chain, block } of contents) {
            if (10 * (await headOf(chain.shardId)) < block) return false;
          }
          return true;
        };
        while (!(await isOrdered())) await ordersBeyond(await headsOf(shardIds()));
        const { count } = await readOrder(ordering, options());
        const isTold = async (): Promise<boolean> => {
          const newest = (await eventsOf(world)).findLast(({ shardId }) => shardId === 0);
          const deps = { ordering, backend: BLS };
          const told = newest && (await certifyCheckpoint(deps, newest, options()));
          return (told?.checkpoint.logCount ?? 0) >= count;
        };
        while (!(await isTold())) await ordersBeyond(await headsOf([0]));
        await proveToProgram(world, contents, folder);
      });

      it('go on with a signer that is a process of its own', async () => {
        const started = await killableSigner(world, folder, joined);
        cleanUp.push(() => started.remove());
        signer = started;
      });
    }

    for (let round = 0; round < ROUNDS; round += 1) {
      const shardId = [2, 1, 3, 2][round] ?? 2;
      const killed = isSoak ? 'relayer and signer are' : 'the relayer is';
      const name = `stand still for 50 blocks, come back, and are reorganised; ${killed} killed (round ${round + 1})`;
      it(name, async () => {
        const { network, signers } = world;
        const id = joined.some(({ shard }) => shard.shardId === shardId) ? shardId : 2;
        await ordersBeyond(await headsOf(shardIds()));
        const halted = anvilOf(id);
        const others = shardIds().filter((each) => each !== id);
        const height = await halted.client.blockNumber(options());
        await halted.halt();
        await relayer.kill('SIGKILL');
        await world.mineHub(50);
        if (isSoak) await world.takeOffice(); // the epoch is carried over where it is not
        await relayer.start();
        await ordersBeyond(await headsOf(others), id);
        // What was final may still be ordered, and no block that never was.
        assert.ok(10 * (await headOf(id)) < height + 10, `${await headOf(id)}, at block ${height}`);

        await halted.revive();
        await halted.rpc('anvil_setBlockTimestampInterval', 1);
        await network.keepTime(halted);
        await network.keepTime(halted);
        await halted.reorg(1); // above finality
        // With one of four seats killed and another away, nothing has two thirds until the killed one is back.
        await signer?.kill();
        const away = signers.at(-1);
        assert.ok(away !== undefined);
        for (const each of shardIds()) away.node.away.add(each);
        const before = await headsOf(shardIds());
        await halted.rpc('anvil_mine', '0x19', '0x1');
        await signer?.start();
        await ordersBeyond(before);
        away.node.away.clear();
        await assertOneOrderOf(world, shardIds());
        const place = joined.find(({ shard }) => shard.shardId === id) ?? assert.fail();
        await assertHeldBy(world, place);
      });
    }

    it('lose blocks that were final to a reorganisation: nothing is signed twice, and the one order goes on', async () => {
      const { network, signers } = world;
      const { shard, anvil } = joined[0] ?? assert.fail();
      const { shardId, flow } = shard;
      assert.ok(flow !== undefined);
      await anvil.submit(flow, [oneSector(seededRng(22))]); // what the other branch lacks
      const at = await anvil.client.blockNumber(options());
      while (10 * (await headOf(shardId)) < at) await ordersBeyond(await headsOf([shardId]));
      const number = Math.ceil(at / 10);
      const event = (await eventsOf(world)).find(
        (each) => each.shardId === shardId && each.number === number,
      );
      const before = (await eventsOf(world)).find(
        (each) => each.shardId === shardId && each.number === number - 1,
      );
      assert.ok(event !== undefined && before !== undefined);
      const hashAt = async () => (await anvil.client.getBlock(at, options()))?.hash;
      const gone = await hashAt();
      do {
        // The relayer lengthens the chain meanwhile.
        const depth = (await anvil.client.blockNumber(options())) - at + 1;
        assert.ok(depth > Number(shard.finality), `only ${depth} blocks go`);
        await anvil.reorg(depth);
      } while ((await hashAt()) === gone);
      const place = { shard, client: anvil.client, orderingHub: network.ordering.domain.address };
      const content = await readShardContent(place, blockOf(shard, number), options());
      const other = { ...content, number, previous: before.hash };
      assert.notDeepEqual(checkpointHash(other), event.hash);
      const { epoch } = await readPhase(world.chain.hub, options());
      await world.mineHub(3); // so that they see what is ordered
      for (const signer of signers) {
        await signer.shards.look(options());
        const code = await refusalBy(signer, { epoch, checkpoints: [other] });
        assert.equal(code, 'CHECKPOINT_SEQUENCE');
      }
      await ordersBeyond(await headsOf(shardIds()));
      await assertOneOrderOf(world, shardIds());
    });

    it('have a relayer that ends in order when it is told to', async () => {
      assert.equal(await relayer.kill('SIGTERM'), 0, relayer.said);
    });
  });
}

/** The epoch in office on the hub. */
async function governanceEpoch({ chain, network }: ShardWorld): Promise<number | undefined> {
  const { signal } = options();
  const epoch = (await chain.hub.sortition.read('currentEpoch', [], { signal })).number(0);
  return (await network.epochs.sealed(epoch, { signal })) === undefined ? undefined : epoch;
}
