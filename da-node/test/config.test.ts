import { deepEqual, equal, match, rejects, throws } from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isFault } from '@cairn/primitives';
import { exampleConfig, loadDaNodeConfig } from '../src/config.ts';
import { registeredSocket } from '../src/open-p2p.ts';
import { VERSION } from '../src/version.ts';

const ENTRANCE = `0x${'E1'.repeat(20)}`;
const file = (name: string): Promise<string> =>
  readFile(fileURLToPath(new URL(`../${name}`, import.meta.url)), 'utf8');

describe('the configuration of a data-availability node', () => {
  const load = (
    overrides: Record<string, unknown>,
    env: Record<string, string> = {},
  ): ReturnType<typeof loadDaNodeConfig> => loadDaNodeConfig({ overrides, env });
  const least = {
    node: { roles: ['disperser'], data_dir: '/d' },
    chain: { rpc: 'http://c', entrance: ENTRANCE },
    keys: { account: '/k' },
  };
  const refused = async (overrides: Record<string, unknown>, rule: RegExp): Promise<void> => {
    await rejects(load(overrides), (error) => {
      match(String(error), rule);
      return isFault(error, 'NODE_CONFIG') || isFault(error, 'CONFIG_INVALID');
    });
  };

  it('needs roles, a data directory, a chain, an entrance and an account', async () => {
    const config = await load(least);
    deepEqual(config.node, { roles: ['disperser'], dataDirectory: '/d' });
    equal(config.chain.entrance, ENTRANCE.toLowerCase());
    equal(config.chain.chainId, undefined);
    equal(config.chain.finality, 'tag');
    equal(config.disperser.port, 3100);
    deepEqual(config.disperser.accounts, []);
    equal(config.disperser.path, 'promise');
    equal(config.archive, undefined);
    equal(Object.isFrozen(config.log), true);
    for (const section of ['node', 'chain', 'keys']) {
      await refused({ ...least, [section]: {} }, /must be set/);
    }
  });

  it('takes chain id and finality from a named network, and settings over it', async () => {
    const devnet = await load({ ...least, chain: { ...least.chain, network: 'devnet' } });
    equal(devnet.chain.chainId, 31_337);
    equal(devnet.chain.finality, 2);
    const own = { network: 'devnet', chain_id: 7, finality: '12' };
    const { chain } = await load({ ...least, chain: { ...least.chain, ...own } });
    deepEqual([chain.chainId, chain.finality], [7, 12]);
    const tag = await load({ ...least, chain: { ...least.chain, network: 'mainnet' } });
    equal(tag.chain.finality, 'tag');
  });

  it('takes the environment over the file and flags over both', async () => {
    const env = { CAIRN_DISPERSER__PORT: '7000', CAIRN_SIGNER__JOIN: 'true' };
    const config = await load({ ...least, disperser: { port: 7001 } }, env);
    equal(config.disperser.port, 7001);
    equal(config.signer.join, true);
  });

  it('leaves libp2p off unless told, and takes a multiaddress for a signer only with it', async () => {
    const listen = ['/ip4/127.0.0.1/tcp/3202'];
    deepEqual((await load(least)).p2p, { enabled: false, listen });
    const signer = { url: '/dns4/signer.example/tcp/3202' };
    const config = await load({ ...least, signer, p2p: { enabled: true } });
    equal(config.signer.url, signer.url);
    await refused({ ...least, signer }, /p2p\.enabled must be set/);
    const elsewhere = { url: '/ip4/192.0.2.7/udp/3202/quic-v1' };
    await refused({ ...least, signer: elsewhere, p2p: { enabled: true } }, /signer\.url must be/);
    const named = { enabled: true, listen: [`${listen[0]}/p2p/${'1'.repeat(52)}`] };
    await refused({ ...least, p2p: named }, /p2p\.listen must have/);
  });

  it('registers a multiaddress with the peer id of the host that listens there', () => {
    const host = { peerId: '1'.repeat(52) };
    const whole = `/ip4/192.0.2.7/tcp/3202/p2p/${host.peerId}`;
    equal(registeredSocket('/ip4/192.0.2.7/tcp/3202', host), whole);
    equal(registeredSocket(whole, host), whole);
    equal(registeredSocket('http://signer.example', host), 'http://signer.example');
    for (const url of [whole.replace('/p2p/1', '/p2p/2'), `/dns4/${'a'.repeat(80)}/tcp/1`]) {
      throws(
        () => registeredSocket(url, host),
        (error) => isFault(error, 'NODE_CONFIG'),
      );
    }
  });

  it('reads amounts in gwei and accounts with their budgets', async () => {
    const accounts = [`rollup-1:${'ab'.repeat(32)}:1000`];
    const config = await load({
      ...least,
      signer: { bond_gwei: 2, url: 'https://s.example/da/' },
      disperser: { deposit_gwei: 3, accounts },
    });
    equal(config.signer.bondWei, 2_000_000_000n);
    equal(config.signer.url, 'https://s.example/da');
    equal(config.disperser.depositWei, 3_000_000_000n);
    const [account] = config.disperser.accounts;
    deepEqual([account?.name, account?.budgetBytes], ['rollup-1', 1000]);
    equal(account?.keyHash[31], 0xab);
  });

  it('reads where blobs are archived, on the chain of the entrance unless told', async () => {
    const archive = { indexer: 'http://i', flow: ENTRANCE, all: true };
    const config = await load({ ...least, archive, disperser: { path: 'chain' } });
    deepEqual(config.archive, {
      indexer: 'http://i',
      nodes: [],
      flow: ENTRANCE.toLowerCase(),
      rpcUrl: config.chain.rpcUrl,
      replicas: 1,
    });
    deepEqual([config.disperser.path, config.disperser.archivesAll], ['chain', true]);
    await refused({ ...least, archive: { all: true } }, /archive\.indexer must be set/);
    await refused({ ...least, disperser: { path: 'free' } }, /disperser\.path/);
  });

  it('reads the endpoints of shards by their chains, each once', async () => {
    const rpcs = ['31338=http://a/key=1', '7=https://b'];
    const config = await load({ ...least, shards: { rpcs } });
    deepEqual(
      [...config.shards.rpcs],
      [
        [31_338, 'http://a/key=1'],
        [7, 'https://b'],
      ],
    );
    const { relayer } = await load({ ...least, relayer: { spread_ms: 0 } });
    deepEqual([relayer.port, relayer.spreadMs, relayer.orderMs], [3291, 0, 60_000]);
    await refused({ ...least, shards: { rpcs: ['7=http://a', '7=http://b'] } }, /each chain once/);
    await refused({ ...least, shards: { rpcs: ['http://a'] } }, /shards\.rpcs/);
  });

  it('refuses what cannot work', async () => {
    const signer = { ...least, node: { roles: ['signer'], data_dir: '/d' } };
    await refused(signer, /keys\.bls must be set for the signer role/);
    const join = { join: true, host: '0.0.0.0' };
    await refused({ ...least, signer: join }, /signer\.url must be set where/);
    const twice = ['a', 'a'].map((name) => `${name}:${'00'.repeat(32)}:1`);
    await refused({ ...least, disperser: { accounts: twice } }, /must have each name once/);
    await refused({ ...least, disperser: { accounts: ['a:b:1'] } }, /disperser\.accounts/);
    await refused({ ...least, chain: { ...least.chain, finality: 'soon' } }, /chain\.finality/);
    await refused({ ...least, node: { roles: ['singer'], data_dir: '/d' } }, /node\.roles/);
    await refused({ ...least, keeper: { prot: 1 } }, /no such setting/);
  });

  it('has an example file that is what the schema gives, and that loads', async () => {
    const text = await file('cairn-da.example.toml');
    equal(text, exampleConfig());
    const directory = await mkdtemp(join(tmpdir(), 'cairn-da-'));
    try {
      const path = join(directory, 'example.toml');
      const filled = text
        .replace('roles = []', 'roles = ["disperser"]')
        .replace('data_dir = ""', 'data_dir = "/d"')
        .replace('rpc = ""', 'rpc = "http://c"')
        .replace('entrance = ""', `entrance = "${ENTRANCE}"`)
        .replace('account = ""', 'account = "/k"');
      await writeFile(path, filled);
      deepEqual(await loadDaNodeConfig({ file: path }), await load(least));
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('knows its version', async () => {
    equal(JSON.parse(await file('package.json')).version, VERSION);
  });
});
