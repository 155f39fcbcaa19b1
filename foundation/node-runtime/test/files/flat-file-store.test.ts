import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type FileStore,
  GIB,
  isFault,
  isZeroBytes,
  memoryFileStore,
  seededRng,
} from '@cairn/primitives';
import fc from 'fast-check';
import {
  type ByteSpan,
  type FlatFileStore,
  openFlatFileStore,
} from '../../src/files/flat-file-store.ts';
import { inTemporaryDirectory } from '../temporary-directory.ts';

const run = promisify(execFile);

type Step =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'read'; readonly offset: number; readonly length: number }
  | { readonly kind: 'remake'; readonly offset: number; readonly kept: readonly number[] }
  | { readonly kind: 'sync' | 'reopen' };

const offset = fc.integer({ min: 0, max: 3000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    offset,
    bytes: fc.uint8Array({ maxLength: 700 }),
  }),
  fc.record({ kind: fc.constant('read' as const), offset, length: fc.nat(1500) }),
  fc.record({
    kind: fc.constant('remake' as const),
    offset,
    kept: fc.array(fc.nat(255), { maxLength: 6 }),
  }),
  fc.record({ kind: fc.constantFrom('sync' as const, 'reopen' as const) }),
);

const FILE_BYTES = 256;

/** Makes a file anew from `offset` on, if its tail has not come further; the model keeps the same. */
async function remake(
  store: FlatFileStore,
  model: FileStore,
  { offset: from, kept }: { readonly offset: number; readonly kept: readonly number[] },
): Promise<void> {
  const file = Math.floor(from / FILE_BYTES);
  const tail = store.tailOf(file) ?? (file + 1) * FILE_BYTES;
  if (from >= tail) return;
  const edges = [...new Set(kept.map((at) => file * FILE_BYTES + at))]
    .filter((at) => at >= from && at < tail)
    .sort((left, right) => left - right);
  const spans: ByteSpan[] = [];
  for (let at = 0; at + 1 < edges.length; at += 2) {
    const start = edges[at] ?? 0;
    spans.push({ offset: start, length: (edges[at + 1] ?? start) - start });
  }
  const before = await model.read(from, tail - from);
  await store.moveTail(from, spans);
  await model.write(from, new Uint8Array(tail - from));
  for (const { offset: start, length } of spans) {
    await model.write(start, before.subarray(start - from, start - from + length));
  }
}

