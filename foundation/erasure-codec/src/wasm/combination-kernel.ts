import type { CombinedShape } from '../combination.ts';
import { CHUNK_BYTES, COMBINATION_BYTES, COMBINATION_SYMBOLS } from '../params.ts';
import { KernelModule } from './kernel-module.ts';

/** Sixteen sums of 32 bytes. */
const SUMS_BYTES = 512;
/** Rows that are combined together: enough that making tables costs little beside looking up. */
const MAX_ROWS = 256;
/** Columns of theirs at a time: with `MAX_ROWS` of them what an L2 cache of 2 MiB holds. */
const MAX_WIDTH_BYTES = 4096;
/** Neighbouring rows lie an odd number of cache lines apart, so that they do not share cache sets. */
const STRIDE_BYTES = MAX_WIDTH_BYTES + CHUNK_BYTES;
/** log2 of the chunks that stay in an L1 cache of 48 KiB. */
const BLOCK_LOG = 8;

/**
 * One instance of a kernel module that combines rows. Its memory grows to 2.5 MiB at most; a call
 * leaves nothing behind in it.
 */
export class CombinationKernel {
  readonly #module: KernelModule;

  /** @param instance - of one of the two modules in `generated/` */
  constructor(instance: WebAssembly.Instance) {
    this.#module = new KernelModule(instance);
  }

  /**
   * As `RowCombiner`'s.
   *
   * @param rows - all of one length
   * @param coefficients - 16 times that length
   */
  combineRows(rows: readonly Uint8Array[], coefficients: Uint8Array): Uint8Array {
    const combinations = new Uint8Array(rows.length * COMBINATION_BYTES);
    const groups = Math.ceil(rows.length / MAX_ROWS);
    const groupRows = Math.ceil(rows.length / groups); // alike: a last group of few rows is slow
    for (let first = 0; first < rows.length; first += groupRows) {
      const group = this.#combineGroup(rows.slice(first, first + groupRows), coefficients);
      combinations.set(group, first * COMBINATION_BYTES);
    }
    return combinations;
  }

  /** Combinations of at most `MAX_ROWS` rows: a view of the memory. */
  #combineGroup(rows: readonly Uint8Array[], coefficients: Uint8Array): Uint8Array {
    const { exports, free } = this.#module;
    const count = rows.length;
    const rowBytes = coefficients.length / COMBINATION_SYMBOLS;
    const factors = free + count * SUMS_BYTES;
    const input = factors + MAX_WIDTH_BYTES * COMBINATION_SYMBOLS;
    const memory = this.#module.require(input + count * STRIDE_BYTES);
    memory.fill(0, free, factors);
    for (let from = 0; from < rowBytes; from += MAX_WIDTH_BYTES) {
      const to = Math.min(from + MAX_WIDTH_BYTES, rowBytes);
      memory.set(
        coefficients.subarray(from * COMBINATION_SYMBOLS, to * COMBINATION_SYMBOLS),
        factors,
      );
      for (const [at, row] of rows.entries()) {
        memory.set(row.subarray(from, to), input + at * STRIDE_BYTES);
      }
      exports.addColumns(input, STRIDE_BYTES, to - from, count, factors, free);
    }
    exports.combineSums(free, factors, count);
    return memory.subarray(factors, factors + count * COMBINATION_BYTES);
  }

  /** As `RowCombiner`'s, for lengths that fit and 2 to 4096 data rows. */
  extend(combinations: Uint8Array, { dataRows, cosets, rows }: CombinedShape): Uint8Array {
    const { exports, free } = this.#module;
    const log2K = Math.log2(dataRows);
    const scratch = free + cosets * combinations.length;
    const input = scratch + 2 * dataRows * CHUNK_BYTES;
    const output = input + dataRows * CHUNK_BYTES;
    const memory = this.#module.require(output + (rows - dataRows) * CHUNK_BYTES);
    memory.set(combinations, free);
    exports.spreadCombinations(free, input, dataRows);
    const blockLog = Math.min(BLOCK_LOG, log2K - 1 - ((log2K - 1) % 2));
    const tiling = [log2K, cosets, blockLog, CHUNK_BYTES, scratch] as const;
    exports.encodePanel(input, output, CHUNK_BYTES, CHUNK_BYTES, ...tiling);
    exports.gatherCombinations(output, free, rows - dataRows);
    const extended = new Uint8Array(rows * COMBINATION_BYTES);
    extended.set(combinations);
    extended.set(memory.subarray(free, scratch), combinations.length);
    return extended;
  }
}
