/**
 * Terms over vectors that kernels are written with.
 *
 * `strict` runs wherever WebAssembly SIMD does. `relaxed` takes the relaxed look-up, which spares an
 * instruction each: indexes here are below 16, where both say the same.
 */

const SWIZZLE = { strict: 'i8x16.swizzle', relaxed: 'i8x16.relaxed_swizzle' };

/** The sum of terms. */
export function xor(...terms) {
  return terms.reduce((left, right) => `v128.xor(${left}, ${right})`);
}

/** How the two nibbles of each byte of a value are had, where the variable `nibble` is a mask of them. */
export const nibbles = [
  (value) => `v128.and(${value}, nibble)`,
  (value) => `v128.and(i16x8.shr_u(${value}, 4), nibble)`,
];

/** A build's `lookUp`: products of the bytes of a value, from the variables `table`0 and `table`1. */
export function lookUpOf(build) {
  return (table, value, [low, high]) =>
    xor(
      `${SWIZZLE[build]}(${table}0, ${low(value)})`,
      `${SWIZZLE[build]}(${table}1, ${high(value)})`,
    );
}
