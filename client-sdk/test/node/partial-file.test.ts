import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryFileSource } from '@cairn/log-layer';
import { isFault } from '@cairn/primitives';
import type { DirectoryItem } from '../../src/directories.ts';
import { downloadToPath } from '../../src/node/download-to-path.ts';
import { downloadDirectory } from '../../src/node/local-directory.ts';
import { aperiodicBytes, FakeNetwork } from '../support/fake-network.ts';

const SEGMENT = 262_144;

describe('partial files', () => {
  let directory: string;
  let network: FakeNetwork;
  let root: string;
  const bytes = aperiodicBytes(4 * SEGMENT);
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-part-'));
    network = await FakeNetwork.create({});
    ({ root } = await network.client().put(bytes));
  });
  afterEach(async () => {
    await network.stop();
    await rm(directory, { recursive: true });
  });
  const at = (...names: readonly string[]): string => join(directory, ...names);
  const assertTaken = (download: Promise<unknown>): Promise<void> =>
    assert.rejects(download, (error) => isFault(error, 'SDK_PATH_EXISTS'));
  const checkpoint = (doneBytes: number): string =>
    JSON.stringify({ version: 1, name: root, sizeBytes: bytes.length, doneBytes });

  it('do not meet the files of a directory that have such names', async () => {
    const contents = new Map([
      ['x', bytes],
      ['x.part', aperiodicBytes(3 * SEGMENT)],
      ['x.part.json', aperiodicBytes(2 * SEGMENT)],
    ]);
    const items = [...contents].map(
      ([path, content]): DirectoryItem => ({
        kind: 'file',
        path,
        open: async () => memoryFileSource(content),
      }),
    );
    const stored = await network.client().putDirectory(items);
    await downloadDirectory(network.client(), stored.root, at('out'));
    assert.deepEqual(await readdir(at('out')), [...contents.keys()]);
    for (const [path, content] of contents) {
      assert.deepEqual(new Uint8Array(await readFile(at('out', path))), content, path);
    }
  });

  for (const name of ['a.part', 'a.part.json', 'a.part.lock']) {
    it(`leave somebody else's ${name} as it is`, async () => {
      await writeFile(at(name), 'mine');
      for (const resume of [true, false]) {
        await assertTaken(downloadToPath(network.client(), root, at('a'), { resume }));
      }
      assert.deepEqual(await readdir(directory), [name]);
      assert.equal(await readFile(at(name), 'utf8'), 'mine');
    });
  }

  it('are not written through a link', async () => {
    await writeFile(at('mine'), 'mine');
    await symlink('mine', at('a.part'));
    await writeFile(at('a.part.json'), checkpoint(0));
    await assertTaken(downloadToPath(network.client(), root, at('a')));
    assert.equal(await readFile(at('mine'), 'utf8'), 'mine');
  });

  it('are written by one download at a time', async () => {
    let second: Promise<void> | undefined;
    await downloadToPath(network.client(), root, at('a'), {
      onProgress: (doneBytes) => {
        if (doneBytes === 0) return;
        second ??= assertTaken(downloadToPath(network.client(), root, at('a'), { resume: false }));
      },
    });
    await second;
    assert.deepEqual(new Uint8Array(await readFile(at('a'))), bytes);
    assert.deepEqual(await readdir(directory), ['a']);
  });

  for (const breakRuns of [0, 2]) {
    it(`hold every byte of segments that came together, ${breakRuns} replies broken off`, async () => {
      const long = aperiodicBytes(44 * SEGMENT + 5);
      const stored = await network.client().put(long);
      const [node] = network.nodes;
      assert.ok(node !== undefined);
      node.breakRuns = breakRuns;
      await downloadToPath(network.client(), stored.root, at('a'));
      assert.ok(node.runs.includes(8), `${node.runs}`);
      const same = Buffer.compare(await readFile(at('a')), long) === 0;
      assert.ok(same, 'the bytes are those that were stored');
    });
  }

  it('are published only as they were written', async () => {
    const replaced = downloadToPath(network.client(), root, at('a'), {
      onProgress: (doneBytes, totalBytes) => {
        if (doneBytes < totalBytes) return;
        rmSync(at('a.part'));
        writeFileSync(at('a.part'), 'other');
      },
    });
    await assertTaken(replaced);
    assert.equal((await readdir(directory)).includes('a'), false);
  });

  it('are gone on with after a kill, and begun anew where that is wanted', async () => {
    for (const resume of [true, false]) {
      await mkdir(at('a.part.lock'));
      await writeFile(at('a.part.lock', 'LOCK.1'), '999999999 1\n');
      await writeFile(at('a.part'), bytes.subarray(0, 2 * SEGMENT));
      await writeFile(at('a.part.json'), checkpoint(SEGMENT));
      const { resumedBytes } = await downloadToPath(network.client(), root, at('a'), { resume });
      assert.equal(resumedBytes, resume ? SEGMENT : 0);
      assert.deepEqual(new Uint8Array(await readFile(at('a'))), bytes);
      assert.deepEqual(await readdir(directory), ['a']);
      await rm(at('a'));
    }
  });

  it('can be gone on with when they were cut off before the first checkpoint', async () => {
    const stop = new AbortController();
    const cut = downloadToPath(network.client(), root, at('a'), {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('cut')),
    });
    await assert.rejects(cut, /cut/);
    assert.deepEqual((await readdir(directory)).sort(), ['a.part', 'a.part.json']);
    await downloadToPath(network.client(), root, at('a'));
    assert.deepEqual(new Uint8Array(await readFile(at('a'))), bytes);
  });
});
