import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isFault } from '@cairn/primitives';
import { exampleConfig, loadStorageNodeConfig } from '../src/config.ts';
import { VERSION } from '../src/version.ts';

const FLOW = `0x${'F1'.repeat(20)}`;
const file = (name: string): Promise<string> =>
  readFile(fileURLToPath(new URL(`../${name}`, import.meta.url)), 'utf8');

describe('the configuration', () => {
  const load = (
    overrides: Record<string, unknown>,
    env: Record<string, string> = {},
  ): ReturnType<typeof loadStorageNodeConfig> => loadStorageNodeConfig({ overrides, env });
  const least = { node: { data_dir: '/d' }, chain: { rpc: 'http://c', flow: FLOW } };
  const refused = async (overrides: Record<string, unknown>, code: string): Promise<void> => {
    await rejects(load(overrides), (error) => isFault(error, code));
  };

  it('needs a data directory, a chain and a log contract, and has defaults for the rest', async () => {
    const config = await load(least);
    equal(config.node.dataDirectory, '/d');
    equal(config.chain.flow, FLOW.toLowerCase());
    equal(config.chain.chainId, undefined);
    deepEqual(config.storage.shard, { id: 0, count: 1 });
    deepEqual(config.http, { host: '127.0.0.1', port: 5678 });
    equal(config.admin.socketPath, '/d/admin.sock');
    equal(Object.isFrozen(config.http), true);
  });

  it('keeps duties where their contract and a key file of their own are named', async () => {
    equal((await load(least)).duty, undefined);
    const contract = `0x${'d0'.repeat(20)}`;
    const duty = { contract, account: '/k', max_fee_gwei: 3 };
    const found = (await load({ ...least, duty })).duty;
    deepEqual(found, {
      contract,
      accountFile: '/k',
      accountPasswordFile: undefined,
      pollMs: 2000,
      maxFeePerGasWei: 3_000_000_000n,
    });
    await refused({ ...least, duty: { contract } }, 'NODE_CONFIG');
    await refused({ ...least, duty: { account: '/k' } }, 'NODE_CONFIG');
    await refused({ ...least, duty: { contract: '0x12', account: '/k' } }, 'NODE_CONFIG');
    const mining = { contract, account: '/k' };
    await rejects(load({ ...least, mining, duty }), /take each other’s nonces/);
  });

  it('takes the environment over the file and flags over both', async () => {
    const env = { CAIRN_HTTP__PORT: '7000', CAIRN_STORAGE__SHARD: '1/2' };
    const config = await load({ ...least, http: { port: 7001 } }, env);
    equal(config.http.port, 7001);
    deepEqual(config.storage.shard, { id: 1, count: 2 });
  });

  it('refuses what cannot work', async () => {
    await refused({}, 'CONFIG_INVALID');
    await refused({ ...least, http: { prot: 1 } }, 'CONFIG_INVALID');
    await refused({ node: { data_dir: '/d' }, chain: { rpc: 'http://c' } }, 'NODE_CONFIG');
    await refused({ node: { data_dir: '/d' }, chain: { flow: FLOW } }, 'NODE_CONFIG');
    await refused({ ...least, chain: { rpc: 'http://c', flow: '0x12' } }, 'NODE_CONFIG');
    await refused({ ...least, storage: { shard: '2/2' } }, 'SHARD_INVALID');
    await refused({ ...least, storage: { shard: '0/3' } }, 'SHARD_INVALID');
  });

  it('tells everything that is wrong with the chain at once', async () => {
    await rejects(
      load({ node: { data_dir: '/d' }, chain: { rpc: 'http://', flow: '0x12' } }),
      /chain\.rpc must be a URL; chain\.flow must be an address/,
    );
  });

  it('lets an indexer run without a chain', async () => {
    const config = await load({ node: { data_dir: '/d', roles: ['indexer'] } });
    deepEqual(config.node.roles, ['indexer']);
  });

  it('has an example file that is what the schema gives, and that loads', async () => {
    const text = await file('cairn.example.toml');
    equal(text, exampleConfig());
    match(text, /# shard = "0\/1"/);
    const directory = await mkdtemp(join(tmpdir(), 'cairn-sn-'));
    try {
      const path = join(directory, 'example.toml');
      const filled = text
        .replace('data_dir = ""', 'data_dir = "/d"')
        .replace('# rpc = ""', 'rpc = "http://c"')
        .replace('# flow = ""', `flow = "${FLOW}"`);
      await writeFile(path, filled);
      deepEqual(await loadStorageNodeConfig({ file: path }), await load(least));
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('belongs to the version in package.json', async () => {
    equal(JSON.parse(await file('package.json')).version, VERSION);
  });
});
