import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addressOf, parsePrivateKey } from '@cairn/chain-access';
import { createClient } from '@cairn/client-sdk';
import { toHex } from '@cairn/primitives';
import { ANVIL_KEYS, hasAnvil, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { patternBytes, until } from '../../../storage-node/test/harness.ts';
import { MiningNetwork, MiningNode } from '../../../storage-node/test/mining/network.ts';
import { run } from '../../src/main.ts';
import { contextOf, fakeIo } from '../fake-io.ts';

/** Two pricing chunks of 1,024 sectors, and something that fills the second to its end. */
const FILE_BYTES = 2 * 262_144;

describe('what a file costs, on a real chain', () => {
  let network: MiningNetwork;
  let node: MiningNode;
  let root: string;
  let smallRoot: string;
  let signal: AbortSignal;

  before(async function () {
    if (!hasAnvil) this.skip();
    network = await MiningNetwork.start();
    node = new MiningNode(await network.config('miner'));
    await node.start();
    signal = testSignal();
    const { url: rpc } = network.anvil;
    const { chainId, contracts } = network.deployment;
    const client = createClient({
      nodes: [node.node.address.url],
      rpc,
      flow: contracts.flow,
      signer: ANVIL_KEYS[0],
    });
    ({ root } = await client.files.put(patternBytes(FILE_BYTES, 3), { signal }));
    ({ root: smallRoot } = await client.files.put(patternBytes(700, 4), { signal }));
    await client.close();
    await writeFile(join(network.directory, 'payer.hex'), ANVIL_KEYS[0], { mode: 0o600 });
    const endpoints = {
      version: 1,
      chains: [{ name: 'hub', rpc, chainId, contracts }],
      storage: [{ rpc: node.node.address.url, shard: { id: 0, count: 1 }, chain: 'hub' }],
      kv: [],
      keys: ['payer.hex'],
    };
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
  // biome-ignore lint/suspicious/noExplicitAny: tests look into replies of many shapes
  const stat = async (): Promise<any> => {
    const { exit, out, err } = await cairn('file', 'stat', root, '--json');
    assert.equal(exit, 0, err);
    return JSON.parse(out);
  };

  it('is told beside who keeps it', async () => {
    const { economics, leastReplicas, mostReplicas } = await stat();
    assert.deepEqual([leastReplicas, mostReplicas], [1, 1]);
    assert.equal(economics.chargedSectors, 2048);
    assert.equal(economics.paidWei, String(2048 * 1000));
    assert.equal(economics.renewalWei, String(2048 * 1000));
    assert.equal(economics.termSeconds, 1000);
    assert.ok(economics.paidUntil > 0, 'both of its pricing chunks are full');
    const { out } = await cairn('file', 'stat', root);
    assert.match(out, /paid +paid until 20\d\d-/);
    assert.match(out, /replicas +1; a segment is at 1 to 1 nodes/);
  });

  it('is told by a node the same, and by the command without a chain', async () => {
    const { url } = node.node.address;
    const reply = await fetch(`${url}/v1/entries/${root}/economics`);
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.get('access-control-allow-origin'), '*');
    const { chainId, replicas, lastProven, ...told } = await reply.json();
    const { lastProven: proven, ...known } = (await stat()).economics;
    assert.deepEqual(told, known);
    assert.ok(lastProven.fromBlock <= proven.fromBlock);
    assert.equal(chainId, network.deployment.chainId);
    assert.deepEqual(replicas, { least: 1, most: 1, nodes: 1 });
    const bySequence = await fetch(`${url}/v1/entries/${root}/economics?seq=${told.sequence}`);
    assert.equal((await bySequence.json()).paidUntil, told.paidUntil);
    const unknown = await fetch(`${url}/v1/entries/${toHex(new Uint8Array(32))}/economics`);
    assert.equal(unknown.status, 404);
    assert.equal((await unknown.json()).code, 'ENTRY_UNKNOWN');

    const io = fakeIo({ cwd: network.directory, env: { XDG_STATE_HOME: network.directory } });
    assert.equal(await run(['file', 'stat', root, '--node', url], contextOf(io)), 0, io.err());
    assert.match(io.out(), /paid +paid until 20\d\d-/);
    assert.ok(io.out().includes(`says      ${url}`), io.out());
  });

  it('is paid for by a renewal only where --yes says so, and then for that much longer', async () => {
    const before = (await stat()).economics.paidUntil;
    const quoted = await cairn('file', 'extend', root, '--terms', '2', '--json');
    assert.equal(quoted.exit, 0, quoted.err);
    assert.deepEqual(JSON.parse(quoted.out).feeWei, String(2 * 2048 * 1000));
    assert.equal((await stat()).economics.paidUntil, before);
    const paid = await cairn('file', 'extend', root, '--terms', '2', '--yes', '--json');
    assert.equal(paid.exit, 0, paid.err);
    const receipt = JSON.parse(paid.out);
    assert.deepEqual([receipt.paidBefore, receipt.paidUntil], [before, before + 2000]);
    assert.equal(receipt.feeWei, String(2 * 2048 * 1000));
    assert.equal((await stat()).economics.paidUntil, before + 2000);
    const again = await cairn('file', 'extend', root, '--yes');
    assert.equal(again.exit, 0, again.err);
    assert.equal((await stat()).economics.paidUntil, before + 3000, 'each run pays anew');
  });

  it('may be paid for before its time begins, as often as that is asked for', async () => {
    const paid: bigint[] = [];
    for (const terms of ['1', '1', '3']) {
      const { exit, out, err } = await cairn(
        ...['file', 'extend', smallRoot, '--terms', terms, '--yes', '--json'],
      );
      assert.equal(exit, 0, err);
      const receipt = JSON.parse(out);
      assert.equal(receipt.paidUntil, undefined);
      paid.push(BigInt(receipt.feeWei));
    }
    assert.deepEqual(paid, [3000n, 3000n, 9000n]);
    assert.match((await cairn('file', 'stat', smallRoot)).out, /paid, and its time has not begun/);
  });

  it('is followed by who proved it last', async () => {
    const miner = addressOf(parsePrivateKey(ANVIL_KEYS[1]));
    await until(async () => {
      await network.nextEpoch();
      return (await stat()).economics.lastProven.chunk !== undefined;
    });
    const { file, chunk } = (await stat()).economics.lastProven;
    const answer = file ?? chunk;
    assert.equal(answer.beneficiary, miner);
    assert.match(answer.minerId, /^0x[0-9a-f]{64}$/);
    assert.match(
      (await cairn('file', 'stat', root)).out,
      new RegExp(`proven +in block .*${miner}`),
    );
  });

  it('is refused where terms are out of bounds', async () => {
    assert.equal((await cairn('file', 'extend', root, '--terms', '65')).exit, 2);
    assert.equal((await cairn('file', 'extend', toHex(new Uint8Array(32)))).exit, 3);
  });
});
