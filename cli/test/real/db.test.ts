import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { cp, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRng } from '@cairn/primitives';
import { type TestFile, TestNode, testFile, until } from '../../../storage-node/test/harness.ts';
import { run } from '../../src/main.ts';
import { contextOf, fakeIo } from '../fake-io.ts';

const SEGMENT = 262_144;

describe('cairn db', () => {
  let folder: string;
  let data: string;
  let node: TestNode;
  let files: TestFile[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-db-'));
    node = await TestNode.start({ admin: { enabled: true } });
    files = await Promise.all([
      testFile(6 * SEGMENT - 9, 1),
      testFile(900, 2),
      testFile(SEGMENT, 3),
    ]);
    const sequences = await node.announce(...files);
    for (const [at, file] of files.slice(0, 2).entries())
      await node.upload(file, sequences[at] ?? -1);
  });
  after(async () => {
    await node.remove();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    await node.stop();
    data = await mkdtemp(join(folder, 'data-'));
    await cp(node.directory, data, { recursive: true });
  });

  const cairn = async (...args: readonly string[]) => {
    const io = fakeIo({ cwd: folder });
    const exit = await run(['db', ...args], contextOf(io));
    return { exit, out: io.out(), err: io.err() };
  };
  const json = async (...args: readonly string[]) => {
    const { exit, out, err } = await cairn(...args, '--json');
    return { exit, err, value: out === '' ? {} : JSON.parse(out) };
  };
  const stats = async (directory = data) => (await json('stats', '--data-dir', directory)).value;
  /** Flips a bit of the first file, counted from its first byte. */
  const flip = async (directory: string, position: number): Promise<void> => {
    const path = join(directory, 'segments', '00000000.flat');
    const start = (await readFile(path)).indexOf(files[0]?.bytes.subarray(0, 4096) ?? '');
    ok(start >= 0);
    const file = await open(path, 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, start + position);
    await file.write(Uint8Array.of((byte[0] ?? 0) ^ 4), 0, 1, start + position);
    await file.close();
  };

  it('counts what is stored', async () => {
    const { exit, value } = await json('stats', '--data-dir', data);
    equal(exit, 0);
    equal(value.entries, 3);
    equal(value.pending, 1);
    equal(value.pieces, 7);
    equal(value.shard, '0/1');
    ok(value.segmentDiskBytes >= value.pieceBytes);
    match((await cairn('stats', '--data-dir', data)).out, /pieceBytes +1\.5 MiB/);
  });

  it('asks a running node for the same, by its admin socket', async () => {
    await node.start();
    const args = ['--data-dir', node.directory];
    equal((await stats(node.directory)).pieces, 7);
    const { exit, value } = await json('scrub', ...args, '--rate', '1GiB');
    equal(exit, 0);
    equal(value.checked, 7);
    equal((await cairn('stats', ...args, '--socket', join(folder, 'none.sock'))).exit, 1);
    deepEqual((await json('migrate', ...args, '--shard', '0/1')).value, {
      shard: '0/1',
      done: true,
    });
    equal((await cairn('repair', ...args)).exit, 1, 'not while it runs');
  });

  it('finds damage, and repairs it from another node', async () => {
    await flip(data, 3 * SEGMENT + 77_000);
    const found = await json('scrub', '--data-dir', data);
    equal(found.exit, 4, found.err);
    equal(found.value.damaged, 1);
    equal((await stats()).pending, 2);
    equal((await json('repair', '--data-dir', data)).value.pending, 2, 'nothing to fetch it from');
    await node.start();
    const { exit, value } = await json('repair', '--data-dir', data, '--from', node.url);
    equal(exit, 0);
    equal(value.fetched, 1);
    equal(value.failed, 1, 'the other node lacks what was never uploaded');
    equal(value.pending, 1);
    equal((await json('scrub', '--data-dir', data)).exit, 0);
    equal((await stats()).quarantined, 0);
  });

  it('copies to one file and makes the same again, anywhere', async () => {
    const path = join(folder, 'a.snapshot');
    const made = await json('snapshot', path, '--data-dir', data);
    equal(made.exit, 0, made.err);
    equal(made.value.pieces, 7);
    equal((await cairn('snapshot', path, '--data-dir', data)).exit, 1, 'it exists already');
    const other = join(folder, 'restored');
    const { exit, value } = await json('restore', path, '--data-dir', other);
    equal(exit, 0);
    deepEqual([value.verified, value.sha256], [true, made.value.sha256]);
    equal((await cairn('restore', path, '--data-dir', other)).exit, 1, 'never over something');
    equal((await json('scrub', '--data-dir', other)).value.checked, 7);
    const [left, right] = [await stats(), await stats(other)];
    for (const field of ['entries', 'pending', 'pieces', 'pieceBytes', 'block', 'flow']) {
      equal(right[field], left[field], field);
    }
    const again = join(folder, 'b.snapshot');
    await json('snapshot', again, '--data-dir', other);
    ok((await readFile(again)).equals(await readFile(path)), 'byte for byte');
  });

  it('restores nothing of a snapshot that is not whole', async () => {
    const path = join(folder, 'c.snapshot');
    await json('snapshot', path, '--data-dir', data);
    const whole = await readFile(path);
    const rng = seededRng(8_080);
    for (let round = 0; round < 24; round += 1) {
      const bytes = Buffer.from(whole);
      const at = rng.below(bytes.length);
      const spoiled =
        round % 3 === 0
          ? bytes.subarray(0, at)
          : round % 3 === 1
            ? Buffer.concat([bytes, bytes.subarray(0, 9)])
            : bytes;
      if (round % 3 === 2) bytes[at] = (bytes[at] ?? 0) ^ (1 << rng.below(8));
      const bad = join(folder, 'bad.snapshot');
      await writeFile(bad, spoiled);
      const { exit, err } = await cairn('restore', bad, '--data-dir', join(folder, 'never'));
      equal(exit, 4, `seed 8080, round ${round}: ${err}`);
      ok(!(await readdir(folder)).some((name) => name.startsWith('never')));
    }
  });

  it('copies no rot', async () => {
    await flip(data, 2 * SEGMENT + 5);
    const { exit } = await cairn('snapshot', join(folder, 'd.snapshot'), '--data-dir', data);
    equal(exit, 4);
    ok(!(await readdir(folder)).some((name) => name.startsWith('d.snapshot')));
  });

  it('changes the shard', async () => {
    const before = await stats();
    const { exit, value } = await json('migrate', '--data-dir', data, '--shard', '1/2');
    equal(exit, 0);
    deepEqual(value, { shard: '1/2', done: true });
    const after = await stats();
    equal(after.shard, '1/2');
    ok(after.pieces < before.pieces);
    ok(after.segmentDiskBytes < before.segmentDiskBytes);
    equal((await cairn('migrate', '--data-dir', data, '--shard', '3/3')).exit, 2);
    await json('migrate', '--data-dir', data, '--shard', '0/1');
    equal((await stats()).pending, 3, 'what the other half had is missing');
  });

  it('refuses what is no data directory', async () => {
    equal((await cairn('stats', '--data-dir', join(folder, 'nowhere'))).exit, 3);
    equal((await cairn('stats')).exit, 2);
    await until(async () => !(await readdir(folder)).includes('nowhere'));
  });
});
