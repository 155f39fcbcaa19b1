/**
 * The additive Fourier transform: between a polynomial's coefficients and its values at the points
 * of a coset. Coefficients are those of the basis X_i, the product of s_b for the bits b set in i,
 * where s_b vanishes at the points below 2^b. With the Cantor basis s_b is one at point 2^b and its
 * derivative is one, so that nothing below divides.
 *
 * @see Lin, Chung, Han, "Novel polynomial basis and its application to Reed-Solomon erasure codes"
 */
import { exponentialOf, logarithmOf, pointOf } from './field.ts';

/**
 * Coefficients become values, in place: element i becomes f(w_{offset + i}).
 *
 * @param elements - a power of two of them, 2^k up to 65,536, for a polynomial of degree below 2^k
 * @param offset - the coset's first point, a multiple of the number of elements
 */
export function evaluate(elements: Uint16Array, offset: number): void {
  for (let half = elements.length / 2; half >= 1; half /= 2) {
    for (let start = 0; start < elements.length; start += 2 * half) {
      const factor = pointOf((offset + start) / half);
      for (let low = start; low < start + half; low += 1) {
        const high = low + half;
        const sum = (elements[low] ?? 0) ^ scaled(elements[high] ?? 0, factor);
        elements[low] = sum;
        elements[high] = (elements[high] ?? 0) ^ sum;
      }
    }
  }
}

/** Values become coefficients, in place: undoes `evaluate` with the same offset. */
export function interpolate(elements: Uint16Array, offset: number): void {
  for (let half = 1; half < elements.length; half *= 2) {
    for (let start = 0; start < elements.length; start += 2 * half) {
      const factor = pointOf((offset + start) / half);
      for (let low = start; low < start + half; low += 1) {
        const high = low + half;
        const sum = (elements[low] ?? 0) ^ (elements[high] ?? 0);
        elements[high] = sum;
        elements[low] = (elements[low] ?? 0) ^ scaled(sum, factor);
      }
    }
  }
}

/** Coefficients become those of the formal derivative, in place: X_i′ is the sum of all X_{i − 2^b}. */
export function differentiate(coefficients: Uint16Array): void {
  coefficients[0] = 0;
  for (let index = 1; index < coefficients.length; index += 1) {
    const coefficient = coefficients[index] ?? 0;
    coefficients[index] = 0;
    for (let bits = index; bits > 0; bits &= bits - 1) {
      const lower = index - (bits & -bits);
      coefficients[lower] = (coefficients[lower] ?? 0) ^ coefficient;
    }
  }
}

/** `multiply`, quick where most factors are zero: those of the first blocks of coset 0. */
function scaled(element: number, factor: number): number {
  if (element === 0 || factor === 0) return 0;
  return exponentialOf(logarithmOf(element) + logarithmOf(factor));
}
