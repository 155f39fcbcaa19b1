import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GIB, isFault, isZeroBytes, memoryFileStore } from '@cairn/primitives';
import fc from 'fast-check';
import { openFlatFileStore } from '../../src/files/flat-file-store.ts';
import { inTemporaryDirectory } from '../temporary-directory.ts';

const run = promisify(execFile);

type Step =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'read'; readonly offset: number; readonly length: number }
  | { readonly kind: 'discard'; readonly offset: number; readonly length: number }
  | { readonly kind: 'sync' | 'reopen' };

const offset = fc.integer({ min: 0, max: 3000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    offset,
    bytes: fc.uint8Array({ maxLength: 700 }),
  }),
  fc.record({ kind: fc.constant('read' as const), offset, length: fc.nat(1500) }),
  fc.record({ kind: fc.constant('discard' as const), offset, length: fc.nat(900) }),
  fc.record({ kind: fc.constantFrom('sync' as const, 'reopen' as const) }),
);

describe('flat file store', () => {
  it('reads what a store in memory would, across files, reopenings and discards', async () => {
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
                case 'discard':
                  await store.discard(one.offset, one.length);
                  await model.write(one.offset, new Uint8Array(one.length));
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

  it('gives the room of discarded ends back to the disk', async () => {
    await inTemporaryDirectory(async (directory) => {
      const store = await openFlatFileStore({ directory, fileBytes: 1_048_576 });
      await store.write(0, new Uint8Array(2_097_152).fill(1));
      await store.sync();
      await store.discard(524_288, 1_572_864);
      const sizes = await Promise.all(
        ['00000000.flat', '00000001.flat'].map((name) => stat(join(directory, name))),
      );
      assert.deepEqual(
        sizes.map(({ size }) => size),
        [524_288, 0],
      );
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
        await store.discard(262_144, 4_194_304);
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
