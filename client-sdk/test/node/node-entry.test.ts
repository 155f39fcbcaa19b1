import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFault, utf8Bytes } from '@cairn/primitives';
import { createClient } from '../../src/node/create-client.ts';
import { downloadToPath } from '../../src/node/download-to-path.ts';
import { fileJournal } from '../../src/node/file-journal.ts';
import { openFileSource } from '../../src/node/file-source.ts';
import { downloadDirectory, walkDirectory } from '../../src/node/local-directory.ts';
import { aperiodicBytes, FakeNetwork } from '../support/fake-network.ts';

const SEGMENT = 262_144;
const { signal } = new AbortController();

describe('the Node entry', () => {
  let directory: string;
  let network: FakeNetwork;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-sdk-'));
    network = await FakeNetwork.create({});
  });
  afterEach(async () => {
    await network.stop();
    await rm(directory, { recursive: true });
  });
  const at = (...names: readonly string[]): string => join(directory, ...names);

  it('stores a file of this machine and brings it back', async () => {
    const bytes = aperiodicBytes(3 * SEGMENT + 1);
    await writeFile(at('a'), bytes);
    const source = await openFileSource(at('a'));
    const { root } = await network.client().put(source);
    await source.close();
    const result = await downloadToPath(network.client(), root, at('b'));
    assert.equal(result.resumedBytes, 0);
    assert.deepEqual(new Uint8Array(await readFile(at('b'))), bytes);
    assert.deepEqual((await readdir(directory)).sort(), ['a', 'b']);
  });

  it('never writes over a file unless told', async () => {
    const { root } = await network.client().put(aperiodicBytes(10));
    await writeFile(at('a'), 'mine');
    await assert.rejects(downloadToPath(network.client(), root, at('a')), (error) =>
      isFault(error, 'SDK_PATH_EXISTS'),
    );
    assert.equal(await readFile(at('a'), 'utf8'), 'mine');
    await downloadToPath(network.client(), root, at('a'), { overwrite: true });
    assert.deepEqual(new Uint8Array(await readFile(at('a'))), aperiodicBytes(10));
  });

  it('goes on from the last checkpoint and trusts nothing after it', async () => {
    const bytes = aperiodicBytes(4 * SEGMENT);
    const { root } = await network.client().put(bytes);
    const part = bytes.slice(0, 3 * SEGMENT);
    part.fill(0xee, 2 * SEGMENT);
    await writeFile(at('a.part'), part);
    const record = { version: 1, name: root, sizeBytes: bytes.length, doneBytes: 2 * SEGMENT };
    await writeFile(at('a.part.json'), JSON.stringify(record));
    const served = network.nodes[0]?.served ?? [];
    const result = await downloadToPath(network.client(), root, at('a'));
    assert.equal(result.resumedBytes, 2 * SEGMENT);
    assert.deepEqual([...served].sort(), [2, 3]);
    assert.deepEqual(new Uint8Array(await readFile(at('a'))), bytes);
    assert.deepEqual(await readdir(directory), ['a']);
  });

  it('begins again when the checkpoint is of another file, too long, or its bytes are gone', async () => {
    const bytes = aperiodicBytes(SEGMENT);
    const { root } = await network.client().put(bytes);
    const other = { version: 1, name: `0x${'1'.repeat(64)}`, sizeBytes: SEGMENT, doneBytes: 5 };
    for (const record of [
      JSON.stringify(other),
      JSON.stringify({ ...other, name: root, doneBytes: SEGMENT + 1 }),
      JSON.stringify({ ...other, name: root }),
    ]) {
      await writeFile(at('a.part.json'), record);
      const { resumedBytes } = await downloadToPath(network.client(), root, at('a'), {
        overwrite: true,
      });
      assert.equal(resumedBytes, 0);
      assert.deepEqual(new Uint8Array(await readFile(at('a'))), bytes);
    }
  });

  it('brings a directory back as it was, links as links', async () => {
    await mkdir(at('in', 'sub', 'none'), { recursive: true });
    await writeFile(at('in', 'a.txt'), 'hello');
    await writeFile(at('in', 'sub', 'empty'), '');
    await writeFile(at('in', 'sub', 'b.bin'), aperiodicBytes(SEGMENT + 3));
    await symlink('../a.txt', at('in', 'sub', 'link'));
    const { root } = await network.client().putDirectory(walkDirectory(at('in')));
    const result = await downloadDirectory(network.client(), root, at('out'));
    assert.deepEqual(result, { files: 3, totalBytes: 5 + SEGMENT + 3, skippedLinks: [] });
    assert.deepEqual(
      (await readdir(at('out'), { recursive: true })).sort(),
      (await readdir(at('in'), { recursive: true })).sort(),
    );
    assert.equal(await readFile(at('out', 'sub', 'link'), 'utf8'), 'hello');
    const again = await network.client().putDirectory(walkDirectory(at('out')));
    assert.equal(again.root, root);
    await assert.rejects(downloadDirectory(network.client(), root, at('out')), (error) =>
      isFault(error, 'SDK_PATH_EXISTS'),
    );
  });

  it('does not make links that lead out of the directory', async () => {
    for (const target of [
      '/etc/passwd',
      '../../x',
      'sub/../../../x',
      'deep/.//../secret',
      '..\\..\\secret',
    ]) {
      const items = [
        { kind: 'link', path: 'sub/deep', target: '..' },
        { kind: 'link', path: 'sub/l', target },
      ] as const;
      const { root } = await network.client().putDirectory(items);
      const refused = downloadDirectory(network.client(), root, at('out'));
      await assert.rejects(refused, (error) => isFault(error, 'SDK_PATH_UNSAFE'));
      const result = await downloadDirectory(network.client(), root, at(`out${target.length}`), {
        outsideLinks: 'skip',
      });
      assert.deepEqual(result.skippedLinks, ['sub/l']);
    }
    assert.equal((await readdir(directory)).includes('out'), false);
  });

  it('reads through createClient, with threads for hashing', async () => {
    const bytes = aperiodicBytes(9 * 1024 * 1024);
    const { root } = await network.client().put(bytes);
    const [node] = network.nodes;
    const client = createClient({ nodes: [node?.url ?? ''], threads: 1 });
    try {
      assert.equal((await client.files.root(bytes)).root, root);
      assert.deepEqual(await client.files.getBytes(root), bytes);
      assert.equal((await client.files.put(bytes)).root, root, 'known: needs no payer');
      await assert.rejects(client.files.put(aperiodicBytes(5)), (error) =>
        isFault(error, 'SDK_NO_PAYER'),
      );
      await assert.rejects(client.files.quote(5), (error) => isFault(error, 'SDK_OPTION'));
    } finally {
      await client.close();
    }
  });

  it('refuses a client that has no way into a network', async () => {
    assert.throws(
      () => createClient({ network: 'nowhere', threads: 0 }),
      (error) => isFault(error, 'SDK_OPTION'),
    );
    const client = createClient({ threads: 0 });
    await assert.rejects(client.files.getBytes(`0x${'1'.repeat(64)}`), (error) =>
      isFault(error, 'SDK_OPTION'),
    );
    await client.close();
  });
});

