import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Hasher, rootOfNodes } from '@cairn/commitments';
import { concatBytes, equalBytes, isFault, toHex } from '@cairn/primitives';
import fc from 'fast-check';
import { type FileSource, memoryFileSource, sliceSource } from '../src/file-source.ts';
import { fragmentBytesFor, fragmentRanges, fragmentSources } from '../src/fragments.ts';
import { prepareFile } from '../src/prepare-file.ts';
import { testHasher } from './support/files.ts';

const signal = new AbortController().signal;

async function bytesOf(source: FileSource, range?: { offset: number; length: number }) {
  const parts: Uint8Array[] = [];
  for await (const part of source.stream({ signal }, range)) parts.push(part);
  return concatBytes(...parts);
}

describe('file sources', () => {
  it('read and stream the same bytes, whole or in part, sliced or not', async () => {
    const bytes = Uint8Array.from({ length: 600_000 }, (_, at) => (at * 31) >> 3);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(600_000),
        fc.nat(600_000),
        fc.nat(600_000),
        fc.nat(600_000),
        async (a, b, c, d) => {
          const [from, to] = a < b ? [a, b] : [b, a];
          const slice = sliceSource(memoryFileSource(bytes), from, to - from);
          const [start, end] = [Math.min(c, d), Math.max(c, d)].map((at) =>
            Math.min(at, slice.sizeBytes),
          );
          assert.ok(start !== undefined && end !== undefined);
          const range = { offset: start, length: end - start };
          const expected = bytes.subarray(from + start, from + end);
          assert.ok(equalBytes(await slice.read(start, end - start, { signal }), expected));
          assert.ok(equalBytes(await bytesOf(slice, range), expected));
          assert.equal((await bytesOf(slice)).length, slice.sizeBytes);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('refuse ranges beyond the end', async () => {
    const slice = sliceSource(memoryFileSource(new Uint8Array(100)), 10, 50);
    await assert.rejects(slice.read(40, 11, { signal }), RangeError);
    assert.throws(() => sliceSource(slice, 0, 51), RangeError);
    assert.throws(() => sliceSource(slice, -1, 2), RangeError);
  });
});

describe('fragments', () => {
  it('tile the file in powers of two', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.integer({ min: 1, max: 2000 }), (sizeBytes, wish) => {
        const length = fragmentBytesFor(wish);
        const ranges = [...fragmentRanges(sizeBytes, wish)];
        assert.ok(Number.isInteger(Math.log2(length)) && length >= 256 && length >= wish);
        assert.equal(
          ranges.reduce((sum, range) => sum + range.length, 0),
          sizeBytes,
        );
        for (const [place, { offset }] of ranges.entries()) assert.equal(offset, place * length);
      }),
    );
    assert.deepEqual(
      [...fragmentRanges(600, 512)],
      [
        { offset: 0, length: 512 },
        { offset: 512, length: 88 },
      ],
    );
  });

  it('are sources of their own', async () => {
    const bytes = Uint8Array.from({ length: 700 }, (_, at) => at & 255);
    const parts = await Promise.all(
      fragmentSources(memoryFileSource(bytes), 256).map((source) => bytesOf(source)),
    );
    assert.ok(equalBytes(concatBytes(...parts), bytes));
  });
});

describe('prepareFile', () => {
  let hasher: Hasher;
  before(async () => {
    hasher = await testHasher();
  });

  it('gives the roots and nodes of the official client', async () => {
    const url = new URL('../../test/vectors/storage.json', import.meta.url);
    const { files } = JSON.parse(readFileSync(url, 'utf8')) as {
      files: { size: number; root: string; nodes?: { height: number; root: string }[] }[];
    };
    const known = files.filter(({ size }) => size > 0 && size <= 600_000);
    assert.ok(known.length >= 8);
    for (const { size, root } of known) {
      const bytes = Uint8Array.from(
        { length: size },
        (_, i) => ((i * 31 + 7) % 256) ^ ((i >> 8) & 255),
      );
      const prepared = await prepareFile(memoryFileSource(bytes), { hasher, signal });
      assert.equal(prepared.root, root, `size ${size}`);
      assert.equal(prepared.sizeBytes, size);
      const sectors = prepared.nodes.reduce((sum, { height }) => sum + 2 ** height, 0);
      assert.equal(sectors, prepared.shape.paddedSectors);
      assert.equal(toHex(rootOfNodes(prepared.nodes)), root);
    }
  });

  it('refuses empty files and sources that change', async () => {
    await assert.rejects(
      prepareFile(memoryFileSource(new Uint8Array(0)), { hasher, signal }),
      (e) => isFault(e, 'FILE_EMPTY'),
    );
    const lying = { ...memoryFileSource(new Uint8Array(500)), sizeBytes: 600 };
    await assert.rejects(prepareFile(lying, { hasher, signal }), (e) => isFault(e, 'FILE_LENGTH'));
  });
});
