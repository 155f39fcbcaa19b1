import assert from 'node:assert/strict';
import { chainIdOf, concatBytes, seededRng, utf8Bytes, viewOf } from '@cairn/primitives';
import { type ContentReference, partOfContent } from '@cairn/wire-protocol';
import fc from 'fast-check';
import type { Client } from '../../src/client.ts';
import { rowsTimes } from '../../src/jobs/rows-times.ts';
import { scoreRows } from '../../src/jobs/score-rows.ts';
import { parseSafetensorsHeader } from '../../src/references/safetensors.ts';
import { sourceOf } from '../../src/sources.ts';
import { FakeNetwork } from '../support/fake-network.ts';

const options = { signal: new AbortController().signal };

describe('scores of rows', () => {
  it('are the same however the rows are cut into pieces, and what the arithmetic says', async () => {
    const matrix = { values: new Float32Array(floats(1, 15)), outputs: 3, width: 5 };
    const rows = floats(2, 35);
    const whole = await scores([bytesOf(rows)], matrix);
    for (let row = 0; row < 7; row += 1) {
      for (let output = 0; output < 3; output += 1) {
        let sum = 0;
        for (let at = 0; at < 5; at += 1) {
          sum += (matrix.values[output * 5 + at] ?? 0) * (rows[row * 5 + at] ?? 0);
        }
        assert.equal(viewOf(whole).getFloat32(4 * (row * 3 + output), true), Math.fround(sum));
      }
    }
    const cuts = fc.array(fc.integer({ min: 0, max: 140 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const ends = [...places.toSorted((a, b) => a - b), 140];
        const bytes = bytesOf(rows);
        const pieces = ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end));
        assert.deepEqual(await scores(pieces, matrix), whole);
      }),
      { seed: 77, numRuns: 50 },
    );
  });

  it('have one NaN', async () => {
    const matrix = { values: new Float32Array([1, -1]), outputs: 1, width: 2 };
    const infinities = bytesOf(new Float32Array([Infinity, Infinity]));
    const other = new Uint8Array([1, 0, 0xc0, 0xff, 0, 0, 0, 0]); // another NaN, with bits of its own
    for (const row of [infinities, other]) {
      assert.deepEqual(await scores([row], matrix), new Uint8Array([0, 0, 0xc0, 0x7f]));
    }
  });
});

describe('the example program', () => {
  let network: FakeNetwork;
  let client: Pick<Client, 'files'>;
  beforeEach(async () => {
    network = await FakeNetwork.create({});
    client = { files: network.client() };
  });
  afterEach(() => network.stop());

  const referTo = (root: string, sizeBytes: number): ContentReference => ({
    ...{ chainId: chainIdOf(1), globalIndex: 0, sizeBytes, offset: 0, length: sizeBytes },
    root: root as ContentReference['root'],
  });
  const stored = async (bytes: Uint8Array): Promise<ContentReference> =>
    referTo((await client.files.put(bytes)).root, bytes.length);
  const dataset = async (
    files: Readonly<Record<string, Uint8Array>>,
  ): Promise<ContentReference> => {
    const items = Object.entries(files).map(([path, bytes]) => ({
      ...{ kind: 'file' as const, path },
      open: async () => sourceOf(bytes),
    }));
    const { root, manifest } = await client.files.putDirectory(items);
    return referTo(root, manifest.sizeBytes);
  };
  const prepare = (...contents: readonly ContentReference[]) =>
    scoreRows.prepare(
      contents.map((content) => ({ content, client })),
      options,
    );

  it('scores the rows of all .f32 files in order, as a safetensors file as long as it said', async () => {
    const rows = floats(3, 8 * 100);
    const weights = floats(4, 8 * 2);
    const data = await dataset({
      'b.f32': bytesOf(rows.subarray(8 * 60)),
      'a.f32': bytesOf(rows.subarray(0, 8 * 60)),
      'c/empty.f32': new Uint8Array(0),
      'notes.txt': utf8Bytes('no rows'),
    });
    const model = await stored(modelOf(weights, [2, 8]));
    const tensor = partOfContent(model, { offset: model.length - 64, length: 64 });
    const prepared = await prepare(data, tensor);
    const result = await gather(prepared.result(options));
    assert.equal(result.length, prepared.resultBytes);
    const headerBytes = viewOf(result).getUint32(0, true);
    const header = result.subarray(8, 8 + headerBytes);
    const [found] = parseSafetensorsHeader(header, result.length);
    assert.deepEqual(found?.shape, [100, 2]);
    const matrix = { values: weights, outputs: 2, width: 8 };
    const expected = await scores([bytesOf(rows)], matrix);
    assert.deepEqual(result.subarray(found.offset), expected);
    assert.deepEqual(await gather((await prepare(data, tensor)).result(options)), result);
  });

  it('says before a job is taken what it cannot work with', async () => {
    const weights = floats(5, 16);
    const model = await stored(modelOf(weights, [2, 8]));
    const tensor = partOfContent(model, { offset: model.length - 64, length: 64 });
    const flat = await stored(modelOf(weights, [16]));
    const data = await dataset({ 'a.f32': bytesOf(floats(6, 8)) });
    const uneven = await dataset({ 'a.f32': bytesOf(floats(6, 9)) });
    const none = await dataset({ 'a.txt': utf8Bytes('words') });
    const cases: readonly (readonly [RegExp, readonly ContentReference[]])[] = [
      [/takes a dataset and a tensor, not 1 inputs/, [data]],
      [/are none of its tensors/, [data, partOfContent(tensor, { offset: 4, length: 8 })]],
      [/is F32 \[16\], not F32 of two axes/, [data, { ...flat, ...endOf(flat) }]],
      [/a\.f32 has 36 bytes, not whole rows of 8 values/, [uneven, tensor]],
      [/no file of the directory that ends in \.f32 has a row/, [none, tensor]],
    ];
    for (const [message, contents] of cases) {
      await assert.rejects(prepare(...contents), { code: 'JOB_BAD_INPUT', message });
    }
  });
});

function endOf({ sizeBytes }: ContentReference): {
  readonly offset: number;
  readonly length: number;
} {
  return { offset: sizeBytes - 64, length: 64 };
}

async function scores(
  pieces: readonly Uint8Array[],
  matrix: Parameters<typeof rowsTimes>[1],
): Promise<Uint8Array> {
  async function* each(): AsyncGenerator<Uint8Array, void, void> {
    yield* pieces;
  }
  return gather(rowsTimes(each(), matrix, options));
}

async function gather(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return concatBytes(...parts);
}

function floats(seed: number, count: number): Float32Array<ArrayBuffer> {
  const rng = seededRng(seed);
  return Float32Array.from({ length: count }, () => rng.below(2 ** 20) / 2 ** 19 - 1);
}

/** As on this machine, which is little-endian like the format. */
function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function modelOf(values: Float32Array, shape: readonly number[]): Uint8Array {
  const data = bytesOf(values);
  const header = utf8Bytes(
    JSON.stringify({ head: { dtype: 'F32', shape, data_offsets: [0, data.length] } }),
  );
  const prefix = new Uint8Array(8);
  viewOf(prefix).setUint32(0, header.length, true);
  return concatBytes(prefix, header, data);
}
