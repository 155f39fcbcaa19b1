import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signerFromKey } from '@cairn/chain-access';
import { DEVNET_POSSESSION, deployDa, deployPossession } from '@cairn/chain-access/deploy';
import {
  openPossession,
  type Possession,
  reportEndOf,
  seedBlockOf,
  windowEndOf,
} from '@cairn/chain-access/possession';
import { createClient } from '@cairn/client-sdk';
import { DEVNET_CONSENSUS, keccak256, utf8Bytes } from '@cairn/primitives';
import { ANVIL_KEYS, hasAnvil, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { patternBytes } from '../../../storage-node/test/harness.ts';
import { MiningNetwork, MiningNode } from '../../../storage-node/test/mining/network.ts';
import { run } from '../../src/main.ts';
import { contextOf, fakeIo } from '../fake-io.ts';

describe('duties from the command line, on a real chain', () => {
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

  const options = () => ({ signal: testSignal() });
  const mineTo = async (block: number): Promise<void> => {
    const blocks = block - (await network.anvil.client.blockNumber(options()));
    if (blocks > 0) await network.anvil.mine(blocks);
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

  it('are listed, with what is at stake and what waits', async () => {
    const listed = JSON.parse((await cairn('duty', 'list', '--json')).out);
    const [duty] = listed.duties;
    assert.equal(listed.duties.length, 1);
    assert.deepEqual([duty.files, duty.state, duty.priceWei], [1, 'kept', '1000']);
    assert.deepEqual([duty.depositLeftWei, listed.account.paymentsWei], [`${10n ** 18n}`, '2000']);
    const { provider } = duty;
    assert.deepEqual(listed.account.address, provider);
    const none = await cairn('duty', 'list', '--provider', `0x${'ab'.repeat(20)}`, '--json');
    assert.deepEqual(JSON.parse(none.out).duties, []);
    assert.match((await cairn('duty', 'list', '--all')).out, /0 +0x.* kept\n$/);
    assert.equal((await cairn('duty', 'list', '--provider', 'me')).exit, 2);
  });

  it('cost stake where a period was missed and somebody reports it', async () => {
    assert.equal((await cairn('duty', 'report', '0')).out, '0 reported\n');
    const paid = await cairn('duty', 'fund', '0', '--yes', '--json');
    const { from } = JSON.parse(paid.out);
    await mineTo(windowEndOf(possession.terms, from) + 1);
    const reported = await cairn('duty', 'report', '0', '--json');
    assert.deepEqual(JSON.parse(reported.out), { duty: 0, reported: [from], refunded: [] });
    const listed = JSON.parse((await cairn('duty', 'list', '--json')).out);
    assert.equal(listed.duties[0].depositLeftWei, `${(9n * 10n ** 18n) / 10n}`);
    // Paid back what nobody answered for, whoever asks for it, once it is too late to report.
    const again = JSON.parse((await cairn('duty', 'fund', '0', '--yes', '--json')).out);
    await mineTo(reportEndOf(possession.terms, again.from) + 1);
    const late = JSON.parse((await cairn('duty', 'report', '0', '--json')).out);
    assert.deepEqual(late, { duty: 0, reported: [], refunded: [again.from] });
  });

  it('are paid out once, and again when there is more', async () => {
    const waits = async (): Promise<bigint> => {
      const { account } = JSON.parse((await cairn('duty', 'list', '--json')).out);
      return BigInt(account.paymentsWei) + BigInt(account.rewardWei);
    };
    const before = await waits();
    assert.ok(before > 0n);
    const paid = JSON.parse((await cairn('duty', 'withdraw', '--json')).out);
    assert.equal(BigInt(paid.paymentsWei) + BigInt(paid.rewardWei), before);
    assert.equal(await waits(), 0n);
    const nothing = await cairn('duty', 'withdraw');
    assert.equal(nothing.exit, 0);
    assert.match(nothing.err, /nothing waits for 0x/);
  });

  it('end when their provider says so, and give the deposit back', async () => {
    const funded = JSON.parse(
      (await cairn('duty', 'fund', '0', '--periods', '20', '--yes', '--json')).out,
    );
    const early = await cairn('duty', 'release', '0');
    assert.equal(early.exit, 1);
    assert.match(early.err, /duty 0 has not ended/);
    const asked = await cairn('duty', 'close', '0');
    assert.match(asked.out, /^can be closed from \d{4}-/, asked.err);
    assert.equal((await cairn('duty', 'close', '0')).out, asked.out, 'it is asked once');
    const { closableFrom } = JSON.parse((await cairn('duty', 'close', '0', '--json')).out);
    await network.anvil.client.rpc('evm_setNextBlockTimestamp', [closableFrom], options());
    await network.anvil.mine(1);
    const closed = JSON.parse((await cairn('duty', 'close', '0', '--json')).out);
    assert.ok(closed.endPeriod >= funded.from && closed.endPeriod < funded.until);
    assert.match((await cairn('duty', 'list')).out, /ends before period \d+\n$/);

    const tooEarly = await cairn('duty', 'release', '0');
    assert.equal(tooEarly.exit, 1);
    assert.match(tooEarly.err, /answers for its last period until block \d+; this is block \d+/);
    await mineTo(reportEndOf(possession.terms, closed.endPeriod - 1) + 1);
    const released = JSON.parse((await cairn('duty', 'release', '0', '--json')).out);
    assert.equal(released.releasedWei, `${(9n * 10n ** 18n) / 10n}`);
    assert.match((await cairn('duty', 'list')).out, /ended\n$/);
    const { account } = JSON.parse((await cairn('duty', 'list', '--json')).out);
    assert.equal(account.reservedWei, '0');
    const owed = BigInt(funded.until - closed.endPeriod) * 1000n;
    assert.ok(BigInt(account.paymentsWei) >= owed, 'what was paid for later periods comes back');
  });

  it('free stake that can be taken out', async () => {
    const { account } = JSON.parse((await cairn('duty', 'list', '--json')).out);
    const all = account.bondedWei;
    const more = await cairn('duty', 'unbond', '--amount', `${BigInt(all) + 1n}`);
    assert.match(more.err, /coins of free stake/);
    const asked = JSON.parse((await cairn('duty', 'unbond', '--amount', all, '--json')).out);
    assert.deepEqual([asked.takenWei, asked.bondedWei], ['0', '0']);
    const [{ unlock }] = asked.unbonding;
    await network.anvil.client.rpc('evm_setNextBlockTimestamp', [unlock], options());
    await network.anvil.mine(1);
    const taken = JSON.parse((await cairn('duty', 'unbond', '--json')).out);
    assert.deepEqual([taken.takenWei, taken.unbonding], [all, []]);
  });

  it('say what is missing where they cannot be taken on, and go on once it is there', async () => {
    await writeFile(join(network.directory, 'poor.hex'), ANVIL_KEYS[1], { mode: 0o600 });
    const key = ['--key-file', join(network.directory, 'poor.hex')];
    const wish = ['duty', 'open', root, '--price', '7', '--deposit', '1000', ...key];
    const refused = await cairn(...wish);
    assert.equal(refused.exit, 1);
    assert.match(refused.err, /has not taken the role of a provider: bond stake first/);
    const little = await cairn(...wish, '--bond', '999');
    assert.match(little.err, /of the account's stake 999 wei are free to answer for it/);
    const enough = await cairn(...wish, '--bond', '1');
    assert.equal(enough.exit, 0, enough.err);
    const { duties } = JSON.parse((await cairn('duty', 'list', '--json', ...key)).out);
    assert.equal(duties.length, 1, 'the same duty was gone on with');
    assert.equal(duties[0].depositLeftWei, '1000');
  });

  it('are refused to others than their provider', async () => {
    await writeFile(join(network.directory, 'other.hex'), ANVIL_KEYS[1], { mode: 0o600 });
    const key = ['--key-file', join(network.directory, 'other.hex')];
    const refused = await cairn('duty', 'close', '0', ...key);
    assert.equal(refused.exit, 1);
    assert.match(refused.err, /duty 0 is of 0x[0-9a-f]{40}, and the key is of 0x/i);
  });

  it('are refused where there is none', async () => {
    assert.equal((await cairn('duty', 'fund', '77')).exit, 3);
    assert.equal((await cairn('duty', 'fund', 'mine')).exit, 2);
  });
});
