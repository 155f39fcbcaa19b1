import assert from 'node:assert/strict';
import { equalBytes, seededRng } from '@cairn/primitives';
import { extendCombinations, type RowCombiner } from '../src/combination.ts';
import { scalarCombiner } from '../src/kernels/scalar-combiner.ts';
import { sliceOf, verifySlice } from '../src/slice.ts';
import { buildFor } from '../src/wasm/load-kernel.ts';
import { loadWasmCombiner } from '../src/wasm/wasm-combiner.ts';
import { forge, optionsOf, SUITES, smallLayout } from './blob-support.ts';
import { bytesOf, shapeOf, signal } from './support.ts';

const BUILDS = [...new Set(['strict', buildFor('auto')] as const)];

for (const build of BUILDS) {
  describe(`combining rows in WebAssembly, ${build}`, () => {
    const scalar = scalarCombiner();
    let combiner: RowCombiner;
    before(async () => {
      combiner = await loadWasmCombiner({ build });
    });

    function assertSame(count: number, rowBytes: number, seed: number): void {
      const rows = bytesOf(count * rowBytes, seed);
      const coefficients = bytesOf(16 * rowBytes, seed + 1);
      const expected = scalar.combineRows(rows, rowBytes, coefficients);
      const actual = combiner.combineRows(rows, rowBytes, coefficients);
      assert.equal(actual.length, 32 * count);
      assert.ok(equalBytes(actual, expected), `${count} rows of ${rowBytes} bytes, seed ${seed}`);
    }

    for (const [count, rowBytes] of [
      [0, 64],
      [1, 64],
      [1, 32_768],
      [19, 4096],
      [20, 4160],
      [33, 8256],
      [256, 64],
      [257, 128],
      [600, 192],
    ] as const) {
      it(`gives the scalar combiner's bytes for ${count} rows of ${rowBytes} bytes`, () => {
        assertSame(count, rowBytes, count);
      });
    }

    it("gives the scalar combiner's bytes for rows of any number and length", () => {
      for (let seed = 1; seed <= 40; seed += 1) {
        const rng = seededRng(seed);
        const rowBytes = 64 * (1 + rng.below(seed % 4 === 0 ? 160 : 16));
        assertSame(1 + rng.below(Math.ceil(65_536 / rowBytes)), rowBytes, seed);
      }
    });

    it('takes each bit of a symbol and each coefficient for what it is', () => {
      const coefficients = new Uint8Array(16 * 64);
      for (let column = 0; column < 32; column += 1) coefficients[column * 32 + column] = 1;
      const rows = new Uint8Array(512 * 64);
      for (let bit = 0; bit < 512; bit += 1) rows[bit * 64 + (bit >> 3)] = 1 << (bit & 7);
      const expected = scalar.combineRows(rows, 64, coefficients);
      assert.ok(equalBytes(combiner.combineRows(rows, 64, coefficients), expected));
      for (const row of [0, 7, 255, 256, 300, 511]) {
        const alone = combiner.combineRows(
          rows.subarray(row * 64, row * 64 + 64),
          64,
          coefficients,
        );
        assert.ok(equalBytes(alone, expected.subarray(row * 32, row * 32 + 32)), `row ${row}`);
      }
    });

    it('changes neither rows nor coefficients, and gives what stays', () => {
      const rows = bytesOf(40 * 128, 1);
      const coefficients = bytesOf(16 * 128, 2);
      const first = combiner.combineRows(rows, 128, coefficients);
      const kept = first.slice();
      combiner.combineRows(bytesOf(40 * 128, 3), 128, bytesOf(16 * 128, 4));
      assert.ok(equalBytes(first, kept));
      assert.ok(equalBytes(rows, bytesOf(40 * 128, 1)));
      assert.ok(equalBytes(coefficients, bytesOf(16 * 128, 2)));
    });

    it('takes rows one after another or each on its own', () => {
      for (const count of [1, 15, 40]) {
        const rows = bytesOf(count * 192, count);
        const coefficients = bytesOf(16 * 192, 2);
        const each = Array.from({ length: count }, (_, at) => rows.slice(at * 192, (at + 1) * 192));
        const expected = scalar.combineRows(rows, 192, coefficients);
        for (const by of [scalar, combiner]) {
          assert.ok(equalBytes(by.combineRows(each, 192, coefficients), expected));
        }
      }
    });

    it('refuses lengths that do not fit', () => {
      const coefficients = new Uint8Array(16 * 64);
      for (const by of [scalar, combiner]) {
        const rows = [new Uint8Array(64), new Uint8Array(128)];
        assert.throws(() => by.combineRows(rows, 64, coefficients), RangeError);
      }
      for (const [rowBytes, length] of [
        [64, 65],
        [96, 96],
        [0, 0],
        [-64, 64],
      ] as const) {
        assert.throws(
          () => combiner.combineRows(new Uint8Array(length), rowBytes, coefficients),
          RangeError,
        );
      }
      assert.throws(
        () => combiner.combineRows(new Uint8Array(64), 64, coefficients.subarray(1)),
        RangeError,
      );
      assert.throws(() => combiner.extend(new Uint8Array(96), shapeOf(2, 1)), RangeError);
    });

    it('checks a slice, and finds the row that is not of the codeword', async () => {
      const [suite] = SUITES;
      assert.ok(suite);
      const layout = smallLayout(6, 3, 30_000, 512);
      const data = bytesOf(64 * 512, 5);
      const parity = await optionsOf(suite).codec.encode(data, layout, { signal });
      const rows = Array.from({ length: 90 }, (_, at) => (200 + at) % 256);
      for (const bad of [undefined, 210, 3]) {
        const held = { data: data.slice(), parity: parity.slice() };
        if (bad === 3) held.data[3 * 512 + 9] = (held.data[3 * 512 + 9] ?? 0) ^ 4;
        if (bad === 210) held.parity[(210 - 64) * 512] = (held.parity[(210 - 64) * 512] ?? 0) ^ 4;
        const blob = await forge(held, layout, suite);
        const slice = await sliceOf(blob, rows, { signal });
        const check = (): unknown => verifySlice(slice, { ...blob, rows }, { suite, combiner });
        if (bad === undefined) check();
        else assert.throws(check, { code: 'ROW_COMBINATION' });
      }
    });

    for (let log2K = 0; log2K <= 12; log2K += 1) {
      it(`extends the combinations of ${2 ** log2K} rows`, () => {
        for (const cosets of log2K > 10 ? [3] : [1, 2, 3]) {
          const shape = shapeOf(log2K, cosets);
          const combinations = bytesOf(32 * shape.dataRows, log2K + cosets);
          const expected = extendCombinations(combinations, shape);
          assert.ok(equalBytes(combiner.extend(combinations, shape), expected), `${cosets} cosets`);
        }
      });
    }
  });
}
