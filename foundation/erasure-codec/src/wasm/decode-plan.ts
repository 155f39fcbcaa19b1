import { nextPowerOfTwo } from '@cairn/primitives';
import { exponentialOf, FIELD_ORDER, logarithmOf, pointOf } from '../field.ts';
import { locatorLogarithms } from '../locator.ts';
import type { RowChoice } from '../row-choice.ts';
import type { MatrixShape } from '../row-codec.ts';

/** What the kernels need to know to make the missing data rows of a choice of rows. */
export interface DecodePlan {
  /** Bit j is set if rows of coset j are among the chosen. */
  readonly present: number;
  /** For each row of every coset its place among the chosen · 2^16 + its factor; 0 if not chosen. */
  readonly entries: Uint32Array;
  /** For each missing data row, in order, its index · 2^16 + its factor. */
  readonly missing: Uint32Array;
  /** Whether coset 0 counts once more, not differentiated. */
  readonly keepsData: boolean;
}

/**
 * The plan for a choice that is not all data rows.
 *
 * A whole coset's coefficients are the data's: all factors are one. Else, with e the polynomial that
 * is zero at the erased ones of n′ points, n′ the power of two from `rows` on, f·e has n′
 * coefficients, and its derivative is f·e′ at the erased points. Of the derivative the data rows
 * take the first K coefficients only: all factors of the layers above them are zero. Let y_j be the
 * coefficients that coset j of f·e gives by itself. The layers above make
 *
 *   of two cosets: y_0, y_0 + y_1
 *   of four:       y_0, y_0 + y_1, y_0 + y_2 + w_2·(y_2 + y_3), and what the data rows do not take;
 *
 * the derivative's first K are that of the first, with D for the derivative of K coefficients, and
 * the sum of the next one or two:
 *
 *   of two cosets: D(y_0) + y_0 + y_1
 *   of four:       D(y_0) + y_1 + w_3·y_2 + w_2·y_3, since w_3 = 1 + w_2.
 *
 * So each coset takes one transform of K, and w_3 and w_2 go into its rows' factors.
 */
export function decodePlanOf({ coset, rows }: RowChoice, shape: MatrixShape): DecodePlan {
  const { dataRows } = shape;
  const erased = new Array<boolean>(nextPowerOfTwo(shape.rows)).fill(true);
  for (const { index } of rows) erased[index] = false;
  const isWhole = coset !== undefined;
  const locator = isWhole ? undefined : locatorLogarithms(erased);
  const cosetFactors = [1, 1, pointOf(3), pointOf(2)].map(logarithmOf);
  let present = 0;
  const entries = new Uint32Array(shape.rows);
  for (const [place, { index }] of rows.entries()) {
    const from = Math.floor(index / dataRows);
    present |= 1 << from;
    const factor =
      locator === undefined ? 1 : exponentialOf((locator[index] ?? 0) + (cosetFactors[from] ?? 0));
    entries[index] = place * 2 ** 16 + factor;
  }
  const missing: number[] = [];
  for (let index = 0; index < dataRows; index += 1) {
    if (erased[index] !== true) continue;
    const factor = locator === undefined ? 1 : exponentialOf(FIELD_ORDER - (locator[index] ?? 0));
    missing.push(index * 2 ** 16 + factor);
  }
  return {
    present,
    entries,
    missing: Uint32Array.from(missing),
    keepsData: erased.length === 2 * dataRows,
  };
}