describe('flat file store', () => {
  it('reads what a store in memory would, across files, reopenings and files made anew', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, maxOpenFiles) => {
          await inTemporaryDirectory(async (directory) => {
            const options = { directory, fileBytes: 256, maxOpenFiles };
            const model = memoryFileStore();
            let store = await openFlatFileStore(options);
            for (const one of steps) {
              switch (one.kind) {
                case 'write':
                  await Promise.all([
                    store.write(one.offset, one.bytes),
                    model.write(one.offset, one.bytes),
                  ]);
                  break;
                case 'read':
                  assert.deepEqual(
                    await store.read(one.offset, one.length),
                    await model.read(one.offset, one.length),
                  );
                  break;
                case 'remake':
                  await remake(store, model, one);
                  break;
                case 'sync':
                  await store.sync();
                  break;
                case 'reopen':
                  await store.close();
                  store = await openFlatFileStore(options);
                  break;
              }
              assert.ok(store.openFiles <= maxOpenFiles, 'no more files open than allowed');
            }
            assert.deepEqual(await store.read(0, 4000), await model.read(0, 4000));
            await store.close();
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps concurrent writes to more files than may be open apart', async () => {
    await inTemporaryDirectory(async (directory) => {
      const store = await openFlatFileStore({ directory, fileBytes: 128, maxOpenFiles: 2 });
      const pieces = Array.from({ length: 60 }, (_, index) => new Uint8Array(100).fill(index + 1));
      await Promise.all(pieces.map((piece, index) => store.write(index * 100, piece)));
      await Promise.all([store.sync(), store.sync()]);
      await Promise.all(
        pieces.map(async (piece, index) => {
          assert.deepEqual(await store.read(index * 100, 100), piece);
        }),
      );
      assert.ok(store.openFiles <= 2);
      await store.close();
    });
  });

  it('addresses positions far beyond 4 GiB without taking up the room before them', async () => {
    await inTemporaryDirectory(async (directory) => {
      const store = await openFlatFileStore({ directory, fileBytes: 8 * GIB });
      const far = 37 * GIB + 12_345;
      await store.write(far, new Uint8Array([1, 2, 3]));
      await store.sync();
      assert.deepEqual([...(await store.read(far - 1, 5))], [0, 1, 2, 3, 0]);
      assert.ok(isZeroBytes(await store.read(1000 * GIB, 10)));
      assert.deepEqual(await readdir(directory), ['00000004.flat']);
      const { blocks } = await stat(join(directory, '00000004.flat'));
      assert.ok(blocks * 512 < 65_536, `${blocks} blocks taken`);
      await store.close();
    });
  });

  it('gives the room of what is not kept back to the disk, step by step from the end', async () => {
    await inTemporaryDirectory(async (directory) => {
      const piece = 262_144;
      const store = await openFlatFileStore({ directory, fileBytes: 8 * piece });
      const bytes = Uint8Array.from({ length: 16 * piece }, (_, at) => (at * 7) % 251);
      await store.write(0, bytes);
      await store.sync();
      const full = await store.occupiedBytes(0);
      for (let at = 6; at >= 0; at -= 2) {
        await store.moveTail(at * piece, [{ offset: at * piece, length: piece }]);
        assert.deepEqual(
          Buffer.compare(
            await store.read(at * piece, piece),
            bytes.subarray(at * piece, (at + 1) * piece),
          ),
          0,
        );
        assert.ok(isZeroBytes(await store.read((at + 1) * piece, piece)));
      }
      assert.equal(store.tailOf(0), undefined, 'it is one file again');
      assert.ok((await store.occupiedBytes(0)) <= full / 2 + 65_536);
      await store.moveTail(8 * piece, []);
      assert.deepEqual(await readdir(directory), ['00000000.flat'], 'an empty one is removed');
      await store.write(8 * piece, bytes.subarray(0, 10));
      await store.sync();
      await store.close();
      const again = await openFlatFileStore({ directory, fileBytes: 8 * piece });
      assert.deepEqual(await again.read(8 * piece, 10), bytes.subarray(0, 10));
      await again.close();
    });
  });

  it('reads and writes on while a file is made anew beneath', async () => {
    await inTemporaryDirectory(async (directory) => {
      const piece = 4096;
      const store = await openFlatFileStore({ directory, fileBytes: 256 * piece, maxOpenFiles: 3 });
      const bytesOf = (at: number): Uint8Array => new Uint8Array(piece).fill(1 + (at % 250));
      for (let at = 0; at < 256; at += 1) await store.write(at * piece, bytesOf(at));
      let isDone = false;
      let reads = 0;
      const rng = seededRng(5);
      const read = async (): Promise<void> => {
        while (!isDone) {
          const at = 2 * rng.below(128); // those that stay
          assert.deepEqual(await store.read(at * piece, piece), bytesOf(at));
          reads += 1;
        }
      };
      const write = async (): Promise<void> => {
        for (let at = 300; !isDone; at += 1) await store.write(at * piece, bytesOf(at));
      };
      const busy = Promise.all([read(), read(), write()]);
      for (let round = 0; round < 3; round += 1) {
        for (let from = 248; from >= 0; from -= 8) {
          const kept = [0, 2, 4, 6].map((at) => ({ offset: (from + at) * piece, length: piece }));
          await store.moveTail(from * piece, kept);
        }
      }
      isDone = true;
      await busy;
      assert.ok(reads > 100);
      await store.close();
    });
  });

  it('refuses positions that are none and work after closing', async () => {
    await inTemporaryDirectory(async (directory) => {
      const store = await openFlatFileStore({ directory });
      assert.throws(() => store.read(-1, 4), RangeError);
      assert.throws(() => store.write(2 ** 53 - 2, new Uint8Array(10)), RangeError);
      await store.close();
      await assert.rejects(store.read(0, 1), (error) => isFault(error, 'STORE_CLOSED'));
    });
  });

  it('says with numbers that a disk is full, keeps what it has and works again with room', async function () {
    if (process.getuid?.() !== 0) this.skip();
    await inTemporaryDirectory(async (directory) => {
      const mount = join(directory, 'small');
      await mkdir(mount);
      try {
        await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]);
      } catch {
        this.skip();
      }
      try {
        const store = await openFlatFileStore({ directory: mount, fileBytes: 4_194_304 });
        await store.write(0, new Uint8Array(524_288).fill(5));
        await store.sync();
        await assert.rejects(store.write(524_288, new Uint8Array(1_048_576).fill(6)), (error) => {
          assert.ok(isFault(error, 'DISK_FULL'));
          assert.equal(Reflect.get(error.facts, 'neededBytes'), 1_048_576);
          assert.ok(Number(Reflect.get(error.facts, 'freeBytes')) < 524_288);
          return true;
        });
        assert.deepEqual(await store.read(0, 524_288), new Uint8Array(524_288).fill(5));
        await store.moveTail(262_144, []); // takes no room, and gives what lay behind back
        await store.write(262_144, new Uint8Array(65_536).fill(7));
        await store.sync();
        assert.deepEqual(await store.read(262_144, 65_536), new Uint8Array(65_536).fill(7));
        await store.close();
      } finally {
        await run('umount', [mount]);
      }
    });
  });
});
