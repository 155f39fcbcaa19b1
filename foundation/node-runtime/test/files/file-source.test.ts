import assert from 'node:assert/strict';
import { rename, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concatBytes, isFault, seededRng } from '@cairn/primitives';
import { openFileSource } from '../../src/files/file-source.ts';
import { inTemporaryDirectory } from '../temporary-directory.ts';

const { signal } = new AbortController();
const content = seededRng(11).fill(new Uint8Array(300_001));

describe('file source', () => {
  it('gives a file in pieces, from and to any byte', async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'in');
      await writeFile(path, content);
      const source = await openFileSource(path);
      assert.equal(source.sizeBytes, content.length);
      const pieces: Uint8Array[] = [];
      for await (const piece of source.pieces({ signal, pieceBytes: 65_536 })) pieces.push(piece);
      assert.deepEqual(
        pieces.map(({ length }) => length),
        [65_536, 65_536, 65_536, 65_536, 37_857],
      );
      assert.deepEqual(concatBytes(...pieces), content);
      const part: Uint8Array[] = [];
      for await (const piece of source.pieces({ signal, from: 7, to: 20 })) part.push(piece);
      assert.deepEqual(concatBytes(...part), content.slice(7, 20));
      assert.deepEqual(await source.read(299_999, 2), content.slice(299_999));
      await source.close();
    });
  });

  it('tells which file it reads, whatever has its name by now', async () => {
    await inTemporaryDirectory(async (directory) => {
      const [path, other] = [join(directory, 'in'), join(directory, 'other')];
      await writeFile(path, content);
      await writeFile(other, 'other');
      const { ino, mtimeMs } = await stat(path);
      const source = await openFileSource(path);
      await rename(other, path);
      const { inode, modifiedMs } = source.identity;
      assert.deepEqual([inode, modifiedMs], [ino, mtimeMs]);
      await source.close();
      const replaced = await openFileSource(path);
      assert.notEqual(replaced.identity.inode, ino);
      await replaced.close();
    });
  });

  it('says so when the file gets shorter, is missing or is a directory', async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'in');
      await writeFile(path, content);
      const source = await openFileSource(path);
      await truncate(path, 10);
      await assert.rejects(source.read(0, 20), (error) => isFault(error, 'SOURCE_FILE_CHANGED'));
      await source.close();
      for (const wrong of [join(directory, 'none'), directory]) {
        await assert.rejects(openFileSource(wrong), (error) => isFault(error, 'DISK_IO'));
      }
    });
  });

  it('stops between pieces when its signal aborts', async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'in');
      await writeFile(path, content);
      const source = await openFileSource(path);
      const stop = new AbortController();
      let seen = 0;
      await assert.rejects(async () => {
        for await (const _ of source.pieces({ signal: stop.signal, pieceBytes: 1000 })) {
          seen += 1;
          if (seen === 3) stop.abort(new Error('enough'));
        }
      }, /enough/);
      assert.equal(seen, 3);
      await source.close();
    });
  });
});
