import assert from 'node:assert/strict';
import { memoryFileSource } from '@cairn/log-layer';
import { isFault, memoryKeyValueStore } from '@cairn/primitives';
import { type DirectoryItem, listEntries, manifestOf, pathNames } from '../src/directories.ts';
import { aperiodicBytes, FakeNetwork } from './support/fake-network.ts';

const file = (path: string, bytes: Uint8Array): DirectoryItem => ({
  kind: 'file',
  path,
  open: async () => memoryFileSource(bytes),
});

describe('directories', () => {
  let network: FakeNetwork;
  beforeEach(async () => {
    network = await FakeNetwork.create({});
  });
  afterEach(async () => {
    await network.stop();
  });

  const items: readonly DirectoryItem[] = [
    file('readme.md', aperiodicBytes(100)),
    file('src/a.bin', aperiodicBytes(300_000)),
    file('src/copy.bin', aperiodicBytes(300_000)),
    file('src/empty', new Uint8Array(0)),
    { kind: 'link', path: 'src/link', target: 'a.bin' },
    { kind: 'directory', path: 'nothing' },
  ];

  it('stores files once each, pays them together, and reads them by path', async () => {
    const client = network.client();
    const receipt = await client.putDirectory(items);
    assert.equal(receipt.files, 4);
    assert.equal(network.payments, 2, 'one for the files, one for the manifest');
    assert.equal(network.entries.length, 3, 'equal files share an entry');
    assert.equal(network.entries.at(-1)?.root, receipt.root, 'the manifest comes last');
    assert.deepEqual(
      (await client.ls(receipt.root)).map(({ path, kind }) => `${kind} ${path}`),
      ['directory nothing', 'file readme.md', 'directory src'],
    );
    assert.deepEqual(
      (await client.ls(receipt.root, { path: 'src' })).map(({ path }) => path),
      ['src/a.bin', 'src/copy.bin', 'src/empty', 'src/link'],
    );
    const { root } = receipt;
    assert.deepEqual(await client.getBytes(root, { path: 'src/a.bin' }), aperiodicBytes(300_000));
    assert.equal((await client.getBytes(root, { path: 'src/empty' })).length, 0);
    for (const [path, code] of [
      ['src/link', 'SDK_PATH_KIND'],
      ['src', 'SDK_PATH_KIND'],
      ['src/none', 'SDK_PATH_NOT_FOUND'],
      ['../etc/passwd', 'SDK_PATH_UNSAFE'],
    ] as const) {
      await assert.rejects(client.getBytes(root, { path }), (error) => isFault(error, code));
    }
  });

  it('gives the same root for the same directory, whatever the order', async () => {
    const client = network.client();
    const first = await client.putDirectory(items);
    const second = await client.putDirectory([...items].reverse());
    assert.equal(second.root, first.root);
    assert.equal(network.payments, 2);
    assert.equal(second.feeWei, 0n);
  });

  it('encrypts files and names', async () => {
    const key = new Uint8Array(32).fill(1);
    const { root } = await network
      .client()
      .putDirectory(items, { encryption: { kind: 'sealed', key } });
    await assert.rejects(network.client().ls(root), (error) => isFault(error, 'WIRE_MAGIC'));
    const client = network.client();
    const decryption = { key };
    assert.equal((await client.ls(root, { decryption })).length, 3);
    assert.deepEqual(
      await client.getBytes(root, { path: 'src/copy.bin', decryption }),
      aperiodicBytes(300_000),
    );
  });

  for (const cutAt of ['second group', 'manifest'] as const) {
    it(`pays no sealed file twice when it is cut off at the ${cutAt}`, async () => {
      const key = new Uint8Array(32).fill(1);
      const options = { encryption: { kind: 'sealed', key } } as const;
      const many = Array.from({ length: 40 }, (_, index): DirectoryItem => {
        const source = memoryFileSource(aperiodicBytes(index + 1));
        const open = async () => ({ ...source, resumeKey: `file ${index}` });
        return { kind: 'file', path: `${index}`, open };
      });
      const journal = memoryKeyValueStore();
      const first = network.client({ journal, seed: 2 });
      const onFile = (path: string): void => {
        if (cutAt === 'second group' && path === '31') throw new Error('killed');
        if (cutAt === 'manifest' && path === '39') network.crashAfterPayment = true;
      };
      await assert.rejects(first.putDirectory(many, { ...options, onFile }), /killed/);
      network.crashAfterPayment = false;
      const second = network.client({ journal, seed: 3 });
      const { root } = await second.putDirectory(many, options);
      assert.equal(network.entries.length, 41);
      const decryption = { key };
      const read = await network.client().getBytes(root, { path: '7', decryption });
      assert.deepEqual(read, aperiodicBytes(8));
      for await (const record of journal.entries({}, { signal: AbortSignal.timeout(120_000) })) {
        assert.fail(`the journal still holds ${record[0].length} bytes of key`);
      }
    });
  }

  it('tells what differs between two directories', async () => {
    const client = network.client();
    const before = await client.putDirectory([
      file('a', aperiodicBytes(1)),
      file('b', aperiodicBytes(2)),
    ]);
    const after = await client.putDirectory([
      file('b', aperiodicBytes(3)),
      file('c', aperiodicBytes(1)),
    ]);
    assert.deepEqual(
      (await client.diff(before.root, after.root)).map(({ path, change }) => `${change} ${path}`),
      ['removed a', 'changed b', 'added c'],
    );
    assert.deepEqual(await client.diff(before.root, before.root), []);
  });

  it('counts the fee of a file that comes again in a later group', async () => {
    const many = Array.from({ length: 40 }, (_, index) =>
      file(`${index}`, aperiodicBytes(index % 35 === 0 ? 9 : 100 + index)),
    );
    const { feeWei } = await network.client().putDirectory(many);
    const charged = network.entries.reduce((sum, { paddedSectors }) => sum + paddedSectors, 0);
    assert.equal(feeWei, 7n * BigInt(charged));
  });

  it('cuts large files inside a directory into fragments', async () => {
    const client = network.client();
    const bytes = aperiodicBytes(700_000);
    const told: (string | undefined)[] = [];
    const { root } = await client.putDirectory([file('big', bytes), file('a', bytes.slice(0, 5))], {
      fragmentBytes: 262_144,
      onFile: (path, fileRoot) => told.push(`${path} ${fileRoot}`),
    });
    const { root: small } = await client.root(bytes.slice(0, 5));
    assert.deepEqual(told, ['big undefined', `a ${small}`], 'a directory names its fragments only');
    await assert.rejects(client.stat({ roots: [root, small] }), (error) =>
      isFault(error, 'SDK_OPTION'),
    );
    const [, entry] = await client.ls(root);
    assert.equal(entry?.kind === 'file' && entry.roots.length, 3);
    assert.deepEqual(await client.getBytes(root, { path: 'big' }), bytes);
  });
});

describe('directory paths', () => {
  it('never leave their directory', () => {
    for (const path of ['', '/a', 'a/', 'a//b', '.', '..', 'a/../b', 'a/./b', 'a\0b']) {
      assert.throws(
        () => pathNames(path),
        (error) => isFault(error, 'SDK_PATH_UNSAFE'),
        JSON.stringify(path),
      );
    }
    assert.deepEqual(pathNames('a/b c/…'), ['a', 'b c', '…']);
  });

  it('are used once each', () => {
    const link = (path: string) => ({ kind: 'link', path, target: 'x' }) as const;
    assert.throws(() => manifestOf([link('a'), link('a')]), /two entries/);
    assert.throws(() => manifestOf([link('a'), link('a/b')]), /two entries/);
    assert.throws(() => manifestOf([link('a/b'), link('a')]), /two entries/);
    const entries = listEntries(manifestOf([link('a/b'), { kind: 'directory', path: 'a' }]), {
      recursive: true,
    });
    assert.deepEqual(
      entries.map(({ path }) => path),
      ['a', 'a/b'],
    );
  });
});