describe('file journal', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-journal-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });
  const key = (text: string): Uint8Array => utf8Bytes(text);

  it('keeps records across processes, in key order, private to their owner', async () => {
    const journal = fileJournal(join(directory, 'j'));
    await journal.write([{ type: 'put', key: key('b'), value: key('2') }]);
    await journal.write([
      { type: 'put', key: key('a/1'), value: key('1') },
      { type: 'delete', key: key('none') },
    ]);
    const other = fileJournal(join(directory, 'j'));
    assert.deepEqual(await other.get(key('b')), Buffer.from('2'));
    assert.deepEqual(await other.getMany([key('x'), key('a/1')]), [undefined, Buffer.from('1')]);
    const found: string[] = [];
    for await (const [name] of other.entries({ gte: key('a'), lt: key('c') }, { signal })) {
      found.push(new TextDecoder().decode(name));
    }
    assert.deepEqual(found, ['a/1', 'b']);
    const [name = ''] = await readdir(join(directory, 'j'));
    assert.equal((await stat(join(directory, 'j', name))).mode & 0o077, 0);
    await other.write([{ type: 'delete', key: key('b') }]);
    assert.equal(await journal.get(key('b')), undefined);
  });

  it('finishes a batch that a crash cut short before anybody pays', async () => {
    const redo = [
      { key: '0x61', value: '0x31' },
      { key: '0x62', value: null },
    ];
    const journal = fileJournal(directory);
    await journal.write([{ type: 'put', key: key('b'), value: key('old') }]);
    await writeFile(join(directory, 'batch.redo'), JSON.stringify(redo));
    await journal.exclusive(async () => {
      assert.deepEqual(await journal.get(key('a')), Buffer.from('1'));
      assert.equal(await journal.get(key('b')), undefined);
    }, signal);
    assert.equal((await readdir(directory)).includes('batch.redo'), false);
  });

  it('is free again after an unfinished batch that cannot be read', async () => {
    const journal = fileJournal(directory);
    await writeFile(join(directory, 'batch.redo'), '{');
    const refused = journal.exclusive(async () => undefined, signal);
    await assert.rejects(refused);
    await rm(join(directory, 'batch.redo'));
    const other = fileJournal(directory);
    await other.exclusive(async () => undefined, AbortSignal.timeout(120_000));
  });

  it('lets one journal pay at a time', async () => {
    const [one, two] = [fileJournal(directory), fileJournal(directory)];
    const order: string[] = [];
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let taken = (): void => undefined;
    const isTaken = new Promise<void>((resolve) => {
      taken = resolve;
    });
    const first = one.exclusive(async () => {
      taken();
      await held;
      order.push('first');
    }, signal);
    await isTaken;
    const second = two.exclusive(async () => void order.push('second'), signal);
    const stop = AbortSignal.timeout(150);
    const third = fileJournal(directory);
    const impatient = third.exclusive(async () => undefined, stop);
    const patient = third.exclusive(async () => 'patient', signal);
    await assert.rejects(impatient, (error) => error === stop.reason);
    release();
    await Promise.all([first, second]);
    assert.deepEqual(order, ['first', 'second']);
    assert.equal(await patient, 'patient');
  });
});
