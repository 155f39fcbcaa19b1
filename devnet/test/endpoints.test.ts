import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFault, parseAddress } from '@cairn/primitives';
import { createDevnet } from '../src/devnet.ts';
import { devnetStatus } from '../src/devnet-status.ts';
import { endpointsOf, readDevnetEndpoints, writeEndpoints } from '../src/endpoints.ts';
import { identityOf } from '../src/process-identity.ts';
import { devnetPaths, writeRunRecord } from '../src/run-file.ts';
import { topologyOf } from '../src/topology.ts';

const flow = parseAddress(`0x${'22'.repeat(20)}`);

describe('a devnet directory', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-directory-'));
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('tells programs what runs where', async () => {
    const paths = devnetPaths(directory);
    const endpoints = endpointsOf({
      topology: topologyOf('0/2,1/2', 2),
      ports: {
        chain: 1000,
        indexer: 1001,
        storage: [1010, 1011],
        kv: [1074],
        da: {
          disperser: 1002,
          grpc: 1005,
          nitro: 1006,
          page: 1004,
          keeper: 1003,
          signers: [1080, 1081],
        },
      },
      chainId: 31_337,
      contracts: { flow },
      kvKeys: [flow],
      keyNames: ['dev-0.hex'],
      keysDirectory: paths.keys,
    });
    await writeEndpoints(paths.endpoints, endpoints);
    assert.deepEqual(JSON.parse(JSON.stringify(await readDevnetEndpoints(directory))), {
      version: 1,
      chains: [{ name: 'hub', rpc: 'http://127.0.0.1:1000', chainId: 31_337, contracts: { flow } }],
      indexer: 'http://127.0.0.1:1001',
      storage: [
        { rpc: 'http://127.0.0.1:1010', shard: { id: 0, count: 2 }, chain: 'hub' },
        { rpc: 'http://127.0.0.1:1011', shard: { id: 1, count: 2 }, chain: 'hub' },
      ],
      kv: ['http://127.0.0.1:1074'],
      kvKeys: [flow],
      da: {
        rest: 'http://127.0.0.1:1002',
        nitro: 'http://127.0.0.1:1006',
        grpc: '127.0.0.1:1005',
        signers: ['http://127.0.0.1:1080', 'http://127.0.0.1:1081'],
        page: 'http://127.0.0.1:1004',
        chain: 'hub',
      },
      keys: ['keys/dev-0.hex'],
    });
  });

  it('tells which chain each storage node serves, and under which number its log is ordered', async () => {
    const paths = devnetPaths(directory);
    const mirror = parseAddress(`0x${'33'.repeat(20)}`);
    const shard = { id: 0, count: 1 };
    const endpoints = endpointsOf({
      topology: topologyOf('0/1', 4, false, 0, 2),
      ports: { chain: 1000, indexer: 1001, storage: [1010], kv: [] },
      chainId: 31_337,
      contracts: { flow },
      kvKeys: [],
      keyNames: [],
      keysDirectory: paths.keys,
      shards: {
        hubLogShard: 4,
        chains: [
          {
            name: 'shard-1',
            rpc: 'http://127.0.0.1:1096',
            chainId: 31_338,
            contracts: { flow, epochMirror: mirror },
            logShard: 1,
            rest: 'http://127.0.0.1:3101',
            storage: [{ rpc: 'http://127.0.0.1:1011', shard }],
          },
        ],
      },
    });
    await writeEndpoints(paths.endpoints, endpoints);
    const read = JSON.parse(JSON.stringify(await readDevnetEndpoints(directory)));
    assert.deepEqual(read.chains, [
      {
        ...{ name: 'hub', rpc: 'http://127.0.0.1:1000', chainId: 31_337, contracts: { flow } },
        logShard: 4,
      },
      {
        ...{ name: 'shard-1', rpc: 'http://127.0.0.1:1096', chainId: 31_338, logShard: 1 },
        contracts: { flow, epochMirror: mirror },
      },
    ]);
    assert.deepEqual(read.storage, [
      { rpc: 'http://127.0.0.1:1010', shard, chain: 'hub' },
      { rpc: 'http://127.0.0.1:1011', shard, chain: 'shard-1' },
    ]);
  });

  it('is not taken for several chains that are to be kept', async () => {
    const topology = topologyOf('0/1', 4, false, 0, 2);
    const ports = { kind: 'any' } as const;
    const kept = createDevnet({ directory, topology, ports, isKept: true });
    await assert.rejects(kept, (error) => isFault(error, 'TOPOLOGY_INVALID'));
    assert.deepEqual(await readdir(directory), []);
  });

  it('names no place for blobs where there is none', () => {
    const endpoints = endpointsOf({
      topology: topologyOf('0/1', 0),
      ports: { chain: 1000, indexer: 1001, storage: [1010], kv: [] },
      chainId: 31_337,
      contracts: { flow },
      kvKeys: [],
      keyNames: [],
      keysDirectory: devnetPaths(directory).keys,
    });
    assert.equal('da' in endpoints || 'kvKeys' in endpoints, false);
  });

  it('that nobody runs is stopped, whatever its files say', async () => {
    const paths = devnetPaths(directory);
    assert.equal((await devnetStatus(directory)).state, 'stopped');
    const gone = { pid: process.pid, startedAt: 'long ago' };
    const processes = [{ ...gone, name: 'chain', url: 'http://127.0.0.1:1' }];
    await writeRunRecord(paths.run, { state: 'ready', owner: gone, guardian: gone, processes });
    assert.equal((await devnetStatus(directory)).state, 'stopped');
  });

  it('that somebody runs is not taken', async () => {
    const owner = identityOf(process.pid);
    assert.ok(owner !== undefined);
    const record = { state: 'ready', owner, guardian: owner, processes: [] } as const;
    await writeRunRecord(devnetPaths(directory).run, record);
    await assert.rejects(createDevnet({ directory, ports: { kind: 'any' } }), (error) =>
      isFault(error, 'DEVNET_RUNNING'),
    );
  });

  it('with data that was to be kept is not emptied by a run that keeps nothing', async () => {
    await mkdir(join(directory, 'data'));
    await writeFile(join(directory, 'data', 'KEPT'), '');
    await assert.rejects(createDevnet({ directory, ports: { kind: 'any' } }), (error) =>
      isFault(error, 'DEVNET_KEPT'),
    );
    assert.deepEqual(await readdir(join(directory, 'data')), ['KEPT']);
    assert.deepEqual(await readdir(directory), ['data'], 'no lock or run file is left');
  });
});
