import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFault, memoryKeyValueStore, seededRng, toHex, utf8Bytes } from '@cairn/primitives';
import fc from 'fast-check';
import { openLevelStore } from '../../src/level/open-level-store.ts';
import { firstOutput, killHard, runChild } from '../child.ts';
import { inTemporaryDirectory } from '../temporary-directory.ts';

const { signal } = new AbortController();
const levelModule = new URL('../../src/level/open-level-store.ts', import.meta.url).href;
const bytes = (max: number) => fc.uint8Array({ minLength: 1, maxLength: max });

async function all(
  entries: AsyncIterable<readonly [Uint8Array, Uint8Array]>,
): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const [key, value] of entries) found.push([toHex(key), toHex(value)]);
  return found;
}

describe('level store', () => {
  it('lets others have their turn in a loop of reads, which sees each write at once', async () => {
    await inTemporaryDirectory(async (directory) => {
      const store = await openLevelStore({ directory });
      const key = utf8Bytes('key');
      let turns = 0;
      let goesOn = true;
      const others = (async () => {
        while (goesOn) {
          await new Promise((resolve) => setImmediate(resolve));
          turns += 1;
        }
      })();
      for (let round = 0; round < 10; round += 1) {
        await store.write([{ type: 'put', key, value: Uint8Array.of(round) }]);
        const before = turns;
        for (let read = 0; read < 1000; read += 1) {
          assert.deepEqual(await store.get(key), Uint8Array.of(round));
        }
        assert.ok(turns - before >= 3, `${turns - before} turns in 1,000 reads`);
      }
      goesOn = false;
      await others;
      assert.equal(await store.get(utf8Bytes('none')), undefined);
      await store.close();
      await assert.rejects(store.get(key), (error) => isFault(error, 'LEVEL_CLOSED'));
    });
  });

  it('holds and orders what a store in memory does', async () => {
    const write = fc.oneof(
      fc.record({ type: fc.constant('put' as const), key: bytes(3), value: bytes(40) }),
      fc.record({ type: fc.constant('delete' as const), key: bytes(3) }),
    );
    const range = fc.record(
      {
        gte: bytes(3),
        lt: bytes(3),
        reverse: fc.boolean(),
        limit: fc.nat(20),
      },
      { requiredKeys: [] },
    );
    await inTemporaryDirectory(async (directory) => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(write, { maxLength: 30 }), { maxLength: 5 }),
          fc.array(range, { maxLength: 5 }),
          async (batches, ranges) => {
            run += 1;
            const store = await openLevelStore({ directory: join(directory, String(run)) });
            const model = memoryKeyValueStore();
            for (const batch of batches) {
              await store.write(batch);
              await model.write(batch);
            }
            for (const one of [{}, ...ranges]) {
              assert.deepEqual(
                await all(store.entries(one, { signal })),
                await all(model.entries(one, { signal })),
              );
            }
            const keys = batches.flat().map(({ key }) => key);
            assert.deepEqual(
              (await store.getMany(keys)).map((value) => value && toHex(value)),
              (await model.getMany(keys)).map((value) => value && toHex(value)),
            );
            await store.close();
          },
        ),
        { numRuns: 40 },
      );
    });
  });

  it('gives the room of deleted entries back when it is compacted, and keeps the others', async () => {
    await inTemporaryDirectory(async (directory) => {
      const store = await openLevelStore({ directory, writeBufferBytes: 65_536 });
      const rng = seededRng(5);
      const keys = Array.from({ length: 64 }, (_, index) => Uint8Array.of(index));
      for (const key of keys) {
        await store.write([{ type: 'put', key, value: rng.fill(new Uint8Array(32_768)) }]);
      }
      await store.write(keys.slice(1).map((key) => ({ type: 'delete', key })));
      await store.compact();
      const left = await all(store.entries({}, { signal }));
      assert.deepEqual(
        left.map(([key]) => key),
        ['0x00'],
      );
      await store.close();
      let sizeBytes = 0;
      for (const name of await readdir(directory)) {
        sizeBytes += (await stat(join(directory, name))).size;
      }
      assert.ok(sizeBytes < 1_048_576, `${sizeBytes} bytes of 2 MiB written`);
    });
  });

  it('iterates over what was there at the call, and stops when told', async () => {
    await inTemporaryDirectory(async (directory) => {
      const store = await openLevelStore({ directory });
      const put = (name: string) =>
        ({ type: 'put', key: utf8Bytes(name), value: utf8Bytes(name) }) as const;
      await store.write([put('a'), put('b')]);
      const entries = store.entries({}, { signal });
      await store.write([put('c')], { sync: true });
      assert.equal((await all(entries)).length, 2);
      const stop = new AbortController();
      await assert.rejects(async () => {
        for await (const _ of store.entries({}, { signal: stop.signal })) {
          stop.abort(new Error('enough'));
        }
      }, /enough/);
      assert.throws(() => store.getMany(new Array<Uint8Array>(10_001)), RangeError);
      await store.close();
      await assert.rejects(store.get(utf8Bytes('a')), (error) => isFault(error, 'LEVEL_CLOSED'));
    });
  });

  it('returns arrays of its own, not Buffers that share memory', async () => {
    await inTemporaryDirectory(async (directory) => {
      const store = await openLevelStore({ directory });
      await store.write([{ type: 'put', key: utf8Bytes('k'), value: utf8Bytes('value') }]);
      const value = await store.get(utf8Bytes('k'));
      assert.equal(Buffer.isBuffer(value), false);
      value?.fill(0);
      assert.deepEqual(await store.get(utf8Bytes('k')), utf8Bytes('value'));
      assert.equal(await store.get(utf8Bytes('none')), undefined);
      await store.close();
    });
  });

  it('has every synced batch after its process was killed', async () => {
    await inTemporaryDirectory(async (directory) => {
      const child = runChild(
        `import { openLevelStore } from ${JSON.stringify(levelModule)};
         const store = await openLevelStore({ directory: ${JSON.stringify(directory)} });
         for (let index = 0; index < 50; index += 1) {
           await store.write(
             [{ type: 'put', key: new Uint8Array([index]), value: new Uint8Array(100).fill(index) }],
             { sync: true },
           );
         }
         console.log('written');
         setInterval(() => {}, 1000);`,
      );
      await firstOutput(child);
      await assert.rejects(openLevelStore({ directory }), (error) => {
        assert.ok(isFault(error, 'LEVEL_LOCKED'));
        assert.ok(error.message.includes(directory));
        return true;
      });
      await killHard(child);
      const store = await openLevelStore({ directory });
      assert.equal((await all(store.entries({}, { signal }))).length, 50);
      assert.deepEqual(await store.get(new Uint8Array([49])), new Uint8Array(100).fill(49));
      await store.close();
    });
  });

  it('names a damaged directory', async () => {
    await inTemporaryDirectory(async (directory) => {
      const store = await openLevelStore({ directory });
      await store.write([{ type: 'put', key: utf8Bytes('k'), value: utf8Bytes('v') }]);
      await store.close();
      const manifest = (await readdir(directory)).find((name) => name.startsWith('MANIFEST'));
      await writeFile(join(directory, manifest ?? ''), 'garbage');
      await assert.rejects(openLevelStore({ directory }), (error) => {
        assert.ok(isFault(error, 'LEVEL_CORRUPT'));
        assert.ok(error.message.includes(directory));
        return true;
      });
    });
  });
});
