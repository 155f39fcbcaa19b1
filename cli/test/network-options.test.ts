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
