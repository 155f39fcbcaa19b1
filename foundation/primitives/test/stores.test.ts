import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toHex } from '../src/bytes.ts';
import { memoryFileStore } from '../src/ports/file-store.ts';
import { memoryKeyValueStore } from '../src/ports/key-value-store.ts';

const { signal } = new AbortController();

describe('memory stores', () => {
  it('reads zeros where nothing was written, and what was written elsewhere', async () => {
    const writes = fc.array(
      fc.tuple(fc.nat({ max: 200_000 }), fc.uint8Array({ minLength: 1, maxLength: 70_000 })),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(writes, async (list) => {
        const store = memoryFileStore();
        const model = new Uint8Array(300_000);
        for (const [offset, bytes] of list) {
          await store.write(offset, bytes);
          model.set(bytes, offset);
        }
        assert.ok(Buffer.from(await store.read(0, model.length)).equals(model));
        assert.ok(Buffer.from(await store.read(65_530, 12)).equals(model.subarray(65_530, 65_542)));
      }),
      { seed: 11, numRuns: 20 },
    );
  });

  it('walks a key range in order, both ways', async () => {
    const store = memoryKeyValueStore();
    const keys = [3, 1, 2, 9].map((byte) => Uint8Array.of(byte));
    await store.write(keys.map((key) => ({ type: 'put', key, value: key })));
    await store.write([{ type: 'delete', key: Uint8Array.of(9) }]);
    const walk = async (range: Parameters<typeof store.entries>[0]): Promise<string[]> => {
      const found: string[] = [];
      for await (const [key] of store.entries(range, { signal })) found.push(toHex(key));
      return found;
    };
    assert.deepEqual(await walk({}), ['0x01', '0x02', '0x03']);
    assert.deepEqual(await walk({ reverse: true, limit: 2 }), ['0x03', '0x02']);
    assert.deepEqual(await walk({ gte: Uint8Array.of(2), lt: Uint8Array.of(3) }), ['0x02']);
    assert.deepEqual(await store.getMany([Uint8Array.of(9), Uint8Array.of(1)]), [
      undefined,
      Uint8Array.of(1),
    ]);
  });
});
