import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fromHex } from '@cairn/primitives';
import { blake3ContextKey } from '@cairn/primitives/hashes';
import { assignRows } from '../src/assign-rows.ts';
import { encodeParams } from '../src/blob-params.ts';
import { commitBlob } from '../src/commitment.ts';
import { multiply, pointOf } from '../src/field.ts';
import { sliceOf } from '../src/slice.ts';
import { encodeSlice } from '../src/slice-message.ts';
import { evaluate, interpolate } from '../src/transform.ts';
import { optionsOf, SUITES } from './blob-support.ts';
import { signal } from './support.ts';

const SPEC = new URL('../../../docs/spec/codec.md', import.meta.url);

interface Vectors {
  readonly commitments: readonly {
    readonly suite: 0 | 1;
    readonly payload: string;
    readonly cosets: number;
    readonly minLog2K: number;
    readonly params: string;
    readonly cosetRoots: readonly string[];
    readonly combinationRoot: string;
    readonly commitment: string;
    readonly slice: { readonly rows: readonly number[]; readonly sha256: string };
  }[];
  readonly placements: readonly {
    readonly suite: 0 | 1;
    readonly commitment: string;
    readonly seed: string;
    readonly dataRows: number;
    readonly rows: number;
    readonly seats: readonly number[];
    readonly arcs: readonly (readonly [number, number])[];
  }[];
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const four = (element: number): string => element.toString(16).padStart(4, '0');

describe('docs/spec/codec.md', () => {
  let text: string;
  let vectors: Vectors;
  before(async () => {
    text = await readFile(SPEC, 'utf8');
    vectors = JSON.parse(/```json\n([^`]*)```/.exec(text)?.[1] ?? '') as Vectors;
  });
  const says = (words: string): void => assert.ok(text.includes(words), words);

  it('has the field as it is', () => {
    says(Array.from({ length: 8 }, (_, bit) => four(pointOf(256 << bit))).join(' '));
    for (let index = 0; index < 512; index += 1) assert.equal(pointOf(index), index);
    for (const [left, right] of [
      [2, 2],
      [0x100, 0x100],
      [0x1234, 0xabcd],
    ] as const) {
      says(`${four(left)} · ${four(right)} = ${four(multiply(left, right))}`);
    }
  });

  it('has the code as it is', () => {
    const coefficients = Uint16Array.from([1, 2, 3, 0x1234]);
    interpolate(coefficients, 0);
    for (const coset of [1, 2, 3]) {
      const values = coefficients.slice();
      evaluate(values, 4 * coset);
      const symbols = [...values].map(four);
      const words = `${symbols.join(' ')} in coset ${coset}`;
      assert.ok(text.replaceAll('\n', ' ').includes(words), words);
    }
  });

  it('has the keys as they are', () => {
    const uses = ['leaf', 'node', 'rows', 'challenge', 'commitment', 'placement', 'expand'];
    for (const use of uses) {
      says(`\`Cairn ZR1 2026-11 ${use}\``);
      says(`    ${use.padEnd(12)}${hex(blake3ContextKey(`Cairn ZR1 2026-11 ${use}`))}\n`);
    }
  });

  it('has the commitments as they are, three for each suite', async () => {
    assert.deepEqual(
      vectors.commitments.map(({ suite }) => suite),
      [0, 0, 0, 1, 1, 1],
    );
    for (const vector of vectors.commitments) {
      const { cosets, minLog2K } = vector;
      const suite = SUITES[vector.suite] ?? assert.fail();
      const payload = fromHex(vector.payload);
      const blob = await commitBlob(payload, { cosets, minLog2K }, optionsOf(suite));
      assert.equal(hex(encodeParams(blob)), vector.params);
      assert.deepEqual(blob.cosetRoots.map(hex), vector.cosetRoots);
      assert.equal(hex(blob.combinationTree.root), vector.combinationRoot);
      assert.equal(hex(blob.commitment), vector.commitment);
      const message = encodeSlice(await sliceOf(blob, vector.slice.rows, { signal }));
      assert.equal(createHash('sha256').update(message).digest('hex'), vector.slice.sha256);
    }
  });

  it('has the placements as they are', () => {
    assert.equal(vectors.placements.length, 2);
    for (const { suite, commitment, seed, seats, arcs, ...shape } of vectors.placements) {
      const assigned = assignRows(
        seats.map((count, id) => ({ id, seats: count })),
        shape,
        {
          suite: SUITES[suite] ?? assert.fail(),
          commitment: fromHex(commitment),
          seed: fromHex(seed),
        },
      );
      assert.deepEqual(
        assigned.map(({ start, count }) => [start, count]),
        arcs,
      );
    }
  });
});
