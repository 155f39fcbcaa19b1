import { FIELD_ORDER, FIELD_SIZE, logarithmOf, pointOf } from './field.ts';

/**
 * Logarithms of the polynomial e that vanishes at the erased points: at a point i that is there, of
 * e(w_i); at one that is erased, of e′(w_i), which is the product over the other erased points.
 *
 * Both are the sum over the erased j of log(w_i + w_j) = log w_{i xor j}, with log 0 taken as 0: a
 * convolution over xor, which the Walsh transform makes a product.
 *
 * @param erased - for each of the points 0 … 2^k − 1, up to 65,536 of them, whether it is erased
 * @returns for each point a logarithm, 0 … 65,534
 */
export function locatorLogarithms(erased: readonly boolean[]): Uint16Array {
  const size = erased.length;
  const marks = Float64Array.from(erased, Number);
  const logarithms = Float64Array.from(erased, (_, index) => logarithmOf(pointOf(index)));
  walsh(marks);
  walsh(logarithms);
  // Sums stay below 2^32 and products below 2^48: exact.
  const sums = marks.map((mark, index) => (mark * (logarithms[index] ?? 0)) % FIELD_ORDER);
  walsh(sums);
  // Twice the same transform multiplies by the size; 2^16 is one modulo the field's order.
  return Uint16Array.from(sums, (sum) => {
    const logarithm = (sum * (FIELD_SIZE / size)) % FIELD_ORDER;
    return logarithm < 0 ? logarithm + FIELD_ORDER : logarithm;
  });
}

/** The Walsh transform, in place. */
function walsh(values: Float64Array): void {
  for (let half = 1; half < values.length; half *= 2) {
    for (let start = 0; start < values.length; start += 2 * half) {
      for (let low = start; low < start + half; low += 1) {
        const left = values[low] ?? 0;
        const right = values[low + half] ?? 0;
        values[low] = left + right;
        values[low + half] = left - right;
      }
    }
  }
}
