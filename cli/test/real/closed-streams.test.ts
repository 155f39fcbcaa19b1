import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/main.ts';
import { fakeIo } from '../fake-io.ts';

/** Flags that let a child run this source: the loader and the condition of the test run. */
const LOADER = Reflect.get(process.features, 'typescript') ? [] : ['--import', 'tsx'];
const MAIN = JSON.stringify(import.meta.resolve('../../src/main.ts'));

describe('streams that nobody reads', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-streams-'));
  });

  after(() => rm(folder, { recursive: true }));

  /** The exit code of a command whose stream `closed` has no reader when it begins to write. */
  const cairn = async (args: readonly string[], closed: 'stdout' | 'stderr', stdin = '') => {
    const code = `import(${MAIN}).then(({ runProcess }) => runProcess());`;
    const child = spawn(
      process.execPath,
      [
        ...LOADER,
        '--conditions=@cairn/source',
        '--input-type=module',
        '-e',
        code,
        'cairn',
        ...args,
      ],
      { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: folder } },
    );
    child[closed].destroy();
    let out = '';
    child.stdout.on('data', (piece: Buffer) => {
      out += piece.toString();
    });
    child.stdin.end(stdin);
    const [exit] = await once(child, 'close');
    return { exit, out };
  };

  it('leave nothing behind and are no failure where they take the data', async () => {
    const { exit } = await cairn(['file', 'root', '-'], 'stdout', 'piped in');
    assert.equal(exit, 0);
    const left = (await readdir(folder)).filter((name) => name.startsWith('cairn-stdin'));
    assert.deepEqual(left, [], 'the copy of standard input is removed');
  });

  it('change nothing where they take the words', async () => {
    const { exit, out } = await cairn(['file', 'root', 'missing', '--json'], 'stderr');
    assert.equal(JSON.parse(out).error.code, 'ENOENT');
    assert.equal(exit, 3);
  });

  it('end a command without words', async () => {
    const stop = new AbortController();
    const io = fakeIo();
    stop.abort(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    const exit = await run(['file', 'root', '-'], { io, signal: stop.signal });
    assert.equal(exit, 0);
    assert.equal(io.err() + io.out(), '');
  });
});
