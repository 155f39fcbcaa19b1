import assert from 'node:assert/strict';
import { plainBlake3Suite, sha256Suite } from '@cairn/commitments/rows';
import { equalBytes, seededRng } from '@cairn/primitives';
import { combinationCoefficients, extendCombinations } from '../src/combination.ts';
import { combinationSecurityBits, combinationSymbolsFor } from '../src/combination-bits.ts';
import { multiply } from '../src/field.ts';
import { scalarCombiner } from '../src/kernels/scalar-combiner.ts';
import { COMBINATION_SYMBOLS } from '../src/params.ts';
import { referenceCodec } from '../src/reference-codec.ts';
import { readSymbol } from '../src/symbols.ts';
import { shapeOf } from './support.ts';

const { signal } = new AbortController();
const rng = seededRng(32);

/** The sum as the definition has it. */
function combine(rows: Uint8Array, rowBytes: number, coefficients: Uint8Array): Uint8Array {
  const combinations = new Uint8Array((rows.length / rowBytes) * 32);
  const view = new DataView(combinations.buffer);
  for (let row = 0; row < rows.length / rowBytes; row += 1) {
    const bytes = rows.subarray(row * rowBytes, (row + 1) * rowBytes);
    for (let column = 0; column < rowBytes / 2; column += 1) {
      for (let k = 0; k < COMBINATION_SYMBOLS; k += 1) {
        const at = column * 32 + 2 * k;
        const factor = (coefficients[at] ?? 0) + 256 * (coefficients[at + 1] ?? 0);
        const sum = view.getUint16(row * 32 + 2 * k, true);
        view.setUint16(row * 32 + 2 * k, sum ^ multiply(readSymbol(bytes, column), factor), true);
      }
    }
  }
  return combinations;
}

describe('combining rows', () => {
  const combiner = scalarCombiner();

  for (const [count, rowBytes] of [
    [1, 64],
    [15, 192],
    [16, 64],
    [17, 320],
    [40, 128],
  ] as const) {
    it(`adds up products as defined: ${count} rows of ${rowBytes} bytes`, () => {
      const rows = rng.fill(new Uint8Array(count * rowBytes));
      const coefficients = rng.fill(new Uint8Array(16 * rowBytes));
      rows.fill(0, 0, 40);
      coefficients.fill(0, 32, 36);
      const expected = combine(rows, rowBytes, coefficients);
      assert.ok(equalBytes(combiner.combineRows(rows, rowBytes, coefficients), expected));
    });
  }

  it('gives the same for a row alone, among others and again', () => {
    const rows = rng.fill(new Uint8Array(32 * 128));
    const coefficients = rng.fill(new Uint8Array(16 * 128));
    const together = combiner.combineRows(rows, 128, coefficients);
    for (const row of [0, 7, 31]) {
      const alone = combiner.combineRows(
        rows.subarray(row * 128, (row + 1) * 128),
        128,
        coefficients,
      );
      assert.ok(equalBytes(alone, together.subarray(row * 32, (row + 1) * 32)));
    }
  });

  it('refuses lengths that do not fit', () => {
    const coefficients = new Uint8Array(16 * 64);
    assert.throws(() => combiner.combineRows(new Uint8Array(65), 64, coefficients), RangeError);
    assert.throws(() => combiner.combineRows(new Uint8Array(96), 96, coefficients), RangeError);
    assert.throws(
      () => combiner.combineRows(new Uint8Array(64), 64, coefficients.subarray(1)),
      RangeError,
    );
  });
});

describe('the combinations of all rows', () => {
  for (const [log2K, cosets] of [
    [2, 1],
    [4, 2],
    [6, 3],
  ] as const) {
    it(`follow from those of ${2 ** log2K} data rows, for ${cosets} cosets`, async () => {
      const shape = shapeOf(log2K, cosets, 128);
      const data = rng.fill(new Uint8Array(shape.dataRows * 128));
      const parity = await referenceCodec().encode(data, shape, { signal });
      for (const suite of [plainBlake3Suite, sha256Suite]) {
        const seed = rng.fill(new Uint8Array(32));
        const coefficients = combinationCoefficients(suite, seed, 128);
        assert.equal(coefficients.length, 64 * 32);
        const combiner = scalarCombiner();
        const extended = extendCombinations(combiner.combineRows(data, 128, coefficients), shape);
        assert.ok(
          equalBytes(
            extended.subarray(shape.dataRows * 32),
            combiner.combineRows(parity, 128, coefficients),
          ),
        );
      }
    });
  }

  it('are refused for another number of data rows', () => {
    assert.throws(() => extendCombinations(new Uint8Array(96), shapeOf(2, 1, 64)), RangeError);
  });
});

describe('the length of a combination', () => {
  for (const [members, symbols, bits] of [
    [100, 16, 92],
    [128, 16, 64],
    [100, 8, -36],
    [200, 16, -8],
    [200, 20, 56],
    [256, 16, -64],
    [256, 20, 0],
    [256, 24, 64],
  ] as const) {
    it(`leaves ${bits} bits with ${members} members, 2^64 trials and ${symbols} symbols`, () => {
      assert.equal(combinationSecurityBits({ members, log2Trials: 64 }, symbols), bits);
    });
  }

  it('is 16 symbols up to 136 members, 20 up to 200 and 24 up to 264, for 56 bits', () => {
    for (const [members, symbols] of [
      [100, 16],
      [136, 16],
      [137, 20],
      [200, 20],
      [201, 24],
      [256, 24],
      [264, 24],
      [265, 28],
    ] as const) {
      assert.equal(combinationSymbolsFor({ members, log2Trials: 64 }, 56), symbols);
    }
  });
});
