import assert from 'node:assert/strict';
import { isFault } from '@cairn/primitives';
import {
  MAX_CONSENSUS_SHARDS,
  MAX_SIGNERS,
  MAX_STORAGE_NODES,
  parseTopology,
  type Topology,
  topologyOf,
} from '../src/topology.ts';

const isInvalid = (field: string) => (error: unknown) =>
  isFault(error, 'TOPOLOGY_INVALID') && error.message.includes(field);

describe('topology', () => {
  it('gives every segment two holders unless told otherwise', () => {
    const { storage } = topologyOf();
    assert.deepEqual(
      storage.map(({ name, shard }) => [name, shard.id, shard.count]),
      [
        ['storage-0', 0, 1],
        ['storage-1', 0, 2],
        ['storage-2', 1, 2],
      ],
    );
  });

  it('takes shards as shorthand', () => {
    assert.deepEqual(
      topologyOf(' 3/4, 0/1 ').storage.map(({ shard }) => shard),
      [
        { id: 3, count: 4 },
        { id: 0, count: 1 },
      ],
    );
  });

  it('lets all storage nodes mine, or those that the file says', () => {
    const mines = ({ storage }: Topology): boolean[] => storage.map((node) => node.mines);
    assert.deepEqual(mines(topologyOf('0/2,1/2', 0)), [false, false]);
    assert.deepEqual(mines(topologyOf('0/2,1/2', 0, true)), [true, true]);
    const file = '{"storage": [{"shard": "0/1"}, {"shard": "0/1", "mine": true}]}';
    assert.deepEqual(mines(parseTopology(file)), [false, true]);
  });

  it('refuses shards that are none', () => {
    for (const text of ['2/2', '0/3', 'x', '', '0/2,,1/2']) {
      assert.throws(() => topologyOf(text), isInvalid('storage['), text);
    }
  });

  it('bounds the number of nodes', () => {
    const many = Array.from({ length: MAX_STORAGE_NODES + 1 }, () => '0/1').join(',');
    assert.throws(() => topologyOf(many), isInvalid('storage'));
  });

  it('reads a file, and fills in what it leaves out', () => {
    const topology = parseTopology(
      '{"chain": {"port": 9000, "blockTimeSeconds": 3}, "storage": [{"shard": "1/2", "port": 9100}]}',
    );
    assert.deepEqual(topology, {
      chain: { blockTimeSeconds: 3, port: 9000 },
      storage: [{ name: 'storage-0', shard: { id: 1, count: 2 }, mines: false, port: 9100 }],
      indexer: {},
      kv: [{ name: 'kv-0' }],
    });
    assert.deepEqual(parseTopology('{}'), topologyOf());
  });

  it('names the field that is wrong', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['[]', '(file)'],
      ['{', '(file)'],
      ['{"chains": {}}', 'chains'],
      ['{"chain": {"port": 0}}', 'chain.port'],
      ['{"chain": {"blockTimeSeconds": 0.5}}', 'chain.blockTimeSeconds'],
      ['{"storage": "0/1"}', 'storage'],
      ['{"storage": [{"shard": 1}]}', 'storage[0].shard'],
      ['{"storage": [{"shard": "0/1", "mine": 1}]}', 'storage[0].mine'],
      ['{"storage": [{"shard": "0/1", "size": 1}]}', 'storage[0].size'],
      ['{"indexer": {"port": 70000}}', 'indexer.port'],
    ];
    for (const [text, field] of cases) {
      assert.throws(() => parseTopology(text), isInvalid(field), text);
    }
  });

  it('has four signers and a disperser unless told otherwise', () => {
    for (const { da } of [topologyOf(), parseTopology('{}'), parseTopology('{"da": {}}')]) {
      assert.deepEqual(
        da?.signers.map(({ name }) => name),
        ['signer-0', 'signer-1', 'signer-2', 'signer-3'],
      );
    }
    assert.equal(topologyOf('0/1', 7).da?.signers.length, 7);
  });

  it('has no chain beside the hub unless told, and else one storage node for each', () => {
    assert.equal('consensusShards' in topologyOf(), false);
    assert.equal('consensusShards' in parseTopology('{"consensusShards": []}'), false);
    const shards = topologyOf('0/2,1/2', 4, true, 0, 3).consensusShards;
    assert.deepEqual(shards, parseTopology('{"consensusShards": [{}, {}]}').consensusShards);
    const storageOf = (name: string) => [
      { name, shard: { id: 0, count: 1 }, mines: false, keptBy: 'storage-0' },
    ];
    assert.deepEqual(shards, [
      { name: 'shard-1', shardId: 1, storage: storageOf('shard-1-storage-0') },
      { name: 'shard-2', shardId: 2, storage: storageOf('shard-2-storage-0') },
    ]);
    const file =
      '{"consensusShards": [{"port": 4100, "storage": [{"shard": "1/2", "port": 4101}]}]}';
    const [shard] = parseTopology(file).consensusShards ?? [];
    assert.equal(shard?.port, 4100);
    assert.deepEqual(shard?.storage, [
      { name: 'shard-1-storage-0', shard: { id: 1, count: 2 }, mines: false, port: 4101 },
    ]);
    const more =
      '{"storage": [{"shard": "0/1"}], "consensusShards": [{"storage": [{"shard": "0/2"}, {"shard": "1/2"}]}]}';
    assert.deepEqual(
      parseTopology(more).consensusShards?.[0]?.storage.map(({ keptBy }) => keptBy),
      ['storage-0', undefined],
      'a node beyond those of the hub has a process of its own',
    );
  });

  it('refuses chains beside the hub that could not join it, or are too many', () => {
    const one = '[{"storage": [{"shard": "2/2"}]}]';
    const many = Array.from({ length: MAX_STORAGE_NODES }, () => '0/1').join(',');
    for (const make of [
      () => topologyOf('0/1', 4, false, 0, 0),
      () => topologyOf('0/1', 0, false, 0, 2),
      () => topologyOf('0/1', 4, false, 0, MAX_CONSENSUS_SHARDS + 1),
      () => topologyOf(many, 4, false, 0, 2),
      () => parseTopology('{"consensusShards": 2}'),
      () => parseTopology('{"chain": {"blockTimeSeconds": 2}, "consensusShards": [{}]}'),
    ]) {
      assert.throws(make, isInvalid('consensusShards'));
    }
    const parse = () => parseTopology(`{"consensusShards": ${one}}`);
    assert.throws(parse, isInvalid('consensusShards[0].storage[0].shard'));
    const mining = '{"consensusShards": [{"storage": [{"shard": "0/1", "mine": true}]}]}';
    assert.throws(() => parseTopology(mining), isInvalid('consensusShards[0].storage[0].mine'));
  });

  it('takes no blobs without signers, nor unless told where blocks are slower', () => {
    assert.equal(topologyOf('0/1', 0).da, undefined);
    assert.equal(parseTopology('{"da": {"signers": []}}').da, undefined);
    assert.equal(parseTopology('{"chain": {"blockTimeSeconds": 5}}').da, undefined);
    assert.throws(
      () => parseTopology('{"chain": {"blockTimeSeconds": 5}, "da": {}}'),
      isInvalid('chain.blockTimeSeconds'),
    );
  });

  it('fixes ports of signers and disperser, and refuses what it does not know of them', () => {
    const text = '{"da": {"signers": [{"port": 4001}, {}], "disperser": {"port": 4000}}}';
    assert.deepEqual(parseTopology(text).da, {
      signers: [{ name: 'signer-0', port: 4001 }, { name: 'signer-1' }],
      disperser: { port: 4000 },
    });
    assert.throws(() => parseTopology('{"da": {"signers": 4}}'), isInvalid('da.signers'));
    assert.throws(
      () => parseTopology('{"da": {"signers": [{"seats": 1}]}}'),
      isInvalid('da.signers[0].seats'),
    );
    assert.throws(() => topologyOf('0/1', MAX_SIGNERS + 1), isInvalid('da.signers'));
  });
});
