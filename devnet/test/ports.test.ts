import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { isFault, seededRng } from '@cairn/primitives';
import { isPortFree, type PortPlan, planPorts } from '../src/ports.ts';
import {
  MAX_CONSENSUS_SHARDS,
  MAX_KV_NODES,
  MAX_SIGNERS,
  MAX_STORAGE_NODES,
  parseTopology,
  topologyOf,
} from '../src/topology.ts';

const rng = seededRng(7);
const allFree = async () => true;

function portsIn({ chain, indexer, storage, kv, peers, da, shards }: PortPlan): readonly number[] {
  const blobs =
    da === undefined ? [] : [da.disperser, da.grpc, da.nitro, da.page, da.keeper, ...da.signers];
  const more =
    shards?.chains.flatMap((each) => [each.chain, ...each.storage, each.disperser]) ?? [];
  const relayer = shards === undefined ? [] : [shards.relayer];
  const meeting = peers === undefined ? [] : [peers];
  const own = more.filter((port) => !storage.includes(port)); // the rest is of processes that keep several chains
  return [chain, indexer, ...storage, ...kv, ...meeting, ...blobs, ...relayer, ...own];
}

describe('ports', () => {
  it('are the well-known ones unless told', async () => {
    assert.deepEqual(await planPorts(topologyOf(), { kind: 'default' }, { rng, isFree: allFree }), {
      chain: 8545,
      indexer: 12_345,
      storage: [5678, 5679, 5680],
      kv: [6789],
      peers: 5600,
      da: {
        disperser: 3100,
        grpc: 51_001,
        nitro: 9880,
        page: 3280,
        keeper: 3290,
        signers: [3201, 3202, 3203, 3204],
      },
    });
  });

  it('are none for blobs where there are no signers', async () => {
    const plan = await planPorts(topologyOf('0/1', 0), { kind: 'any' }, { rng, isFree: allFree });
    assert.equal(plan.da, undefined);
    assert.equal(plan.peers, undefined); // a lone storage node has nobody to meet
  });

  it('of bases 100 apart never meet, with as many nodes as there may be', async () => {
    const chains = MAX_CONSENSUS_SHARDS;
    const nodes = MAX_STORAGE_NODES - (chains - 1);
    const shards = Array.from({ length: nodes }, () => '0/1').join(',');
    const topology = topologyOf(shards, MAX_SIGNERS, false, MAX_KV_NODES, chains);
    const plans = await Promise.all(
      [20_000, 20_100].map((base) =>
        planPorts(topology, { kind: 'base', base }, { rng, isFree: allFree }),
      ),
    );
    const ports = plans.flatMap(portsIn);
    assert.equal(new Set(ports).size, ports.length);
  });

  it('of chains beside the hub are those of the processes that keep them', async () => {
    const topology = topologyOf('0/2,1/2', 1, false, 0, 3);
    const plan = await planPorts(topology, { kind: 'default' }, { rng, isFree: allFree });
    assert.deepEqual(plan.shards, {
      relayer: 3291,
      chains: [
        { chain: 8546, storage: [5678], disperser: 3101 },
        { chain: 8547, storage: [5678], disperser: 3102 },
      ],
    });
    const more = parseTopology(
      '{"storage": [{"shard": "0/1"}], "consensusShards": [{"storage": [{"shard": "0/2"}, {"shard": "1/2"}]}]}',
    );
    const { shards } = await planPorts(more, { kind: 'default' }, { rng, isFree: allFree });
    assert.deepEqual(shards?.chains[0]?.storage, [5678, 5679], 'beyond the hub’s, of its own');
  });

  it('are free and different where any will do', async () => {
    const plan = await planPorts(topologyOf(), { kind: 'any' }, { rng });
    const ports = portsIn(plan);
    assert.equal(new Set(ports).size, 16);
    assert.deepEqual(
      await Promise.all(ports.map(isPortFree)),
      ports.map(() => true),
    );
  });

  it('leave alone what the topology fixes', async () => {
    const topology = parseTopology('{"storage": [{"shard": "0/1", "port": 15001}]}');
    const plan = await planPorts(topology, { kind: 'any' }, { rng, isFree: allFree });
    assert.deepEqual(plan.storage, [15_001]);
    assert.notEqual(plan.chain, 15_001);
  });

  it('are those that the topology fixes for blobs', async () => {
    const topology = parseTopology(
      '{"da": {"signers": [{"port": 15002}, {}], "disperser": {"port": 15003}}}',
    );
    const plan = await planPorts(topology, { kind: 'default' }, { rng, isFree: allFree });
    const signers = [15_002, 3202];
    assert.deepEqual(plan.da, {
      disperser: 15_003,
      grpc: 51_001,
      nitro: 9880,
      page: 3280,
      keeper: 3290,
      signers,
    });
  });

  it('that are in use are told by number and service', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      assert.ok(typeof address === 'object' && address !== null);
      await assert.rejects(
        planPorts(topologyOf(), { kind: 'base', base: address.port }, { rng }),
        (error) => isFault(error, 'PORT_IN_USE') && error.message.includes(`${address.port}`),
      );
    } finally {
      server.close();
    }
  });

  it('given twice are refused', async () => {
    const topology = parseTopology(
      '{"storage": [{"shard": "0/1", "port": 15001}, {"shard": "0/1", "port": 15001}]}',
    );
    await assert.rejects(planPorts(topology, { kind: 'any' }, { rng, isFree: allFree }), (error) =>
      isFault(error, 'PORT_IN_USE'),
    );
  });

  it('past the last one are refused', async () => {
    await assert.rejects(
      planPorts(topologyOf(), { kind: 'base', base: 65_530 }, { rng, isFree: allFree }),
      (error) => isFault(error, 'PORT_OUT_OF_RANGE'),
    );
  });

  it('do not search for ever', async () => {
    await assert.rejects(
      planPorts(topologyOf(), { kind: 'any' }, { rng, isFree: async () => false }),
      (error) => isFault(error, 'NO_FREE_PORT'),
    );
  });
});
