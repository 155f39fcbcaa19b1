import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../src/main.ts';
import { contextOf, type FakeIoOptions, fakeIo } from './fake-io.ts';

describe('command line', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-cli-'));
  });

  after(() => rm(folder, { recursive: true }));

  const cairn = async (args: readonly string[], options: FakeIoOptions = {}) => {
    const io = fakeIo({ cwd: folder, ...options });
    const exit = await run(args, contextOf(io));
    return { exit, out: io.out(), err: io.err() };
  };

  it('explains itself on stdout', async () => {
    for (const args of [[], ['--help'], ['file', '--help'], ['file', 'put', '--help']]) {
      const { exit, out } = await cairn(args);
      assert.equal(exit, 0, args.join(' '));
      assert.match(out, /Usage: cairn/);
    }
  });

  it('refuses what it does not know with exit code 2', async () => {
    for (const args of [
      ['frobnicate'],
      ['file', 'frobnicate'],
      ['file', 'put'],
      ['file', 'root', 'x', '--frobnicate'],
      ['file', 'put', 'x', '--replicas', '0'],
      ['file', 'put', 'x', '--wait', 'sealed'],
      ['devnet', 'up', '--port', '80'],
      ['devnet', 'up', '--storage', '0/3'],
      ['devnet', 'up', '--da', '17'],
      ['devnet', 'up', '--consensus-shards', '0'],
      ['devnet', 'up', '--consensus-shards', '5'],
      ['devnet', 'up', '--da', 'many'],
      ['da', 'put', 'x', '--wait', 'final'],
      ['da', 'get', 'x', '--rest', 'http://127.0.0.1:1'],
    ]) {
      const { exit, out, err } = await cairn(args);
      assert.equal(exit, 2, `${args.join(' ')}: ${err}`);
      assert.equal(out, '');
      assert.notEqual(err, '');
    }
  });

  it('never takes a key as an option', async () => {
    const { out } = await cairn(['file', 'put', '--help']);
    assert.ok(!/--(private-)?key[ =]/.test(out));
  });

  it('computes the same root of a file and of standard input', async () => {
    const path = join(folder, 'seven');
    const content = new TextEncoder().encode('hello, cairn');
    await writeFile(path, content);
    const plain = await cairn(['file', 'root', path]);
    assert.match(plain.out, /^0x[0-9a-f]{64}\n$/);
    const piped = await cairn(['file', 'root', '-', '--json'], { stdin: content });
    assert.deepEqual(JSON.parse(piped.out), { root: plain.out.trim(), sizeBytes: 12 });
  });

  it('cuts files where they are cut when stored: at the next power of two', async () => {
    await writeFile(join(folder, 'long'), new Uint8Array(3000).fill(5));
    const rootAt = async (size: string) =>
      (await cairn(['file', 'root', 'long', '--fragment-size', size])).out.trim();
    const root = await rootAt('1024');
    assert.equal(await rootAt('1000'), root);
    assert.notEqual(await rootAt('2048'), root);
    const verified = await cairn(['file', 'verify', 'long', root, '--fragment-size', '600']);
    assert.equal(verified.exit, 0);
    assert.equal(await rootAt('1'), await rootAt('256'));
    assert.equal((await cairn(['file', 'root', 'long', '--fragment-size', '0'])).exit, 2);
  });

  it('verifies a file against its root', async () => {
    const path = join(folder, 'verified');
    await writeFile(path, 'these bytes');
    const root = (await cairn(['file', 'root', path])).out.trim();
    assert.equal((await cairn(['file', 'verify', path, root])).exit, 0);
    await writeFile(path, 'other bytes');
    const other = await cairn(['file', 'verify', path, root, '--json']);
    assert.equal(other.exit, 4);
    assert.equal(JSON.parse(other.out).error.code, 'CLI_MISMATCH');
  });

  it('names a directory by its content, whatever the order it was written in', async () => {
    const make = async (name: string, names: readonly string[]) => {
      const directory = join(folder, name);
      await mkdir(join(directory, 'sub'), { recursive: true });
      for (const file of names) await writeFile(join(directory, file), `in ${file}`);
      await symlink('a', join(directory, 'link'));
      return (await cairn(['file', 'root', directory])).out;
    };
    const first = await make('first', ['a', 'sub/b', 'c']);
    assert.equal(await make('second', ['c', 'sub/b', 'a']), first);
    assert.notEqual(await make('third', ['c', 'sub/x', 'a']), first);
  });

  it('says which file is not there, with exit code 3', async () => {
    const { exit, err } = await cairn(['file', 'root', 'missing']);
    assert.equal(exit, 3);
    assert.match(err, /missing/);
  });

  it('refuses a file of no bytes', async () => {
    await writeFile(join(folder, 'empty'), '');
    const { exit, err } = await cairn(['file', 'root', 'empty']);
    assert.equal(exit, 1);
    assert.match(err, /empty/);
  });

  it('says how to get a network where there is none', async () => {
    const { exit, err } = await cairn(['file', 'stat', `0x${'12'.repeat(32)}`]);
    assert.equal(exit, 2);
    assert.match(err, /cairn devnet up/);
  });

  it('says that no devnet runs', async () => {
    const status = await cairn(['devnet', 'status', '--json']);
    assert.equal(status.exit, 3);
    assert.equal(JSON.parse(status.out).state, 'stopped');
    assert.equal((await cairn(['devnet', 'down'])).exit, 0);
    assert.equal((await cairn(['devnet', 'logs'])).exit, 3);
  });

  it('makes raw keys that only their owner can read, and lists them', async () => {
    const made = await cairn(['key', 'new', 'keys/pay.hex', '--raw', '--json']);
    assert.equal(made.exit, 0, made.err);
    const { address, path } = JSON.parse(made.out) as { address: string; path: string };
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.match(await readFile(path, 'utf8'), /^0x[0-9a-f]{64}\n$/);
    assert.ok(!made.out.includes((await readFile(path, 'utf8')).trim()));
    const listed = await cairn(['key', 'list', 'keys', '--json']);
    assert.equal(JSON.parse(listed.out).keys[0].address, address);
    const again = await cairn(['key', 'new', 'keys/pay.hex', '--raw']);
    assert.equal(again.exit, 1, 'a key is never overwritten');
    await chmod(path, 0o644);
    const open = await cairn(['key', 'list', 'keys']);
    assert.match(open.err, /chmod 600/);
  });

  it('asks for a keystore’s password twice, and makes none without', async () => {
    const nobody = await cairn(['key', 'new', 'none.json']);
    assert.equal(nobody.exit, 6);
    assert.match(nobody.err, /no terminal/);
    const nothing = await cairn(['key', 'new', 'none.json'], { answers: [''] });
    assert.equal(nothing.exit, 6);
    assert.match(nothing.err, /none was typed/);
    const differs = await cairn(['key', 'new', 'differs.json'], { answers: ['one', 'two'] });
    assert.equal(differs.exit, 6);
    await assert.rejects(stat(join(folder, 'differs.json')));
  });

  it('tells its version', async () => {
    const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(manifest);
    assert.equal((await cairn(['version'])).out.split(' (Node.js')[0], `cairn ${version}`);
    assert.equal(JSON.parse((await cairn(['version', '--json'])).out).version, version);
  });
});
