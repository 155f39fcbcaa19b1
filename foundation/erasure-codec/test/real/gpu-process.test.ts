import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { startGpuProcess } from '../../src/gpu-process/start-gpu-process.ts';
import { bytesOf, isCodecFault, shapeOf, signal } from '../support.ts';
import { GPU_ENV, gpuProcessesOf, sharedOrWhyNot, skipAll } from './gpu-support.ts';

const SHAPE = shapeOf(12, 3, 256);
const DATA = bytesOf(4096 * 256, 1);
const LOADER = Reflect.get(process.features, 'typescript') ? [] : ['--import', 'tsx'];

describe('the process of a GPU', () => {
  /** Of other suites. */
  let others: readonly number[] = [];
  before(async function () {
    const started = await sharedOrWhyNot();
    if (typeof started === 'string') skipAll(this, started);
    others = gpuProcessesOf(process.pid) ?? [];
  });
  const children = (): readonly number[] | undefined =>
    gpuProcessesOf(process.pid)?.filter((child) => !others.includes(child));

  it('may be killed at work: that is DEVICE_LOST, and this process goes on', async function () {
    const codec = await startGpuProcess({ env: GPU_ENV });
    const [child] = children() ?? [];
    if (child === undefined) this.skip(); // not Linux: nobody says which process it is
    const holding = codec.hold(DATA, SHAPE, { signal });
    setImmediate(() => process.kill(child, 'SIGKILL'));
    const isLost = isCodecFault({
      code: 'DEVICE_LOST',
      reason: 'its process ended with SIGKILL',
    });
    await assert.rejects(holding, isLost);
    await assert.rejects(codec.hold(DATA, SHAPE, { signal }), isLost);
    await codec.close();
    assert.deepEqual(children(), []);
  });

  it('ends with its codec, and what is under way with DEVICE_LOST', async () => {
    const codec = await startGpuProcess({ env: GPU_ENV });
    const holding = codec.hold(DATA, SHAPE, { signal });
    const isLost = isCodecFault({ code: 'DEVICE_LOST', reason: 'it was closed' });
    const refused = assert.rejects(holding, isLost);
    await codec.close();
    await refused;
    await assert.rejects(codec.encode(DATA, SHAPE, { signal }), isLost);
    assert.deepEqual(children() ?? [], []);
  });

  it('keeps its parent alive while it works, and not longer', async () => {
    const parent = runParent(`
      const parity = await codec.encode(new Uint8Array(128), ${JSON.stringify(shapeOf(1, 1, 64))}, {
        signal: new AbortController().signal,
      });
      process.stdout.write('parity ' + parity.length);`);
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const [code] = (await once(parent, 'exit')) as [number];
    assert.equal(said.toString(), 'parity 128');
    assert.equal(code, 0);
  });

  it('ends when its parent is killed', async function () {
    const parent = runParent(`
      setInterval(() => undefined, 60_000);
      process.stdout.write('started');`);
    await once(parent.stdout, 'data');
    const [child] = gpuProcessesOf(parent.pid ?? 0) ?? [];
    const gone = once(parent, 'exit');
    parent.kill('SIGKILL');
    await gone;
    if (child === undefined) this.skip(); // not Linux
    while (existsSync(`/proc/${child}`)) await new Promise((resolve) => setImmediate(resolve));
  });

  it('is absent where no driver is, and where it does not answer in time', async () => {
    const env = { VK_ICD_FILENAMES: '/nonexistent', VK_DRIVER_FILES: '/nonexistent' };
    await assert.rejects(
      startGpuProcess({ env }),
      isCodecFault({ code: 'DEVICE_ABSENT', reason: 'no adapter was found' }),
    );
    await assert.rejects(
      startGpuProcess({ env: GPU_ENV, startTimeoutMs: 1 }),
      /no GPU can be used: starting the GPU process took longer than 1 ms/,
    );
    await assert.rejects(
      startGpuProcess({ env: { NODE_OPTIONS: '--no-such-option' } }),
      /its process ended with code 9: .*--no-such-option is not allowed/,
    );
    assert.deepEqual(children() ?? [], []);
  });

  it('does not start if told to stop', async () => {
    const stopped = new AbortController();
    const starting = startGpuProcess({ env: GPU_ENV, signal: stopped.signal });
    setImmediate(() => stopped.abort(new Error('enough')));
    await assert.rejects(starting, /enough/);
    assert.deepEqual(children() ?? [], []);
  });
});

/** A process that starts a GPU's process as `codec` and runs `code`. */
function runParent(code: string) {
  const module = new URL('../../src/gpu-process/start-gpu-process.ts', import.meta.url).href;
  const text = `
    import { startGpuProcess } from ${JSON.stringify(module)};
    const codec = await startGpuProcess({ env: ${JSON.stringify(GPU_ENV)} });${code}`;
  const flags = [...LOADER, '--conditions=@cairn/source', '--input-type=module', '-e', text];
  return spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
}
