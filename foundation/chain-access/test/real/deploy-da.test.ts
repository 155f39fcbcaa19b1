import assert from 'node:assert/strict';
import {
  type Address,
  DEVNET_CONSENSUS,
  keccak256,
  leastUnbondSeconds,
  MAINNET_CONSENSUS,
  memoryKeyValueStore,
  parseAddress,
  TESTNET_CONSENSUS,
  utf8Bytes,
} from '@cairn/primitives';
import { openEntrance } from '../../src/da/open-entrance.ts';
import { directoryName } from '../../src/deploy/da-params.ts';
import {
  DA_CONTRACTS,
  type DaDeployment,
  deployDa,
  readDaDirectory,
  verifyDaDeployment,
} from '../../src/deploy/deploy-da.ts';
import { DEVNET_POSSESSION, deployPossession } from '../../src/deploy/deploy-possession.ts';
import { signerFromKey } from '../../src/keys/signer.ts';
import { ANVIL_KEYS, Anvil, FIRST_ACCOUNT, hasAnvil, testSignal } from '../anvil.ts';

const ADMINS = [
  'function admin() view returns (address)',
  'function pendingAdmin() view returns (address)',
];

describe('deploying stake, epochs and blobs', () => {
  let anvil: Anvil;
  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start('--gas-limit', '60000000');
  });
  after(async () => anvil?.stop());

  const signer = signerFromKey(ANVIL_KEYS[1]);
  const options = () => ({ signal: testSignal() });
  const params = (consensus = DEVNET_CONSENSUS) => ({
    consensus,
    genesisSalt: keccak256(utf8Bytes('salt')),
  });
  /** Made by the tests so far. */
  const devnets: DaDeployment[] = [];
  const nonce = () => anvil.client.getTransactionCount(signer.address, 'latest', options());

  it('makes contracts that belong to each other, and names them in the Directory', async () => {
    const { directory } = (await anvil.deploy()).contracts;
    const { client } = anvil;
    const made = await deployDa(
      { client, signer, pollMs: 5, params: params(), directory },
      options(),
    );
    assert.deepEqual(await readDaDirectory(client, directory, options()), made.contracts);
    devnets.push(made);
    const place = { client, entrance: made.contracts.daEntrance, finality: 0 };
    const { settings, network } = await openEntrance(place, options());
    assert.deepEqual(settings, {
      shardId: 0,
      cosets: 3,
      minLog2K: 6,
      maxRetentionEpochs: 60,
      epochSeconds: 60,
      marginSeconds: 2,
      graceSeconds: 60,
      maxMembers: 32,
    });
    assert.deepEqual(network, { hubChainId: 31_337, hub: made.contracts.sortition });
  });

  it('adds duties of possession, which answer with stake', async () => {
    const log = (await anvil.deploy()).contracts;
    const { client } = anvil;
    const place = { client, signer, pollMs: 5, directory: log.directory };
    const { contracts } = await deployDa({ ...place, params: params() }, options());
    const parts = { stakeHub: contracts.stakeHub, entropy: contracts.entropy, flow: log.flow };
    const journal = memoryKeyValueStore();
    const request = { ...place, ...parts, journal, params: DEVNET_POSSESSION };
    const possession = await deployPossession(request, options());
    const read = async (at: Address, fragment: string, ...args: readonly unknown[]) =>
      String((await client.call(at, fragment, args, options()))[0]).toLowerCase();
    const get = 'function get(bytes32) view returns (address)';
    assert.equal(await read(log.directory, get, directoryName('possession')), possession);
    assert.equal(await read(possession, 'function hub() view returns (address)'), parts.stakeHub);
    assert.equal(await read(possession, 'function flow() view returns (address)'), parts.flow);
    assert.equal(await read(possession, 'function periodBlocks() view returns (uint32)'), '60');
    const before = await nonce();
    assert.equal(await deployPossession(request, options()), possession);
    assert.equal(await nonce(), before);
  });

  it('takes the numbers of every named network, and offers the stake hub to another admin', async () => {
    const admin = FIRST_ACCOUNT;
    for (const consensus of [TESTNET_CONSENSUS, MAINNET_CONSENSUS]) {
      assert.ok(consensus.unbondSeconds >= leastUnbondSeconds(consensus, 0));
      const { client } = anvil;
      const { contracts } = await deployDa(
        { client, signer, pollMs: 5, params: params(consensus), admin },
        options(),
      );
      const place = { client, entrance: contracts.daEntrance, finality: 0 };
      const { settings } = await openEntrance(place, options());
      assert.equal(settings.maxMembers, consensus.maxQuorumMembers);
      const read = async (at: Address, fragment = '') =>
        parseAddress(String((await client.call(at, fragment, [], options()))[0]));
      const [current, pending] = ADMINS;
      assert.equal(await read(contracts.sortition, current), admin);
      assert.equal(await read(contracts.daEntrance, current), admin);
      assert.equal(await read(contracts.stakeHub, current), signer.address);
      assert.equal(await read(contracts.stakeHub, pending), admin);
    }
  });

  it('goes on where a journalled deployment ended, without making anything twice', async () => {
    const journal = memoryKeyValueStore();
    const { client } = anvil;
    const request = { client, signer, journal, pollMs: 5, params: params() };
    const early = new AbortController();
    let writes = 0;
    const dying = {
      ...request,
      journal: {
        ...journal,
        write: async (...args: Parameters<typeof journal.write>) => {
          writes += 1;
          if (writes === 9) early.abort(new Error('the process died'));
          return journal.write(...args);
        },
      },
    };
    await assert.rejects(deployDa(dying, { signal: early.signal }));
    const first = await deployDa(request, options());
    const before = await nonce();
    assert.deepEqual(await deployDa(request, options()), first);
    assert.equal(await nonce(), before);
  });

  it('notices contracts of different networks', async () => {
    const { client } = anvil;
    const request = { client, signer, pollMs: 5, params: params() };
    const [one = await deployDa(request, options())] = devnets;
    const two = await deployDa(request, options());
    for (const name of DA_CONTRACTS) {
      const contracts = { ...one.contracts, [name]: two.contracts[name] };
      await assert.rejects(verifyDaDeployment(client, { ...one, contracts }, options()), name);
    }
  });
});
