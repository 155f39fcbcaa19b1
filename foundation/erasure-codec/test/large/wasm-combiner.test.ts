import assert from 'node:assert/strict';
import { seededRng } from '@cairn/primitives';
import { runsOf, seedOf } from '../../../../test/support/soak.ts';
import type { RowCombiner } from '../../src/combination.ts';
import { scalarCombiner } from '../../src/kernels/scalar-combiner.ts';
import { loadWasmCombiner } from '../../src/wasm/wasm-combiner.ts';
import { withRelaxed } from '../relaxed-simd.ts';
import { assertSameBytes, bytesOf, shapeOf } from '../support.ts';

const SEED = seedOf(14_142);
const RUNS = runsOf(1_000);
/** One in so many is a mebibyte of rows, which the scalar combiner takes tens of milliseconds for. */
const LONG_EVERY = 10;

for (const build of ['strict', 'relaxed'] as const) {
  describe(`the ${build} build's combiner`, () => {
    const scalar = scalarCombiner();
    let combiner: RowCombiner;
    before(async function () {
      const load = (): Promise<RowCombiner> => loadWasmCombiner({ build });
      combiner = (build === 'relaxed' ? await withRelaxed(load) : await load()) ?? this.skip();
      assert.equal(combiner.name, build === 'relaxed' ? 'wasm-relaxed' : 'wasm');
    });

    it(`combines ${RUNS} times what the scalar one does (seed ${SEED})`, () => {
      const rng = seededRng(SEED);
      for (let run = 0; run < RUNS; run += 1) {
        const isLong = run % LONG_EVERY === 0;
        const rowBytes = 64 * (1 + rng.below(run % 3 === 0 ? 512 : 24));
        const most = Math.ceil((isLong ? 2 ** 20 : 2 ** 15) / rowBytes);
        const count = rng.below(most + 1);
        const rows = bytesOf(count * rowBytes, rng.below(2 ** 32));
        const coefficients = bytesOf(16 * rowBytes, rng.below(2 ** 32));
        assertSameBytes(
          combiner.combineRows(rows, rowBytes, coefficients),
          scalar.combineRows(rows, rowBytes, coefficients),
          `seed ${SEED}, run ${run}: ${count} rows of ${rowBytes} bytes`,
        );
      }
    });

    it('combines rows of the fewest, the most and every single bit', () => {
      for (const rowBytes of [64, 32_768]) {
        const ones = new Uint8Array(40 * rowBytes).fill(255);
        for (const coefficients of [
          bytesOf(16 * rowBytes, SEED),
          new Uint8Array(16 * rowBytes).fill(255),
          new Uint8Array(16 * rowBytes),
        ]) {
          for (const rows of [ones, new Uint8Array(ones.length)]) {
            assertSameBytes(
              combiner.combineRows(rows, rowBytes, coefficients),
              scalar.combineRows(rows, rowBytes, coefficients),
              `rows of ${rows[0]}, ${rowBytes} bytes, coefficients of ${coefficients[0]}`,
            );
          }
        }
      }
      const single = new Uint8Array(512 * 64);
      for (let bit = 0; bit < 512; bit += 1) single[bit * 64 + (bit >> 3)] = 1 << (bit & 7);
      const coefficients = bytesOf(16 * 64, SEED);
      assertSameBytes(
        combiner.combineRows(single, 64, coefficients),
        scalar.combineRows(single, 64, coefficients),
        'single bits',
      );
    });

    it(`extends what the scalar one does, in every shape (seed ${SEED})`, () => {
      for (let log2K = 0; log2K <= 12; log2K += 1) {
        for (const cosets of [1, 2, 3]) {
          const shape = shapeOf(log2K, cosets);
          const combinations = bytesOf(32 * shape.dataRows, SEED + 4 * log2K + cosets);
          assertSameBytes(
            combiner.extend(combinations, shape),
            scalar.extend(combinations, shape),
            `seed ${SEED}: ${shape.dataRows} rows, ${cosets} cosets`,
          );
        }
      }
    });
  });
}
