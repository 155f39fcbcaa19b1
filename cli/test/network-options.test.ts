import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chainIdOf, isFault, parseAddress } from '@cairn/primitives';
import { formatEndpoints } from '@cairn/wire-protocol';
import { chooseNetwork } from '../src/network-options.ts';
import { fakeIo } from './fake-io.ts';

const FLOW = parseAddress(`0x${'11'.repeat(20)}`);
const devnet = (port: number) =>
  formatEndpoints({
    version: 1,
    chains: [
      {
        name: 'hub',
        rpc: `http://127.0.0.1:${port}`,
        chainId: chainIdOf(31_337),
        contracts: { flow: FLOW },
      },
    ],
    indexer: `http://127.0.0.1:${port + 1}`,
    storage: [0, 1].map((id) => ({
      rpc: `http://127.0.0.1:${port + 10 + id}`,
      shard: { id, count: 2 },
      chain: 'hub',
    })),
    kv: [],
    kvKeys: [],
    keys: ['keys/dev-0.hex'],
  });

describe('the network of a command', () => {
  let cwd: string;

  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'cairn-network-'));
    for (const [name, port] of [
      ['.cairn/devnet', 8000],
      ['other', 9000],
    ] as const) {
      await mkdir(join(cwd, name), { recursive: true });
      await writeFile(join(cwd, name, 'endpoints.json'), devnet(port));
    }
  });

  after(() => rm(cwd, { recursive: true }));

  it('is the devnet that runs here, unless told', async () => {
    const network = await chooseNetwork({}, fakeIo({ cwd }));
    assert.equal(network.indexer, 'http://127.0.0.1:8001');
    assert.equal(network.rpc, 'http://127.0.0.1:8000');
    assert.equal(network.flow, FLOW);
    assert.deepEqual(network.keyFiles, [join(cwd, '.cairn/devnet/keys/dev-0.hex')]);
    assert.equal(network.uploadsDirectory, join(cwd, '.cairn/devnet/uploads'));
  });

  it('is another directory by flag or by CAIRN_DIR, the flag first', async () => {
    const env = { CAIRN_DIR: 'other' };
    assert.equal((await chooseNetwork({}, fakeIo({ cwd, env }))).rpc, 'http://127.0.0.1:9000');
    const io = fakeIo({ cwd, env });
    assert.equal((await chooseNetwork({ dir: '.cairn/devnet' }, io)).rpc, 'http://127.0.0.1:8000');
  });

  it('of an endpoints file keeps its journals in the state directory', async () => {
    const io = fakeIo({ cwd, env: { XDG_STATE_HOME: '/state' } });
    const network = await chooseNetwork({ endpoints: 'other/endpoints.json' }, io);
    assert.equal(network.rpc, 'http://127.0.0.1:9000');
    assert.equal(network.uploadsDirectory, '/state/cairn/uploads');
    assert.deepEqual(network.keyFiles, [join(cwd, 'other/keys/dev-0.hex')]);
  });

  it('is the chain of the address given, where the file has several', async () => {
    const [hub, shard] = [8000, 8096].map((port, index) => ({
      name: index === 0 ? 'hub' : 'shard-1',
      rpc: `http://127.0.0.1:${port}`,
      chainId: chainIdOf(31_337 + index),
      contracts: { flow: parseAddress(`0x${`${index + 1}`.repeat(40)}`) },
    }));
    assert.ok(hub !== undefined && shard !== undefined);
    const all = { id: 0, count: 1 };
    const [onHub, onShard] = ['http://127.0.0.1:8010', 'http://127.0.0.1:8011'];
    const storage = [
      { rpc: onHub, shard: all, chain: 'hub' },
      { rpc: onShard, shard: all, chain: 'shard-1' },
    ];
    const indexer = 'http://127.0.0.1:8001';
    const file = { version: 1, chains: [hub, shard], indexer, storage, kv: [], keys: [] } as const;
    await writeFile(join(cwd, 'several.json'), formatEndpoints(file));
    const choose = (options: object) =>
      chooseNetwork({ endpoints: 'several.json', ...options }, fakeIo({ cwd }));
    const first = await choose({});
    assert.equal(first.chainId, 31_337);
    assert.equal(first.indexer, indexer);
    assert.deepEqual(first.listedNodes, [onHub]);
    for (const named of [{ node: [`${onShard}/`] }, { rpc: shard.rpc }]) {
      const network = await choose(named);
      assert.equal(network.rpc, shard.rpc);
      assert.equal(network.flow, shard.contracts.flow);
      assert.equal(network.chainId, 31_338);
      assert.equal(network.indexer, undefined, 'it knows the nodes of the first chain');
      assert.deepEqual(network.listedNodes, [onShard]);
    }
    assert.deepEqual((await choose({ rpc: shard.rpc })).nodes, [onShard]);
  });

  it('asks only the nodes named, and uses the chain of the devnet they belong to', async () => {
    const node = ['http://127.0.0.1:8011'];
    const network = await chooseNetwork({ node }, fakeIo({ cwd }));
    assert.deepEqual(network.nodes, node);
    assert.equal(network.indexer, undefined);
    assert.equal(network.rpc, 'http://127.0.0.1:8000');
  });

  it('never mixes strangers with the devnet that happens to run here', async () => {
    const network = await chooseNetwork({ node: ['http://192.0.2.1:5678'] }, fakeIo({ cwd }));
    assert.equal(network.rpc, undefined);
    assert.deepEqual(network.keyFiles, []);
  });

  it('takes addresses alone where no devnet runs', async () => {
    const io = fakeIo({ cwd: tmpdir() });
    const network = await chooseNetwork({ indexer: 'http://192.0.2.1:1' }, io);
    assert.equal(network.indexer, 'http://192.0.2.1:1');
  });

  it('is refused where there is none, or only a broken one', async () => {
    const nowhere = fakeIo({ cwd: join(cwd, 'nowhere') });
    await assert.rejects(chooseNetwork({}, nowhere), (error) => isFault(error, 'CLI_NO_NETWORK'));
    await assert.rejects(
      chooseNetwork({ dir: 'missing', node: ['http://127.0.0.1:1'] }, fakeIo({ cwd })),
      (error) => isFault(error, 'CLI_NO_NETWORK'),
    );
    await writeFile(join(cwd, 'broken.json'), '{"version": 2}');
    await assert.rejects(chooseNetwork({ endpoints: 'broken.json' }, fakeIo({ cwd })), (error) =>
      isFault(error, 'CLI_ENDPOINTS_INVALID'),
    );
  });
});
