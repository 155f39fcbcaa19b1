import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { seededRng } from '@cairn/primitives';
import { interrupted } from '../../src/errors.ts';
import { run } from '../../src/main.ts';
import { contextOf, fakeIo } from '../fake-io.ts';

describe('cairn codec', () => {
  let folder: string;
  let runs = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-codec-'));
  });
  after(() => rm(folder, { recursive: true }));

  const cairn = (...args: readonly string[]) => cairnWith({}, ...args);
  const cairnWith = async (
    { cores = 1, signal }: { readonly cores?: number; readonly signal?: AbortSignal },
    ...args: readonly string[]
  ) => {
    const io = fakeIo({ cwd: folder, cores });
    const context = contextOf(io);
    const exit = await run(['codec', ...args], signal === undefined ? context : { io, signal });
    const text = io.out();
    const json: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
    return { exit, out: text, err: io.err(), json };
  };
  /** Runs a command and interrupts it as soon as `isReached`, which is asked again and again. */
  const cutOff = async (isReached: () => boolean, ...args: readonly string[]) => {
    const stop = new AbortController();
    let isRunning = true;
    const look = (): void => {
      if (isReached()) stop.abort(interrupted('SIGINT'));
      else if (isRunning) setImmediate(look);
    };
    look();
    const { exit } = await cairnWith({ signal: stop.signal }, ...args);
    isRunning = false;
    assert.ok(stop.signal.aborted, 'it was cut off at work');
    assert.equal(exit, 130);
  };
  /** A file of chance bytes, encoded. */
  const encoded = async (bytes: number, ...options: readonly string[]) => {
    runs += 1;
    const name = `file-${runs}`;
    const content = seededRng(bytes + 1).fill(new Uint8Array(bytes));
    await writeFile(join(folder, name), content);
    const out = `${name}.rows`;
    const { exit, out: commitment, err } = await cairn('encode', name, '--out', out, ...options);
    assert.equal(exit, 0, err);
    assert.match(commitment, /^0x[0-9a-f]{64}\n$/);
    return { name, content, rows: out, commitment: commitment.trim() };
  };
  const decoded = async (rows: string, ...options: readonly string[]) => {
    runs += 1;
    const out = `again-${runs}`;
    const { exit, err } = await cairn('decode', rows, '--out', out, '--codec', 'wasm', ...options);
    return { exit, err, bytes: exit === 0 ? await readFile(join(folder, out)) : undefined };
  };

  it('gives a file back whichever rows are lost', async () => {
    for (const [bytes, options] of [
      [0, []],
      [1, ['--cosets', '1']],
      [70_000, ['--suite', 'sha256', '--cosets', '2']],
      [200_000, ['--min-rows', '1024', '--codec', 'reference']],
      [1_500_000, []],
    ] as const) {
      const { content, rows } = await encoded(bytes, '--codec', 'wasm', ...options);
      for (const drops of [
        [],
        ['--drop', 'random:max'],
        ['--drop', 'random:max', '--seed', '7'],
        ['--drop', 'coset:0'],
        ['--drop', 'coset:1', '--drop', 'random:9'],
      ]) {
        if (options.includes('1' as never) && drops.includes('random:9')) continue; // too few are left
        const { bytes: again, exit, err } = await decoded(rows, ...drops);
        assert.equal(exit, 0, `${bytes} ${drops.join(' ')}: ${err}`);
        assert.ok(again?.equals(content), `${bytes} bytes, ${drops.join(' ')}`);
      }
    }
  });

  it('says the same commitment whatever encodes', async () => {
    const commitments = new Set<string>();
    for (const codec of ['reference', 'wasm']) {
      const { commitment } = await encoded(300_000, '--codec', codec);
      commitments.add(commitment);
    }
    assert.equal(commitments.size, 1);
  });

  it('makes the same in threads where there are four cores, ends them, and says what was picked and why', async () => {
    const { name, content, rows, commitment } = await encoded(5_000_000, '--codec', 'wasm');
    const threads: Worker[] = [];
    const onThread = (worker: Worker): void => void threads.push(worker);
    /** Threads that a command started; none is left. */
    const threadsOf = async (cores: number, ...args: readonly string[]) => {
      threads.length = 0;
      const { exit, err, out } = await cairnWith({ cores }, ...args);
      assert.equal(exit, 0, err);
      for (const { threadId } of threads) assert.equal(threadId, -1, 'it has ended');
      return { count: threads.length, out };
    };
    process.on('worker', onThread);
    try {
      const alone = ['encode', name, '--codec', 'wasm', '--out', 'alone.rows'];
      assert.equal((await threadsOf(3, ...alone)).count, 0);
      // A trial of all codecs starts a GPU's process, where there is one: other tests name theirs.
      const picking = ['encode', name, '--out', 'threads.rows', '--json'];
      const { count, out } = await threadsOf(4, ...picking);
      assert.equal(count, 4);
      const picked = JSON.parse(out) as {
        readonly trials: readonly { readonly outcome: string }[];
        readonly codecChoice: string;
        readonly commitment: string;
      };
      assert.equal(picked.commitment, commitment);
      assert.equal(picked.trials.filter(({ outcome }) => outcome === 'chosen').length, 1);
      assert.match(picked.codecChoice, /MB\/s/);
      for (const file of await readdir(join(folder, rows))) {
        const bytes = await readFile(join(folder, 'threads.rows', file));
        assert.ok(bytes.equals(await readFile(join(folder, rows, file))), file);
      }
      const decode = ['decode', rows, '--drop', 'coset:0', '--out', 'from-threads'];
      assert.equal((await threadsOf(4, ...decode, '--codec', 'wasm')).count, 4);
      assert.ok((await readFile(join(folder, 'from-threads'))).equals(content));
    } finally {
      process.off('worker', onThread);
    }
  });

  it('notices every damaged file, and reads round it', async () => {
    const { content, rows, commitment } = await encoded(9_000_000, '--codec', 'wasm');
    const good = await cairn('verify', rows);
    assert.equal(good.exit, 0);
    assert.equal(good.out, `4096 rows are of ${commitment}\n`);
    const files = (await readdir(join(folder, rows))).filter((name) => name.startsWith('slice'));
    assert.ok(files.length > 3);
    const [first = '', second = ''] = files;
    await rm(join(folder, rows, first));
    const bytes = await readFile(join(folder, rows, second));
    bytes[bytes.length - 700] = (bytes[bytes.length - 700] ?? 0) ^ 1;
    await writeFile(join(folder, rows, second), bytes);
    const bad = await cairn('verify', rows, '--json');
    assert.equal(bad.exit, 4);
    const { damages, isReadable } = bad.json as {
      damages: { file: string; code: string }[];
      isReadable: boolean;
    };
    assert.deepEqual(
      damages.map(({ file, code }) => `${file} ${code}`),
      [`${first} ENOENT`, `${second} ROW_PATH`],
    );
    assert.ok(isReadable);
    assert.ok((await decoded(rows)).bytes?.equals(content));
  });

  it('tells of files that the disk does not give, and reads round them', async () => {
    const { content, rows } = await encoded(9_000_000, '--codec', 'wasm');
    const [first = '', second = ''] = await readdir(join(folder, rows)).then((names) =>
      names.filter((name) => name.startsWith('slice')).sort(),
    );
    for (const file of [first, second]) await rm(join(folder, rows, file));
    await mkdir(join(folder, rows, first));
    await symlink(second, join(folder, rows, second));
    const { exit, json } = await cairn('verify', rows, '--json');
    assert.equal(exit, 4);
    const { damages } = json as { damages: { file: string; code: string; reason: string }[] };
    assert.deepEqual(
      damages.map(({ file, code }) => `${file} ${code}`),
      [`${first} EISDIR`, `${second} ELOOP`],
    );
    assert.match(damages[0]?.reason ?? '', /illegal operation on a directory/);
    assert.ok((await decoded(rows)).bytes?.equals(content));
  });

  it('leaves no part of a file when it is cut off', async () => {
    const { rows } = await encoded(24_000_000, '--codec', 'wasm', '--cosets', '1');
    const place = join(folder, 'cut');
    const old = join(place, 'old');
    await mkdir(place);
    await writeFile(old, 'what was there');
    const sizeOf = (name: string): number =>
      statSync(join(place, name), { throwIfNoEntry: false })?.size ?? 0;
    const isWriting = (): boolean => readdirSync(place).some((name) => sizeOf(name) > 100);
    for (const options of [
      ['--out', join(place, 'new')],
      ['--out', old, '--force'],
    ]) {
      await cutOff(isWriting, 'decode', rows, '--codec', 'wasm', ...options);
      assert.deepEqual(await readdir(place), ['old']);
    }
    assert.equal(await readFile(old, 'utf8'), 'what was there');
  });

  it('leaves no part of a folder when it is cut off, so that it can be run again', async () => {
    const { name, commitment } = await encoded(9_000_000, '--codec', 'wasm');
    const encode = ['encode', name, '--codec', 'wasm', '--out', 'cut/some/rows'];
    const first = join(folder, 'cut/some/rows/slice-00000.bin');
    await cutOff(() => existsSync(first), ...encode);
    assert.ok(!existsSync(join(folder, 'cut/some')));
    assert.equal((await cairn(...encode)).out, `${commitment}\n`);
  });

  it('says what is missing with one row too few', async () => {
    const { rows } = await encoded(1_000, '--codec', 'wasm');
    const { exit, err } = await decoded(rows, '--drop', 'random:193');
    assert.equal(exit, 5);
    assert.match(err, /63 rows are there and committed to; reading takes any 64/);
  });

  it('overwrites nothing, and refuses what makes no sense', async () => {
    const wasm = ['--codec', 'wasm'];
    const { name, rows } = await encoded(100, ...wasm);
    const taken = await cairn('encode', name, '--out', rows, ...wasm);
    assert.equal(taken.exit, 1);
    assert.match(taken.err, /Name a new or an empty directory with --out\./);
    assert.equal((await cairn('decode', rows, '--out', name, ...wasm)).exit, 1);
    await symlink('nowhere', join(folder, 'leads-nowhere')); // its name is taken, though nothing is there
    const late = await cairn('decode', rows, '--out', 'leads-nowhere', '--json', ...wasm);
    assert.equal((late.json as { error: { code: string } }).error.code, 'CLI_OUTPUT_EXISTS');
    assert.equal((await cairn('decode', rows, '--out', name, '--force', ...wasm)).exit, 0);
    for (const drop of ['random', 'random:x', 'coset:max', 'coset:4', 'random:257']) {
      const { exit, err } = await cairn('decode', rows, '--out', 'x', '--drop', drop, ...wasm);
      assert.equal(exit, 2, `${drop}: ${err}`);
    }
    assert.equal((await cairn('encode', '.', '--out', 'y', ...wasm)).exit, 2);
    assert.equal((await cairn('encode', 'absent', '--out', 'y', ...wasm)).exit, 3);
    assert.equal((await cairn('verify', 'absent')).exit, 3);
    await writeFile(join(folder, rows, 'blob.json'), '{"version":1}');
    for (const command of [
      ['verify', rows],
      ['decode', rows, '--out', 'z', ...wasm],
    ]) {
      const { exit, err } = await cairn(...command);
      assert.equal(exit, 1);
      assert.match(err, /not the record of a blob/);
    }
  });

  it('measures this machine', async () => {
    const { exit, json } = await cairn('bench', '--size', '256KiB', '--json');
    assert.equal(exit, 0);
    const { measures } = json as { measures: { step: string; wall: number; cpu: number }[] };
    assert.equal(measures.length, 6);
    for (const { step, wall, cpu } of measures) assert.ok(wall > 0 && cpu > 0, step);
  });
});
