import { deepEqual, equal, match } from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

interface Run {
  readonly child: ChildProcess;
  /** The ready line, or `undefined` if the process ended without one. */
  readonly ready: Promise<Record<string, string> | undefined>;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

function run(...args: readonly string[]): Run {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (piece) => {
    stderr += String(piece);
  });
  const ready = new Promise<Record<string, string> | undefined>((resolve) => {
    let text = '';
    child.stdout.on('data', (piece) => {
      text += String(piece);
      const line = /^(\{.*\})\n/.exec(text)?.[1];
      if (line !== undefined) resolve(JSON.parse(line));
    });
    child.once('close', () => resolve(undefined));
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, stderr }));
  });
  return { child, ready, ended };
}

describe('the process', () => {
  let directory: string;
  let config: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-sn-'));
    config = join(directory, 'node.toml');
    // Nothing listens at the chain's address: with a chain id the node starts all the same.
    await writeFile(
      config,
      `[node]
data_dir = ${JSON.stringify(join(directory, 'data'))}
[chain]
rpc = "http://127.0.0.1:9"
chain_id = 31337
flow = "0x${'f1'.repeat(20)}"
[storage]
reserve_bytes = 0
[http]
port = 0
[log]
level = "error"
`,
    );
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('tells that it is ready, lives through kill -9 and stops on SIGTERM with 0', async () => {
    const first = run('--config', config);
    const line = (await first.ready) ?? {};
    equal(line['event'], 'ready');
    const status = await fetch(`${line['http']}/v1/status`);
    equal((await status.json()).chainId, 31337);
    const notReady = await fetch(`${line['http']}/health/ready`);
    equal(notReady.status, 503);
    match((await notReady.json()).reasons[0], /has not told its newest block/);
    const rival = await run('--config', config).ended;
    equal(rival.code, 1);
    match(rival.stderr, /DIRECTORY_LOCKED: .* is in use by process \d+/);
    first.child.kill('SIGKILL');
    await first.ended;
    const second = run('--config', config);
    equal((await second.ready)?.['event'], 'ready');
    second.child.kill('SIGTERM');
    equal((await second.ended).code, 0);
  }).timeout(60_000);

  it('ends with a sentence and 2 for arguments and configurations it cannot use', async () => {
    const bare = await run().ended;
    deepEqual([bare.code, bare.stderr], [2, 'usage: main.js --config FILE\n']);
    const missing = await run('--config', join(directory, 'none.toml')).ended;
    equal(missing.code, 2);
    match(missing.stderr, /CONFIG_INVALID: .*there is no file/s);
  }).timeout(60_000);
});
