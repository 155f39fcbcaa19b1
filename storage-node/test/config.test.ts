import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
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

  it('keeps more chains, each named, and none where nothing says so', async () => {
    deepEqual((await load(least)).shards, []);
    const chain = { ...least.chain, chain_id: 1 };
    const one = { rpc: 'http://b', chain_id: 2, flow: FLOW };
    const two = { ...one, chain_id: 3, name: 'third', shard: '1/2', confirmations: 9 };
    const { shards } = await load({ ...least, chain, shards: [one, two] });
    deepEqual(shards[0], {
      name: 'chain-2',
      rpcUrl: 'http://b',
      chainId: 2,
      flow: FLOW.toLowerCase(),
      shard: { id: 0, count: 1 },
      startBlock: 0,
      confirmations: 1,
      pollMs: 500,
      pageBlocks: 999,
    });
    deepEqual(
      [shards[1]?.name, shards[1]?.shard, shards[1]?.confirmations],
      ['third', { id: 1, count: 2 }, 9],
    );
  });

  it('refuses chains that cannot be kept beside each other, by name, all together', async () => {
    const shard = { rpc: 'http://b', chain_id: 2, flow: FLOW };
    const chain = { ...least.chain, chain_id: 1 };
    const telling = (shards: readonly unknown[], base: object = { ...least, chain }) =>
      load({ ...base, shards }).then(
        () => 'nothing',
        (error: Error) => error.message,
      );
    match(await telling([shard], least), /chain\.chain_id must be set where shards are kept/);
    match(
      await telling([{ ...shard, chain_id: 1 }]),
      /shards\[0\]\.chain_id is 1, which chain has already/,
    );
    match(
      await telling([shard, { ...shard, name: 'x' }]),
      /shards\[1\]\.chain_id is 2, which shards\[0\] has already/,
    );
    match(
      await telling([
        { ...shard, name: 'x' },
        { ...shard, chain_id: 3, name: 'x' },
      ]),
      /shards\[1\]\.name is "x", which shards\[0\] has already/,
    );
    const wrong = await telling([{ ...shard, rpc: 'http://', flow: '0x1', shard: '2/2' }]);
    for (const field of ['rpc must be a URL', 'flow must be an address', 'shard cannot be "2/2"']) {
      ok(wrong.includes(`shards[0].${field}`), wrong);
    }
    match(await telling([{ ...shard, chain_id: 0 }]), /shards\.0\.chain_id: must be >= 1/);
    match(await telling([{ ...shard, rcp: '' }]), /shards\.0\.rcp/);
    match(await telling([{ chain_id: 2, flow: FLOW }]), /shards\.0\.rpc/);
    const node = { data_dir: '/d', roles: ['indexer'] };
    match(await telling([shard], { ...least, chain, node }), /shards need the storage role/);
    const many = Array.from({ length: 16 }, (_, index) => ({ ...shard, chain_id: 2 + index }));
    match(await telling(many), /must NOT have more than 15 items/);
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
