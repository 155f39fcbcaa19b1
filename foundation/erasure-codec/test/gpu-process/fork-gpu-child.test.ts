import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { endOf } from '../../src/gpu-process/fork-gpu-child.ts';

/** A process whose events are a test's to tell. */
const processOf = (pid: number | undefined) =>
  Object.assign(new EventEmitter(), { pid, stderr: new PassThrough() });

describe('the end of a GPU process', () => {
  it('is told once, with what came first, and waited for', async () => {
    const child = processOf(1);
    const reasons: string[] = [];
    let isOver = false;
    const gone = endOf(child, (reason) => reasons.push(reason)).then(() => {
      isOver = true;
    });
    child.emit('error', new Error('it cannot be killed'));
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(!isOver, 'a process that was started still has to end');
    child.emit('exit', null, 'SIGKILL');
    child.stderr.destroy();
    await gone;
    assert.deepEqual(reasons, ['its process failed: it cannot be killed']);
  });

  it('comes with the last 2048 characters of what the process complained of', async () => {
    const child = processOf(1);
    const reasons: string[] = [];
    const gone = endOf(child, (reason) => reasons.push(reason));
    child.emit('exit', 9, null);
    child.stderr.end(`no${'é'.repeat(2048)}`);
    await gone;
    assert.deepEqual(reasons, [`its process ended with code 9: ${'é'.repeat(2048)}`]);
  });

  it('is that of a process that never started, too', async () => {
    const child = processOf(undefined);
    const reasons: string[] = [];
    const gone = endOf(child, (reason) => reasons.push(reason));
    child.emit('error', new Error('no such program'));
    await gone;
    assert.deepEqual(reasons, ['its process failed: no such program']);
  });
});
