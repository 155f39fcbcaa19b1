import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../architecture/house.ts';
import { CAIRN, cairn, cairnJson, cairnProcess } from '../support/cli.ts';
import { contentOf } from '../support/content.ts';
import { readEndpoints, rpc, startNetwork } from '../support/network.ts';
import { processesNaming } from '../support/processes.ts';
import { until } from '../support/wait.ts';

describe('a network on one machine', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-devnet-'));
  });

  afterEach(async () => {
    await cairn(['devnet', 'down', '--dir', folder]);
    await rm(folder, { recursive: true, force: true });
  });

  /** The foreground command, as `npm start` runs it. */
  const startForeground = async (
    extra: readonly string[] = [],
  ): Promise<{ child: ChildProcess; output: () => string }> => {
    const args = ['devnet', 'up', '--dir', folder, '--port', '0', ...extra];
    const child = spawn(process.execPath, [CAIRN, ...args], {
      cwd: repositoryRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (part: Buffer) => {
      output += part.toString();
    });
    child.stderr.on('data', (part: Buffer) => {
      output += part.toString();
    });
    await until('endpoints.json', () => existsSync(join(folder, 'endpoints.json')));
    return { child, output: () => output };
  };

  it('says where everything is, serves, and leaves nothing behind on Ctrl-C', async () => {
    const { child, output } = await startForeground(['--consensus-shards', '1', '--da', '1']);
    const endpoints = await readEndpoints(folder);
    await until('the table', () => output().includes(endpoints.indexer));
    assert.equal(endpoints.storage.length, 3);
    assert.deepEqual(endpoints.storage.map(({ shard }) => `${shard.id}/${shard.count}`).sort(), [
      '0/1',
      '0/2',
      '1/2',
    ]);
    for (const { rpc: url } of endpoints.storage) {
      assert.ok(output().includes(url), `the table names ${url}`);
      const { networkIdentity } = (await rpc(url, 'zgs_getStatus')) as {
        networkIdentity: { chainId: number; flowAddress: string };
      };
      assert.equal(networkIdentity.chainId, endpoints.chains[0]?.chainId);
      assert.equal(
        networkIdentity.flowAddress,
        endpoints.chains[0]?.contracts['flow']?.toLowerCase(),
      );
    }
    assert.equal(endpoints.da?.signers.length, 1);
    assert.ok(output().includes(endpoints.da.rest), 'the table names where blobs are taken');
    const [key] = endpoints.keys;
    assert.equal(statSync(join(folder, key ?? '')).mode & 0o777, 0o600);

    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    await ended;
    await until('the last process to end', () => processesNaming(folder).length === 0);
    assert.equal(existsSync(join(folder, 'endpoints.json')), false);

    // No lock is left either: the same folder starts again.
    const small = ['--storage', '0/1', '--da', '0', '--kv', '0'];
    const where = ['--dir', folder, '--port', '0', ...small];
    const again = await cairnProcess(['devnet', 'up', '--detach', ...where]);
    assert.equal(again.status, 0, again.stderr);
    const down = await cairnProcess(['devnet', 'down', '--dir', folder]);
    assert.equal(down.status, 0, down.stderr);
    await until('the last process to end', () => processesNaming(folder).length === 0);
  });

  it('ends its processes when it is itself killed', async () => {
    const { child } = await startForeground(['--storage', '0/1', '--da', '0', '--kv', '0']);
    child.kill('SIGKILL');
    await until('the last process to end', () => processesNaming(folder).length === 0);
  });

  it('runs beside another, and neither sees what the other stores', async () => {
    const [first, second] = await Promise.all([
      startNetwork(['--storage', '0/1'], { isDetached: true }),
      startNetwork(['--storage', '0/1'], { isDetached: true }),
    ]);
    try {
      const path = join(folder, 'file');
      await writeFile(path, contentOf(71, 300_000));
      const { root } = await cairnJson(['file', 'put', path, '--dir', first.directory]);
      const here = await cairn([
        'file',
        'get',
        String(root),
        '--output',
        '-',
        '--dir',
        first.directory,
      ]);
      assert.equal(here.status, 0, here.stderr);
      const there = await cairn([
        'file',
        'get',
        String(root),
        '--output',
        '-',
        '--dir',
        second.directory,
      ]);
      assert.equal(there.status, 3, 'not found is exit code 3');
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  });

  it('says that nothing runs, when nothing runs', async () => {
    const status = await cairnProcess(['devnet', 'status', '--dir', folder]);
    assert.equal(status.status, 3);
  });
});
