import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { isFault } from '@cairn/primitives';
import { createWorkerPool } from '../../src/workers/create-worker-pool.ts';
import { firstOutput, runChild } from '../child.ts';
import { inTemporaryDirectory } from '../temporary-directory.ts';
import type { TestTask } from '../workers/task-module.ts';

const execute = promisify(execFile);
const { signal } = new AbortController();
const module = new URL('../workers/task-module.ts', import.meta.url);
const poolModule = new URL('../../src/workers/create-worker-pool.ts', import.meta.url).href;
const builtPool = new URL('../../dist/workers/index.js', import.meta.url);
const builtPrimitives = new URL('../../../primitives/dist/index.js', import.meta.url);
const task = (one: TestTask): TestTask => one;

describe('worker pool', () => {
  it('runs tasks on its threads and hands back results and faults with their facts', async () => {
    const pool = createWorkerPool({ module, size: 2 });
    try {
      const sums = await Promise.all(
        [1, 2, 3, 4, 5].map((value) =>
          pool.run<number>(task({ kind: 'add', values: [value, 10] }), { signal }),
        ),
      );
      assert.deepEqual(sums, [11, 12, 13, 14, 15]);
      await assert.rejects(pool.run(task({ kind: 'fault' }), { signal }), (error) => {
        assert.ok(isFault(error, 'TEST_FAULT'));
        assert.deepEqual(error.facts, { code: 'TEST_FAULT', held: 3 });
        return true;
      });
      await assert.rejects(pool.run(task({ kind: 'throw' }), { signal }), {
        name: 'RangeError',
        message: 'out of range',
      });
    } finally {
      await pool.close();
    }
  });

  it('moves buffers there and results back without copying', async () => {
    const pool = createWorkerPool({ module: module.href, size: 1 });
    try {
      const bytes = new Uint8Array(1000);
      const length = await pool.run<number>(task({ kind: 'length', bytes }), {
        signal,
        transfer: [bytes.buffer],
      });
      assert.equal(length, 1000);
      assert.equal(bytes.length, 0, 'the buffer is gone here');
      const back = await pool.run<Uint8Array>(task({ kind: 'buffer', values: [5] }), { signal });
      assert.deepEqual(back, new Uint8Array(5).fill(9));
    } finally {
      await pool.close();
    }
  });

  it('bounds its queue, forgets aborted tasks and frees the callers of running ones', async () => {
    const pool = createWorkerPool({ module, size: 1, maxQueued: 1 });
    try {
      await pool.run(task({ kind: 'add' }), { signal });
      const stopRunning = new AbortController();
      const stopQueued = new AbortController();
      const spin = pool.run(task({ kind: 'spin', values: [150] }), { signal: stopRunning.signal });
      const queued = pool.run(task({ kind: 'exit' }), { signal: stopQueued.signal });
      await assert.rejects(pool.run(task({ kind: 'add' }), { signal }), (error) =>
        isFault(error, 'QUEUE_FULL'),
      );
      stopQueued.abort(new Error('not wanted'));
      await assert.rejects(queued, /not wanted/);
      const next = pool.run<number>(task({ kind: 'add', values: [4] }), { signal });
      stopRunning.abort(new Error('too slow'));
      await assert.rejects(spin, /too slow/);
      assert.equal(await next, 4, 'the aborted task that ends its thread never ran');
    } finally {
      await pool.close();
    }
  });

  it('loses one task with a thread that dies, and replaces the thread', async () => {
    const pool = createWorkerPool({ module, size: 1 });
    try {
      const lost = pool.run(task({ kind: 'exit' }), { signal });
      const after = pool.run<number>(task({ kind: 'add', values: [1, 1] }), { signal });
      await assert.rejects(lost, (error) => {
        assert.ok(isFault(error, 'WORKER_LOST'));
        assert.equal(Reflect.get(error.facts, 'exitCode'), 7);
        return true;
      });
      assert.equal(await after, 2);
    } finally {
      await pool.close();
    }
  });

  it('says that a module cannot be run, task by task', async () => {
    await inTemporaryDirectory(async (directory) => {
      const empty = join(directory, 'empty.mjs');
      await writeFile(empty, 'export const nothing = 1;');
      for (const wrong of [pathToFileURL(empty), pathToFileURL(join(directory, 'none.mjs'))]) {
        const pool = createWorkerPool({ module: wrong, size: 1 });
        await assert.rejects(pool.run({}, { signal }), (error) => isFault(error, 'WORKER_MODULE'));
        await assert.rejects(pool.run({}, { signal }), (error) => isFault(error, 'WORKER_MODULE'));
        await pool.close();
      }
    });
  });

  it('rejects what waits when it is closed, and everything after', async () => {
    const pool = createWorkerPool({ module, size: 1 });
    const running = pool.run(task({ kind: 'spin', values: [60_000] }), { signal });
    const queued = pool.run(task({ kind: 'add' }), { signal });
    const settled = Promise.allSettled([running, queued]);
    await pool.close();
    for (const result of await settled) {
      assert.ok(result.status === 'rejected' && isFault(result.reason, 'WORKER_POOL_CLOSED'));
    }
    await assert.rejects(pool.run({}, { signal }), (error) => isFault(error, 'WORKER_POOL_CLOSED'));
  });

  it('does not keep a process alive when it is idle', async () => {
    const child = runChild(
      `import { createWorkerPool } from ${JSON.stringify(poolModule)};
       const pool = createWorkerPool({ module: ${JSON.stringify(module.href)}, size: 2 });
       const { signal } = new AbortController();
       console.log(await pool.run({ kind: 'add', values: [20, 22] }, { signal }));`,
    );
    const ended = new Promise((resolve) => child.once('exit', resolve));
    assert.equal((await firstOutput(child)).trim(), '42');
    assert.equal(await ended, 0);
  });

  it('runs from built JavaScript on plain node', async function () {
    if (!existsSync(builtPool) || !existsSync(builtPrimitives)) this.skip(); // nothing was built
    await inTemporaryDirectory(async (directory) => {
      const plain = join(directory, 'task.mjs');
      await writeFile(plain, 'export const run = (task) => task * 2;');
      // A process without the loader and the source condition of this one.
      const code = `import { createWorkerPool } from ${JSON.stringify(builtPool.href)};
        const pool = createWorkerPool({ module: ${JSON.stringify(plain)}, size: 1 });
        console.log(await pool.run(21, { signal: new AbortController().signal }));`;
      const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', code], {
        env: { ...process.env, NODE_OPTIONS: '' },
      });
      assert.equal(stdout.trim(), '42');
    });
  });
});
