import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryFileSource } from '@cairn/log-layer';
import { isFault } from '@cairn/primitives';
import type { DirectoryItem } from '../src/directories.ts';
import { downloadDirectory } from '../src/node/local-directory.ts';
import { aperiodicBytes, FakeNetwork } from './support/fake-network.ts';

describe('files that differ in trailing zeros only', () => {
  let network: FakeNetwork;
  let directory: string;
  beforeEach(async () => {
    network = await FakeNetwork.create({});
    directory = await mkdtemp(join(tmpdir(), 'cairn-same-root-'));
  });
  afterEach(async () => {
    await network.stop();
    await rm(directory, { recursive: true });
  });
  const short = aperiodicBytes(3);
  const long = new Uint8Array(103);
  long.set(short);
  const file = (path: string, bytes: Uint8Array): DirectoryItem => ({
    kind: 'file',
    path,
    open: async () => memoryFileSource(bytes),
  });

  for (const [first, second] of [
    [long, short],
    [short, long],
  ] as const) {
    it(`both come back from one directory, ${first.length} bytes before ${second.length}`, async () => {
      const items = [file('a', first), file('b', second)];
      const { root } = await network.client().putDirectory(items);
      assert.equal(network.entries.length, 2, 'they share an entry; the manifest has one');
      await downloadDirectory(network.client(), root, join(directory, 'out'));
      assert.deepEqual(new Uint8Array(await readFile(join(directory, 'out', 'a'))), first);
      assert.deepEqual(new Uint8Array(await readFile(join(directory, 'out', 'b'))), second);
    });
  }

  it('are paid for as two files', async () => {
    const receipts = [await network.client().put(short), await network.client().put(long)];
    assert.equal(receipts[0]?.root, receipts[1]?.root);
    assert.equal(network.payments, 2);
    assert.deepEqual(
      network.entries.map(({ sizeBytes }) => sizeBytes),
      [3, 103],
    );
  });

  it('are not cut to what the log says when a manifest says that they are longer', async () => {
    const { root } = await network.client().putDirectory([file('a', long)]);
    const [entry] = network.entries;
    assert.ok(entry !== undefined);
    network.entries[0] = { ...entry, sizeBytes: short.length };
    const brought = downloadDirectory(network.client(), root, join(directory, 'out'));
    await assert.rejects(brought, (error) => isFault(error, 'SDK_SIZE_DISPUTED'));
    assert.deepEqual(await readdir(join(directory, 'out')), []);
  });

  it('keep their lengths in the receipt of the file they are fragments of', async () => {
    const zeros = new Uint8Array(2 * 262_144 - 100);
    const receipt = await network.client().put(zeros, { fragmentBytes: 262_144 });
    assert.equal(new Set(receipt.fragments.map(({ root }) => root)).size, 1);
    assert.equal(receipt.sizeBytes, zeros.length);
    assert.deepEqual(await network.client().getBytes(receipt.root, { path: 'file' }), zeros);
  });
});
