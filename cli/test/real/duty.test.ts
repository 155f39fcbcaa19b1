import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signerFromKey } from '@cairn/chain-access';
import { DEVNET_POSSESSION, deployDa, deployPossession } from '@cairn/chain-access/deploy';
import { openPossession, type Possession, seedBlockOf } from '@cairn/chain-access/possession';
import { createClient } from '@cairn/client-sdk';
import { DEVNET_CONSENSUS, keccak256, utf8Bytes } from '@cairn/primitives';
import { ANVIL_KEYS, hasAnvil, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { patternBytes } from '../../../storage-node/test/harness.ts';
import { MiningNetwork, MiningNode } from '../../../storage-node/test/mining/network.ts';
import { run } from '../../src/main.ts';
import { contextOf, fakeIo } from '../fake-io.ts';

describe('duties from the command line, on a real chain', function () {
  this.timeout(120_000);
  let network: MiningNetwork;
  let node: MiningNode;
  let possession: Possession;
  let root: string;

  before(async function () {
    if (!hasAnvil) this.skip();
    network = await MiningNetwork.start();
    const config = await network.config('keeper');
    node = new MiningNode({ ...config, mining: undefined });
    await node.start();
    const { client, url: rpc } = network.anvil;
    const { chainId, contracts } = network.deployment;
    const place = { client, signer: signerFromKey(ANVIL_KEYS[1]), pollMs: 5 };
    const genesisSalt = keccak256(utf8Bytes('duties'));
    const params = { consensus: DEVNET_CONSENSUS, genesisSalt, genesisDelayBlocks: 60 };
    const signal = testSignal();
    const { stakeHub, entropy } = (await deployDa({ ...place, params }, { signal })).contracts;
    const duties = { ...place, stakeHub, entropy, flow: contracts.flow, params: DEVNET_POSSESSION };
    const address = await deployPossession(duties, { signal });
    possession = await openPossession(client, address, { signal });
    const files = createClient({
      nodes: [node.node.address.url],
      rpc,
      flow: contracts.flow,
      signer: ANVIL_KEYS[0],
    });
    ({ root } = await files.files.put(patternBytes(300_000, 5), { signal }));
    await files.close();
    const endpoints = {
      version: 1,
      chains: [{ name: 'hub', rpc, chainId, contracts: { ...contracts, possession: address } }],
      storage: [{ rpc: node.node.address.url, shard: { id: 0, count: 1 }, chain: 'hub' }],
      kv: [],
      keys: ['payer.hex'],
    };
    await writeFile(join(network.directory, 'payer.hex'), ANVIL_KEYS[0], { mode: 0o600 });
    await writeFile(join(network.directory, 'endpoints.json'), JSON.stringify(endpoints));
  });

  after(async () => {
    await node?.stop();
    await network?.stop();
  });

  const cairn = async (...args: readonly string[]) => {
    const io = fakeIo({ cwd: network.directory, env: { XDG_STATE_HOME: network.directory } });
    const endpoints = ['--endpoints', join(network.directory, 'endpoints.json')];
    const exit = await run([...args, ...endpoints], contextOf(io));
    return { exit, out: io.out(), err: io.err() };
  };

  it('are taken on, paid for and answered with what a node keeps', async () => {
    const coins = `${10n ** 18n}`;
    const wish = ['--price', '1000', '--deposit', coins, '--bond', coins];
    const opened = await cairn('duty', 'open', root, ...wish);
    assert.equal(opened.exit, 0, opened.err);
    const id = opened.out.trim();
    assert.equal((await cairn('duty', 'open', root, ...wish)).out.trim(), id, 'it is made once');

    const quoted = await cairn('duty', 'fund', id, '--periods', '2', '--json');
    assert.deepEqual(JSON.parse(quoted.out).costWei, '2000');
    const paid = await cairn('duty', 'fund', id, '--periods', '2', '--yes', '--json');
    assert.equal(paid.exit, 0, paid.err);
    const { from, until } = JSON.parse(paid.out);
    assert.equal(until, from + 2);

    const keep = ['duty', 'run', id, '--node', node.node.address.url, '--once'];
    assert.equal((await cairn(...keep)).out, 'nothing due\n');
    for (const period of [from, from + 1]) {
      const head = await network.anvil.client.blockNumber({ signal: testSignal() });
      await network.anvil.mine(seedBlockOf(possession.terms, period) - head);
      const answered = await cairn(...keep);
      assert.equal(answered.out, 'answered\n', answered.err);
    }
    assert.equal((await cairn(...keep)).out, 'settled\n');
  });

  it('are refused where there is none', async () => {
    assert.equal((await cairn('duty', 'fund', '77')).exit, 3);
    assert.equal((await cairn('duty', 'fund', 'mine')).exit, 2);
  });
});
