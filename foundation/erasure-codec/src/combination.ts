import { itemsOf, type RowSuite } from '@cairn/commitments/rows';
import { CHUNK_BYTES, COMBINATION_BYTES, COMBINATION_SYMBOLS, SYMBOL_BYTES } from './params.ts';
import type { MatrixShape } from './row-codec.ts';
import { evaluate, interpolate } from './transform.ts';

/** Makes the random combinations of rows. Every implementation gives the same bytes. */
export interface RowCombiner {
  readonly name: string;
  /**
   * For each row Σ_j row[j] · g_j, a vector of 16 symbols, where row[j] is its symbol in column j.
   *
   * @param rows - one after another, or each on its own
   * @param rowBytes - a multiple of 64
   * @param coefficients - g_0, g_1, …: 32 bytes for each column, so 16 · `rowBytes`
   * @returns 32 bytes for each row, in order: symbol k as bytes 2k (low) and 2k + 1 (high)
   * @throws {RangeError} if the lengths do not fit
   */
  combineRows(
    rows: Uint8Array | readonly Uint8Array[],
    rowBytes: number,
    coefficients: Uint8Array,
  ): Uint8Array;
  /**
   * The combinations of all rows, from those of the data rows: as `extendCombinations`.
   *
   * @param combinations - 32 bytes for each data row
   * @returns 32 bytes for each row, data first
   * @throws {RangeError} if the length does not fit
   */
  extend(combinations: Uint8Array, shape: CombinedShape): Uint8Array;
}

/** What of a shape its combinations depend on. */
export type CombinedShape = Pick<MatrixShape, 'dataRows' | 'cosets' | 'rows'>;

/**
 * Each row that `combineRows` is given, as a view.
 *
 * @throws {RangeError} unless it can take arguments of these lengths
 */
export function combinableRows(
  rows: Uint8Array | readonly Uint8Array[],
  rowBytes: number,
  coefficients: Uint8Array,
): readonly Uint8Array[] {
  if (!Number.isInteger(rowBytes) || rowBytes < CHUNK_BYTES || rowBytes % CHUNK_BYTES !== 0) {
    throw new RangeError(`rows have whole chunks of ${CHUNK_BYTES} bytes, not ${rowBytes} bytes`);
  }
  const expected = rowBytes * COMBINATION_SYMBOLS;
  if (coefficients.length !== expected) {
    throw new RangeError(
      `coefficients of such rows have ${expected} bytes, not ${coefficients.length}`,
    );
  }
  return itemsOf(rows, rowBytes);
}

/** @throws {RangeError} unless there are combinations of all data rows */
export function assertExtendable(
  combinations: Uint8Array,
  { dataRows }: Pick<CombinedShape, 'dataRows'>,
): void {
  if (combinations.length !== dataRows * COMBINATION_BYTES) {
    throw new RangeError(`${combinations.length} bytes are not combinations of ${dataRows} rows`);
  }
}

/**
 * The coefficients that a commitment's challenge draws, 32 bytes for each column.
 *
 * @param seed - the challenge, 32 bytes; it covers all rows, so that nobody knows the coefficients
 *   while choosing rows
 * @param rowBytes - a multiple of 64
 */
export function combinationCoefficients(
  suite: Pick<RowSuite, 'expand'>,
  seed: Uint8Array,
  rowBytes: number,
): Uint8Array {
  return suite.expand(seed, (rowBytes / SYMBOL_BYTES) * COMBINATION_BYTES);
}

/**
 * The combinations of all rows, from those of the data rows: combining is linear, so each symbol of
 * the combinations is a column of the same code.
 *
 * @param combinations - 32 bytes for each data row
 * @returns 32 bytes for each row, data first
 * @throws {RangeError} if the length does not fit
 */
export function extendCombinations(
  combinations: Uint8Array,
  { dataRows, cosets, rows }: CombinedShape,
): Uint8Array {
  assertExtendable(combinations, { dataRows });
  const extended = new Uint8Array(rows * COMBINATION_BYTES);
  extended.set(combinations);
  const coefficients = new Uint16Array(dataRows);
  const values = new Uint16Array(dataRows);
  for (let k = 0; k < COMBINATION_SYMBOLS; k += 1) {
    for (let row = 0; row < dataRows; row += 1) {
      coefficients[row] = readAt(combinations, row * COMBINATION_SYMBOLS + k);
    }
    interpolate(coefficients, 0);
    for (let coset = 1; coset <= cosets; coset += 1) {
      values.set(coefficients);
      evaluate(values, coset * dataRows);
      for (const [row, value] of values.entries()) {
        writeAt(extended, (coset * dataRows + row) * COMBINATION_SYMBOLS + k, value);
      }
    }
  }
  return extended;
}

function readAt(bytes: Uint8Array, symbol: number): number {
  return (bytes[symbol * SYMBOL_BYTES] ?? 0) | ((bytes[symbol * SYMBOL_BYTES + 1] ?? 0) << 8);
}

function writeAt(bytes: Uint8Array, symbol: number, value: number): void {
  bytes[symbol * SYMBOL_BYTES] = value;
  bytes[symbol * SYMBOL_BYTES + 1] = value >> 8;
}
