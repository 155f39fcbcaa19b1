import { deepEqual, equal, match } from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProcess } from '../../src/run-process.ts';

/** A process in this one. That real ones live through kill -9 is tested with whole networks. */
class FakeProcess extends EventEmitter {
  readonly env: Record<string, string>;
  out = '';
  err = '';
  exitCode: number | undefined;
  readonly stdout = {
    write: (text: string) => {
      this.out += text;
      this.emit('said');
    },
  };
  readonly stderr = {
    write: (text: string) => {
      this.err += text;
    },
  };

  constructor(env: Record<string, string> = {}) {
    super();
    this.env = env;
  }

  exit(code: number): void {
    this.exitCode = code;
  }
}

describe('the process', () => {
  let directory: string;
  let config: string;
  let host: FakeProcess;
  let running: Promise<unknown> | undefined;
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
level = "silent"
`,
    );
  });
  after(async () => {
    if (host.exitCode === undefined) host.emit('SIGTERM');
    await running;
    await rm(directory, { recursive: true, force: true });
  });

  it('tells that it is ready, keeps others off its data, and stops on SIGTERM with 0', async () => {
    host = new FakeProcess({ CAIRN_ADMIN__ENABLED: 'false' });
    running = runProcess(['--config', config], host);
    await once(host, 'said');
    match(host.out, /^\{.*\}\n$/);
    const line = JSON.parse(host.out) as Record<string, string>;
    equal(line['event'], 'ready');
    equal(line['admin'], undefined, 'the environment counts');
    const status = await fetch(`${line['http']}/v1/status`);
    equal((await status.json()).chainId, 31337);
    const notReady = await fetch(`${line['http']}/health/ready`);
    equal(notReady.status, 503);
    match((await notReady.json()).reasons[0], /has not told its newest block/);

    const rival = new FakeProcess();
    await runProcess(['--config', config], rival);
    equal(rival.exitCode, 1);
    match(rival.err, /^cairn storage node: .* is in use by process \d+/);

    host.emit('SIGTERM');
    await running;
    equal(host.exitCode, 0);
    equal(host.err, '');
  });

  it('ends with a sentence and 2 for arguments and configurations it cannot use', async () => {
    const bare = new FakeProcess();
    equal(await runProcess([], bare), 2);
    deepEqual([bare.out, bare.err], ['', 'usage: main.js --config FILE\n']);
    const missing = new FakeProcess();
    equal(await runProcess(['--config', join(directory, 'none.toml')], missing), 2);
    match(missing.err, /CONFIG_INVALID: .*there is no file/s);
    equal(await runProcess(['--cfg', config], new FakeProcess()), 2);
  });
});
