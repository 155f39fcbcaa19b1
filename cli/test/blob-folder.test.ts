import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRowSuite } from '@cairn/commitments/rows';
import { type CommittedBlob, commitBlob, loadWasmCodec } from '@cairn/erasure-codec';
import { isFault, seededRng } from '@cairn/primitives';
import { inBlobFolder, writeBlobFolder } from '../src/blob-folder.ts';
import { reportOf } from '../src/exit-codes.ts';

const { signal } = new AbortController();
const ignore = (): void => undefined;

describe('the folder of a blob', () => {
  let place: string;
  let folder: string;
  /** Rows of 12 MiB: two slice files. */
  let blob: CommittedBlob;
  before(async () => {
    const payload = seededRng(1).fill(new Uint8Array(3_000_000));
    const codec = await loadWasmCodec();
    blob = await commitBlob(payload, {}, { codec, suite: await loadRowSuite(0), signal });
  });
  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'cairn-blob-'));
    folder = join(place, 'some', 'rows');
  });
  afterEach(() => rm(place, { recursive: true }));

  it('is gone again if the command is told to stop, and can be written then', async () => {
    const stop = new AbortController();
    let slices = 0;
    const onSlice = (): void => {
      slices += 1;
      if (slices === 1) stop.abort(new Error('enough'));
    };
    const { held } = blob;
    const deaf: CommittedBlob = {
      ...blob, // its rows are read whatever the signal says: the folder's writer has to look
      held: {
        leaves: held.leaves,
        combine: (...asked) => held.combine(...asked),
        read: (indexes) => held.read(indexes, { signal }),
        release: () => held.release(),
      },
    };
    const filling = inBlobFolder(folder, () =>
      writeBlobFolder(folder, deaf, { signal: stop.signal, onSlice }),
    );
    await assert.rejects(filling, /enough/);
    assert.equal(slices, 1, 'no further slice was begun');
    assert.deepEqual(await readdir(place), []);
    await inBlobFolder(folder, () => writeBlobFolder(folder, blob, { signal, onSlice: ignore }));
    assert.deepEqual((await readdir(folder)).sort(), [
      'blob.json',
      'slice-00000.bin',
      'slice-00001.bin',
    ]);
  });

  it('loses what the command wrote if that fails, and nothing else', async () => {
    await mkdir(folder, { recursive: true });
    const foreign = join(folder, 'slice-00001.bin');
    const filling = inBlobFolder(folder, async () => {
      await writeFile(foreign, 'of somebody else');
      return writeBlobFolder(folder, blob, { signal, onSlice: ignore });
    });
    await assert.rejects(filling, { code: 'EEXIST' });
    assert.deepEqual(await readdir(folder), ['slice-00001.bin']);
    await rm(foreign);
    const failing = inBlobFolder(folder, () => Promise.reject(new Error('no codec')));
    await assert.rejects(failing, /no codec/);
    assert.deepEqual(await readdir(folder), [], 'a folder that was there stays');
  });

  it('has to be a new or an empty one', async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'notes'), 'mine');
    await assert.rejects(inBlobFolder(folder, assert.fail), (error) => {
      assert.ok(isFault(error, 'CLI_FOLDER_NOT_EMPTY'));
      const { exit, next } = reportOf(error);
      assert.equal(exit, 1);
      assert.equal(next, 'Name a new or an empty directory with --out.');
      return true;
    });
    assert.deepEqual(await readdir(folder), ['notes']);
  });
});
