import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { submissionCount } from '../support/chain.ts';
import { cairn, cairnJson, cairnProcess, cairnProcessJson } from '../support/cli.ts';
import { contentOf } from '../support/content.ts';
import type { Network } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';

const SEGMENT = 262_144;

describe('files through the command', () => {
  let network: Network;
  let folder: string;
  let fileNumber = 1_000;

  before(async () => {
    network = await sharedNetwork();
    folder = await mkdtemp(join(tmpdir(), 'cairn-files-'));
  });

  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const dir = (): string[] => ['--dir', network.directory];
  const store = async (length: number, extra: readonly string[] = []) => {
    fileNumber += 1;
    const content = contentOf(fileNumber, length);
    const path = join(folder, `file-${fileNumber}`);
    await writeFile(path, content);
    const receipt = await cairnJson(['file', 'put', path, ...extra, ...dir()]);
    return { content, path, root: String(receipt['root']) };
  };
  const read = async (root: string, extra: readonly string[] = []): Promise<Buffer> => {
    const result = await cairn(['file', 'get', root, '--output', '-', ...extra, ...dir()]);
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  };
  const submissions = (): Promise<number> =>
    submissionCount(network.chainRpc, network.endpoints.chains[0]?.contracts['flow'] ?? '');

  it('stores a file, names it as computed offline, and any process reads it back', async () => {
    const content = contentOf(1_000, 3 * SEGMENT + 99);
    const path = join(folder, 'first');
    await writeFile(path, content);
    const receipt = await cairnProcessJson(['file', 'put', path, ...dir()]);
    const root = String(receipt['root']);
    assert.equal(receipt['sizeBytes'], content.length);
    assert.equal(receipt['chainId'], 31_337);
    assert.equal((await cairnProcessJson(['file', 'root', path]))['root'], root);
    assert.ok((await read(root)).equals(content));
    const out = join(folder, 'copy');
    assert.equal((await cairnProcess(['file', 'get', root, '--output', out, ...dir()])).status, 0);
    assert.ok((await readFile(out)).equals(content));
  });

  it('reads a part without the rest', async () => {
    const { content, root } = await store(4 * SEGMENT);
    const part = await read(root, ['--range', `${SEGMENT - 5}-${SEGMENT + 4}`]);
    assert.ok(part.equals(content.subarray(SEGMENT - 5, SEGMENT + 5)));
  });

  it('pays once, however often the same file is put', async () => {
    const { path, root } = await store(SEGMENT + 1);
    const before = await submissions();
    for (const extra of [[], ['--resume']]) {
      const again = await cairnJson(['file', 'put', path, ...extra, ...dir()]);
      assert.equal(again['root'], root);
    }
    assert.equal(await submissions(), before);
  });

  it('takes a file from standard input', async () => {
    const content = contentOf(77, 5_000);
    const put = await cairnProcess(['file', 'put', '-', '--json', ...dir()], { input: content });
    assert.equal(put.status, 0, put.stderr);
    const { root } = JSON.parse(put.stdout.toString()) as { root: string };
    const piped = await cairnProcess(['file', 'get', root, '--output', '-', ...dir()]);
    assert.ok(piped.stdout.equals(content));
  });

  it('reads from the halves when the full node is gone from the list', async () => {
    const { content, root } = await store(5 * SEGMENT + 3, ['--replicas', '2']);
    const nodes = network.shardNodes.flatMap((url) => ['--node', url]);
    const result = await cairn(['file', 'get', root, '--output', '-', ...nodes]);
    assert.equal(result.status, 0, result.stderr);
    assert.ok(result.stdout.equals(content));
  });

  it('says what is known of a file', async () => {
    const { root, content } = await store(2 * SEGMENT);
    const stat = await cairnProcessJson(['file', 'stat', root, ...dir()]);
    assert.equal(stat['sizeBytes'], content.length);
    const missing = await cairn(['file', 'stat', `0x${'12'.repeat(32)}`, ...dir()]);
    assert.equal(missing.status, 3);
  });

  it('tells a file that differs from its root', async () => {
    const { path, root } = await store(1_234);
    assert.equal((await cairn(['file', 'verify', path, root])).status, 0);
    await writeFile(path, contentOf(1, 1_234));
    assert.equal((await cairnProcess(['file', 'verify', path, root])).status, 4);
  });

  it('encrypts with authentication, and refuses the wrong key', async () => {
    const key = join(folder, 'secret.key');
    const wrong = join(folder, 'wrong.key');
    await writeFile(key, 'ab'.repeat(32), { mode: 0o600 });
    await writeFile(wrong, 'cd'.repeat(32), { mode: 0o600 });
    const { content, root } = await store(3 * SEGMENT, [
      '--encrypt',
      'v3',
      '--encryption-key',
      key,
    ]);
    assert.equal((await read(root)).indexOf(content.subarray(1_000, 1_064)), -1);
    assert.ok((await read(root, ['--decrypt', key])).equals(content));
    const part = await read(root, ['--decrypt', key, '--range', '300000-300009']);
    assert.ok(part.equals(content.subarray(300_000, 300_010)));
    const refused = await cairn([
      'file',
      'get',
      root,
      '--output',
      '-',
      '--decrypt',
      wrong,
      ...dir(),
    ]);
    assert.notEqual(refused.status, 0);
    assert.equal(refused.stdout.length, 0);
  });

  it('stores a directory, lists it, reads from it and says what changed', async () => {
    const tree = join(folder, 'tree');
    await mkdir(join(tree, 'sub'), { recursive: true });
    await writeFile(join(tree, 'a.txt'), 'first');
    await writeFile(join(tree, 'sub', 'b.bin'), contentOf(5, 2 * SEGMENT));
    await symlink('../a.txt', join(tree, 'sub', 'link'));
    const { root } = await cairnJson(['file', 'put', tree, ...dir()]);
    const listing = await cairnProcess(['file', 'ls', String(root), ...dir()]);
    assert.match(listing.stdout.toString(), /a\.txt/);
    const inside = await cairn([
      'file',
      'get',
      String(root),
      'sub/b.bin',
      '--output',
      '-',
      ...dir(),
    ]);
    assert.ok(inside.stdout.equals(contentOf(5, 2 * SEGMENT)), inside.stderr);

    const copy = join(folder, 'tree-copy');
    const got = await cairn(['file', 'get', String(root), '--output', copy, ...dir()]);
    assert.equal(got.status, 0, got.stderr);
    assert.equal(await readFile(join(copy, 'sub', 'link'), 'utf8'), 'first');
    assert.equal((await cairn(['file', 'diff', tree, String(root), ...dir()])).status, 0);
    await writeFile(join(tree, 'a.txt'), 'changed');
    const changed = await cairnProcess(['file', 'diff', tree, String(root), ...dir()]);
    assert.equal(changed.status, 4);
    assert.match(changed.stdout.toString(), /a\.txt/);
  });

  it('refuses what cannot be stored or understood, and says why', async () => {
    const empty = join(folder, 'empty');
    await writeFile(empty, '');
    const put = await cairn(['file', 'put', empty, ...dir()]);
    assert.equal(put.status, 1);
    assert.match(put.stderr, /empty/);
    assert.equal((await cairn(['file', 'put'])).status, 2);
    assert.equal((await cairn(['file', 'get', '0x12', ...dir()])).status, 2);
    assert.equal((await cairn(['file', 'frobnicate'])).status, 2);
  });

  it('shows the price before paying', async () => {
    const path = join(folder, 'priced');
    await writeFile(path, contentOf(9, 100_000));
    const before = await submissions();
    const quote = await cairnJson(['file', 'put', path, '--dry-run', ...dir()]);
    assert.match(JSON.stringify(quote), /fee/i);
    assert.equal(await submissions(), before);
  });
});
