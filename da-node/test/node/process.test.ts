import { deepEqual, equal, match } from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProcess } from '../../src/run-process.ts';

/** A process in this one. Real ones are in `test/real`. */
class FakeProcess extends EventEmitter {
  readonly env: Record<string, string> = {};
  out = '';
  err = '';
  exitCode: number | undefined;
  readonly stdout = {
    write: (text: string) => {
      this.out += text;
    },
  };
  readonly stderr = {
    write: (text: string) => {
      this.err += text;
    },
  };

  exit(code: number): void {
    this.exitCode = code;
  }
}

describe('the process of a node', () => {
  let directory: string;
  let config: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-da-'));
    config = join(directory, 'node.toml');
    await writeFile(
      config,
      `[node]
roles = ["keeper"]
data_dir = ${JSON.stringify(join(directory, 'data'))}
[log]
level = "silent"
[chain]
rpc = "http://127.0.0.1:9"
entrance = "0x${'e1'.repeat(20)}"
[keys]
account = ${JSON.stringify(join(directory, 'account.hex'))}
`,
    );
  });
  after(() => rm(directory, { recursive: true }));

  it('ends with a sentence and 2 for arguments and configurations it cannot use', async () => {
    const bare = new FakeProcess();
    equal(await runProcess([], bare), 2);
    deepEqual([bare.out, bare.err], ['', 'usage: main.js --config FILE\n']);
    const missing = new FakeProcess();
    equal(await runProcess(['--config', join(directory, 'none.toml')], missing), 2);
    match(missing.err, /^cairn da node: CONFIG_INVALID: .*there is no file/s);
    equal(await runProcess(['--cfg', config], new FakeProcess()), 2);
  });

  it('ends with a sentence and 1 where a key is missing', async () => {
    const host = new FakeProcess();
    await runProcess(['--config', config], host);
    equal(host.exitCode, 1);
    match(host.err, /^cairn da node: KEY_FILE_MISSING: there is no key file at .*account\.hex/);
    equal(host.out, '');
  });

  it('waits for a chain that does not answer, and stops while it waits', async () => {
    await writeFile(join(directory, 'account.hex'), '11'.repeat(32), { mode: 0o600 });
    const host = new FakeProcess();
    const running = runProcess(['--config', config], host);
    while (host.listenerCount('SIGTERM') === 0) await new Promise(setImmediate);
    host.emit('SIGTERM');
    await running;
    equal(host.exitCode, 0);
    deepEqual([host.out, host.err], ['', '']);
  });
});
