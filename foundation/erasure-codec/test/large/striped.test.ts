import assert from 'node:assert/strict';
import { equalBytes, type Rng, seededRng } from '@cairn/primitives';
import {
  loadStripedCodec,
  MAX_STRIPED_SHARDS,
  type StripedCodec,
  StripedError,
  type StripedFault,
} from '../../src/striped.ts';
import { bytesOf, shuffled, signal } from '../support.ts';

function isStripedFault(facts: StripedFault): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StripedError, String(error));
    assert.deepEqual(error.facts, facts);
    return true;
  };
}

function shardsOf(count: number, bytes: number, seed: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => bytesOf(bytes, 1000 * seed + index));
}

describe('the striped codec', () => {
  let codec: StripedCodec;
  before(async () => {
    codec = await loadStripedCodec();
  });

  /** Loses so many shards of a code and has them back. */
  async function assertRecovers(
    { dataShards, parityShards, bytes }: Record<'dataShards' | 'parityShards' | 'bytes', number>,
    lost: number,
    seed: number,
  ): Promise<void> {
    const what = `${dataShards} + ${parityShards} of ${bytes} bytes, ${lost} lost, seed ${seed}`;
    const data = shardsOf(dataShards, bytes, seed);
    const before = data.map((shard) => shard.slice());
    const parity = await codec.encode(data, parityShards, { signal });
    const all = [...data, ...parity];
    assert.deepEqual(
      all.map(({ length }) => length),
      all.map(() => bytes),
    );
    const gone = new Set(shuffled([...all.keys()], seed).slice(0, lost));
    const given = all.map((shard, index) => (gone.has(index) ? undefined : shard));
    const copies = given.map((shard) => shard?.slice());
    const again = await codec.reconstruct(given, dataShards, { signal });
    assert.equal(again.length, all.length);
    for (const [index, shard] of again.entries()) {
      assert.ok(equalBytes(shard, all[index] ?? new Uint8Array()), `${what}: shard ${index}`);
      if (!gone.has(index)) assert.equal(shard, all[index], 'what is there is handed back');
    }
    for (const [index, copy] of copies.entries()) assert.deepEqual(given[index], copy, what);
    for (const [index, shard] of before.entries())
      assert.ok(equalBytes(shard, all[index] as Uint8Array));
  }

  function shapeFor(rng: Rng, most: number): Record<'dataShards' | 'parityShards', number> {
    const count = 2 + rng.below(most - 1);
    const dataShards = 1 + rng.below(count - 1);
    return { dataShards, parityShards: count - dataShards };
  }

  it('has any lost shards back, for shapes and losses of chance', async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const rng = seededRng(seed);
      const shape = shapeFor(rng, seed % 10 === 0 ? MAX_STRIPED_SHARDS : 24);
      const bytes = 1 + rng.below(2000);
      await assertRecovers({ ...shape, bytes }, rng.below(shape.parityShards + 1), seed);
      await assertRecovers({ ...shape, bytes }, shape.parityShards, seed);
    }
  });

  for (const [dataShards, parityShards] of [
    [1, 1],
    [1, 254],
    [254, 1],
    [128, 127],
  ] as const) {
    it(`goes to the limits: ${dataShards} + ${parityShards}`, async () => {
      await assertRecovers({ dataShards, parityShards, bytes: 3 }, parityShards, 7);
    });
  }

  it('works on shards of several pieces', async () => {
    await assertRecovers({ dataShards: 2, parityShards: 1, bytes: 2 ** 23 + 5 }, 1, 3);
  });

  it('takes shards of no bytes', async () => {
    await assertRecovers({ dataShards: 3, parityShards: 2, bytes: 0 }, 2, 1);
  });

  // From `TestOneEncode` of klauspost/reedsolomon, which Backblaze's code agrees with.
  it('makes the parity that others make', async () => {
    const data = [
      [0, 1],
      [4, 5],
      [2, 3],
      [6, 7],
      [8, 9],
    ].map((bytes) => Uint8Array.from(bytes));
    const parity = await codec.encode(data, 5, { signal });
    assert.deepEqual(
      parity.map((shard) => [...shard]),
      [
        [12, 13],
        [10, 11],
        [14, 15],
        [90, 91],
        [94, 95],
      ],
    );
  });

  it('keeps overlapping calls apart', async () => {
    const inputs = Array.from({ length: 12 }, (_, at) => shardsOf(1 + at, 500, at));
    const alone: Uint8Array[][] = [];
    for (const data of inputs) alone.push(await codec.encode(data, 4, { signal }));
    const together = await Promise.all(inputs.map((data) => codec.encode(data, 4, { signal })));
    assert.deepEqual(together, alone);
  });

  it('refuses shards that cannot be of one code', async () => {
    const one = new Uint8Array(8);
    for (const [dataShards, parityShards] of [
      [0, 1],
      [1, 0],
      [2, -1],
      [1, 1.5],
    ] as const) {
      await assert.rejects(
        codec.encode(Array(dataShards).fill(one), parityShards, { signal }),
        isStripedFault({ code: 'STRIPED_NO_SHARDS', dataShards, parityShards }),
      );
    }
    await assert.rejects(
      codec.reconstruct([one, undefined], 2, { signal }),
      isStripedFault({ code: 'STRIPED_NO_SHARDS', dataShards: 2, parityShards: 0 }),
    );
    await assert.rejects(
      codec.encode(Array(200).fill(one), 56, { signal }),
      isStripedFault({ code: 'STRIPED_TOO_MANY_SHARDS', shards: 256, maxShards: 255 }),
    );
    await assert.rejects(
      codec.encode([one, one, new Uint8Array(7)], 2, { signal }),
      isStripedFault({
        code: 'STRIPED_SHARD_LENGTH',
        index: 2,
        expectedBytes: 8,
        actualBytes: 7,
      }),
    );
    await assert.rejects(
      codec.reconstruct([undefined, one, new Uint8Array(9)], 2, { signal }),
      isStripedFault({
        code: 'STRIPED_SHARD_LENGTH',
        index: 2,
        expectedBytes: 8,
        actualBytes: 9,
      }),
    );
    await assert.rejects(
      codec.reconstruct([undefined, one, undefined], 2, { signal }),
      isStripedFault({ code: 'STRIPED_TOO_FEW_SHARDS', have: 1, need: 2 }),
    );
  });

  it('stops with the signal', async () => {
    const stopped = AbortSignal.abort(new Error('enough'));
    const data = shardsOf(2, 10, 1);
    await assert.rejects(codec.encode(data, 1, { signal: stopped }), /enough/);
    await assert.rejects(codec.reconstruct([undefined, ...data], 2, { signal: stopped }), /enough/);
  });
});
