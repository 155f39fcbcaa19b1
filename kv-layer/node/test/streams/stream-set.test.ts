import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseStreamId } from '@cairn/kv-layer';
import { memoryKeyValueStore } from '@cairn/primitives';
import { StreamSet } from '../../src/streams/stream-set.ts';

describe('StreamSet', () => {
  const [first, second] = [1, 2].map((id) => parseStreamId(`0x${String(id).padStart(64, '0')}`));
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-streams-'));
  });

  after(() => rm(folder, { recursive: true, force: true }));

  it('has what was added where the index began anew, and not what somebody made of the copy', async () => {
    assert.ok(first !== undefined && second !== undefined);
    const options = { configured: [first], limit: 10, copy: join(folder, 'streams.json') };
    const index = memoryKeyValueStore();
    assert.equal(await (await StreamSet.open(index, options)).add(second), true);
    for (const kv of [index, memoryKeyValueStore()]) {
      assert.deepEqual((await StreamSet.open(kv, options)).wanted, [first, second]);
    }
    for (const text of ['{"added":', '{"added":["one"]}']) {
      await writeFile(options.copy, text);
      assert.deepEqual((await StreamSet.open(memoryKeyValueStore(), options)).wanted, [first]);
    }
    assert.deepEqual((await StreamSet.open(index, options)).wanted, [first, second]);
    await rm(options.copy);
    await StreamSet.open(index, options); // which makes a copy where none is
    assert.deepEqual((await StreamSet.open(memoryKeyValueStore(), options)).wanted, [
      first,
      second,
    ]);
  });
});
