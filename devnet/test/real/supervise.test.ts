import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFault, systemClock } from '@cairn/primitives';
import { endProcesses, isGoneWithin } from '../../src/end-processes.ts';
import { identityOf, isAlive, type ProcessIdentity } from '../../src/process-identity.ts';
import { devnetPaths, readRunRecord, writeRunRecord } from '../../src/run-file.ts';
import { stopDevnet } from '../../src/stop-devnet.ts';
import { awaitReady, Supervisor } from '../../src/supervise.ts';

const clock = systemClock();
const signal = new AbortController().signal;
const sleeper = { command: 'sleep', args: ['60'] };

describe('supervisor', () => {
  let directory: string;
  let supervisor: Supervisor;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-supervise-'));
    supervisor = new Supervisor({ clock }, { logDirectory: join(directory, 'logs') });
  });

  afterEach(async () => {
    await supervisor.stop();
    await rm(directory, { recursive: true });
  });

  it('stops what it started, last first, and its guardian', async () => {
    const guardian = await supervisor.start([]);
    const order: string[] = [];
    for (const name of ['first', 'second']) {
      const managed = await supervisor.run({ name, ...sleeper });
      managed.ended.then(() => order.push(name)).catch(() => undefined);
      assert.ok(isAlive(managed.identity));
    }
    await supervisor.stop();
    assert.deepEqual(order, ['second', 'first']);
    assert.equal(isAlive(guardian), false);
  });

  it('keeps the output of a process in its log', async () => {
    await supervisor.start([]);
    const managed = await supervisor.run({
      name: 'talker',
      command: 'sh',
      args: ['-c', 'echo out; echo err >&2; exit 3'],
    });
    assert.equal(await managed.ended, 'exit code 3');
    assert.deepEqual((await readFile(managed.logPath, 'utf8')).split('\n').sort(), [
      '',
      'err',
      'out',
    ]);
  });

  it('tells a process that ends before it is ready, with its log', async () => {
    await supervisor.start([]);
    const managed = await supervisor.run({ name: 'short', command: 'sh', args: ['-c', 'exit 9'] });
    await assert.rejects(
      awaitReady(managed, async () => false, { clock, signal, timeoutMs: 120_000 }),
      (error) => isFault(error, 'PROCESS_ENDED') && error.message.includes('short.log'),
    );
  });

  it('gives up on a process that never gets ready', async () => {
    await supervisor.start([]);
    const managed = await supervisor.run({ name: 'deaf', ...sleeper });
    await assert.rejects(
      awaitReady(managed, async () => false, { clock, signal, timeoutMs: 50 }),
      (error) => isFault(error, 'PROCESS_NOT_READY'),
    );
  });

  it('leaves nothing behind when its own process is killed', async () => {
    const mark = join(directory, 'claims-to-run');
    await writeFile(mark, '');
    const program = `
      import { Supervisor } from ${JSON.stringify(new URL('../../src/supervise.ts', import.meta.url).href)};
      import { systemClock } from '@cairn/primitives';
      const supervisor = new Supervisor({ clock: systemClock() }, { logDirectory: ${JSON.stringify(directory)} });
      const guardian = await supervisor.start([${JSON.stringify(mark)}]);
      const managed = await supervisor.run({ name: 'orphan', command: 'sleep', args: ['60'] });
      process.stdout.write(JSON.stringify([guardian, managed.identity]) + '\\n');
      setInterval(() => undefined, 1000);
    `;
    const path = join(import.meta.dirname, `killed-${process.pid}.temporary.ts`);
    await writeFile(path, program);
    try {
      const owner = spawn(process.execPath, [...process.execArgv, path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const line = await new Promise<string>((resolve, reject) => {
        owner.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString()));
        owner.once('exit', () => reject(new Error('the owner ended early')));
      });
      const [guardian, orphan] = JSON.parse(line) as ProcessIdentity[];
      assert.ok(guardian !== undefined && orphan !== undefined);
      assert.ok(isAlive(orphan));
      owner.kill('SIGKILL');
      assert.ok(await isGoneWithin(orphan, 120_000, clock));
      assert.ok(await isGoneWithin(guardian, 120_000, clock));
      assert.equal(existsSync(mark), false);
    } finally {
      await rm(path);
    }
  });
});

describe('a recorded process', () => {
  it('is told apart from a later one with the same id', () => {
    const mine = identityOf(process.pid);
    assert.ok(mine !== undefined);
    assert.ok(isAlive(mine));
    assert.equal(isAlive({ ...mine, startedAt: `${mine.startedAt}0` }), false);
    assert.equal(identityOf(0), undefined);
    assert.equal(identityOf(2 ** 30), undefined);
  });

  it('that is another one by now is never ended', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      await new Promise((resolve) => child.once('spawn', resolve));
      const identity = identityOf(child.pid ?? 0);
      assert.ok(identity !== undefined);
      const stale = { ...identity, startedAt: '1' };
      const directory = await mkdtemp(join(tmpdir(), 'cairn-stale-'));
      const paths = devnetPaths(directory);
      await writeRunRecord(paths.run, {
        state: 'ready',
        owner: stale,
        guardian: stale,
        processes: [{ ...stale, name: 'chain', url: 'http://127.0.0.1:1' }],
      });
      await writeFile(paths.endpoints, '{}');
      assert.equal(await stopDevnet(directory), false);
      assert.ok(isAlive(identity), 'an unrelated process was ended');
      assert.equal(existsSync(paths.endpoints), false);
      assert.equal(existsSync(paths.run), false);
      await rm(directory, { recursive: true });
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('that ignores SIGTERM is killed after the grace', async () => {
    const child = spawn('sh', ['-c', 'trap "" TERM; echo on; while :; do sleep 0.1; done'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const identity = identityOf(child.pid ?? 0);
    assert.ok(identity !== undefined);
    assert.deepEqual(await endProcesses([identity], { clock, graceMs: 50 }), []);
    assert.equal(isAlive(identity), false);
  });
});

describe('run file', () => {
  it('that is torn or foreign says nothing', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cairn-run-'));
    const path = join(directory, 'devnet.json');
    assert.equal(await readRunRecord(path), undefined);
    for (const text of ['', '{"version":1', '{"version":2}', '[]', '{"version":1,"owner":{}}']) {
      await writeFile(path, text);
      assert.equal(await readRunRecord(path), undefined, text);
    }
    await rm(directory, { recursive: true });
  });
});
