import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cairn, cairnJson } from '../support/cli.ts';
import { contentOf } from '../support/content.ts';
import { type Network, rpc, startNetwork } from '../support/network.ts';
import { until } from '../support/wait.ts';

/** A pricing chunk of a devnet, whose fees are paid out once it is full, is 8 MiB. */
const SIZE_BYTES = 9 * 2 ** 20;

describe('a network that mines', () => {
  let network: Network;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-mining-'));
    network = await startNetwork(['--storage', '0/1', '--mine']);
  });
  after(async () => {
    await network?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** What the node says of its mining, by the command. */
  const mining = async (): Promise<string> => {
    // It may be some blocks behind and not ready just now: blocks come in leaps here.
    const args = ['node', 'status', '--json', '--dir', network.directory];
    const { nodes } = JSON.parse((await cairn(args)).stdout.toString()) as {
      nodes: readonly { facts: Readonly<Record<string, string>> }[];
    };
    return nodes.flatMap(({ facts }) => facts['mining'] ?? []).join('\n');
  };

  it('seals what is stored, has answers accepted, and tells what they earned', async () => {
    assert.match(await mining(), /^does not mine/, 'there is nothing to mine yet');
    const path = join(folder, 'file');
    await writeFile(path, contentOf(4711, SIZE_BYTES));
    const stored = await cairnJson(['file', 'put', path, '--dir', network.directory]);
    let told = '';
    try {
      // The context of the file's epoch seals it, and the next window mines it: 120 blocks on, a block is
      // a second. Where nothing can be mined now, time goes faster.
      const isPaid = async (): Promise<boolean> => {
        told = await mining();
        if (/not its turn|nothing is sealed|no whole segment/.test(told)) {
          await rpc(network.chainRpc, 'anvil_mine', ['0x18']);
        }
        await new Promise((resolve) => setTimeout(resolve, 1000)); // the node asks once a second
        return /; [1-9]\d* answers? accepted since the start, \d+\.\d+ coins wait/.test(told);
      };
      await until('an answer that is paid', isPaid, 240_000);
      const isSealed = async (): Promise<boolean> =>
        (await isPaid()) && /3[67] segments of shard 0\/1 are sealed/.test(told);
      await until('all to be sealed', isSealed, 240_000);
    } catch (error) {
      throw new Error(`${await mining()}\n${await network.logTails()}`, { cause: error });
    }
    const { stdout } = await cairn(['node', 'status', '--dir', network.directory]);
    const [, account = ''] = /coins wait for (0x[0-9a-f]{40})/i.exec(told) ?? [];
    assert.ok(stdout.toString().includes(account), stdout.toString());

    const got = join(folder, 'got');
    const get = ['file', 'get', String(stored['root']), '--output', got];
    const { status, stderr } = await cairn([...get, '--dir', network.directory]);
    assert.equal(status, 0, stderr);
    assert.ok((await readFile(got)).equals(await readFile(path)), 'it is read as it was stored');
  });
});
