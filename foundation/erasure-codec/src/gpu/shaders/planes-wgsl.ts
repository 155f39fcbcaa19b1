/**
 * Symbols as bit planes: 32 symbols of a row, a chunk, are 16 words, of which word j holds bit j of
 * each. Sums are XOR of words, and a product with a constant is 256 AND and XOR for 32 symbols at
 * once, or 128 where the constant lies in GF(2^8).
 *
 * Which symbol a bit of a plane belongs to does not matter, as long as it is the same in all rows.
 */

/** A chunk in registers: planes 0 … 3 and 4 … 7 of the low bytes, then of the high bytes. */
export const PLANES_WGSL: string = /* wgsl */ `
struct Planes { low0: vec4u, low1: vec4u, high0: vec4u, high1: vec4u }

fn sum(x: Planes, y: Planes) -> Planes {
  return Planes(x.low0 ^ y.low0, x.low1 ^ y.low1, x.high0 ^ y.high0, x.high1 ^ y.high1);
}
`;

const QUARTERS = ['low0', 'low1', 'high0', 'high1'] as const;
const LANES = ['x', 'y', 'z', 'w'] as const;

/**
 * `product(value, factor)`: a chunk times the point with an even index, by the images of the sixteen
 * basis elements, of which `images` holds two to a word. Where the factor is the same for a whole
 * workgroup and there are scalar registers, its masks cost a thread nothing.
 */
export const PRODUCT_WGSL: string = /* wgsl */ `
fn masks(word: u32, shifts: vec4u) -> vec4u {
  return bitcast<vec4u>(bitcast<vec4i>(vec4u(word) << shifts) >> vec4u(31u));
}

fn product(value: Planes, factor: u32) -> Planes {
  var made = Planes();
  if (factor == 0u) { return made; }
  let first = images[factor];
  let second = images[factor + 1u];
  if (factor < 256u) {
${Array.from({ length: 8 }, (_, bit) => subfieldTerm(bit)).join('\n')}
  } else {
${Array.from({ length: 16 }, (_, bit) => fieldTerm(bit)).join('\n')}
  }
  return made;
}
`;

/** Adds what bit `bit` of both bytes gives: a factor of the subfield acts on them alike. */
function subfieldTerm(bit: number): string {
  const lane = LANES[bit % 4];
  const half = bit >> 2;
  const lines = [0, 1].map(
    (quarter) =>
      `      let m${quarter} = ${maskOf(bit, quarter)};
      made.low${quarter} ^= m${quarter} & vec4u(value.low${half}.${lane});
      made.high${quarter} ^= m${quarter} & vec4u(value.high${half}.${lane});`,
  );
  return `    {\n${lines.join('\n')}\n    }`;
}

/** Adds what bit `bit` of the symbols gives. */
function fieldTerm(bit: number): string {
  const plane = `vec4u(value.${QUARTERS[bit >> 2]}.${LANES[bit % 4]})`;
  const lines = QUARTERS.map(
    (name, quarter) => `      made.${name} ^= ${maskOf(bit, quarter)} & plane;`,
  );
  return `    {\n      let plane = ${plane};\n${lines.join('\n')}\n    }`;
}

/** Four masks: whether the image of basis element `bit` has the bits 4 · quarter … + 3. */
function maskOf(bit: number, quarter: number): string {
  const word = `${bit < 8 ? 'first' : 'second'}.${LANES[(bit >> 1) % 4]}`;
  const top = 31 - 16 * (bit % 2) - 4 * quarter; // shifts the bit wanted to the sign
  return `masks(${word}, vec4u(${top}u, ${top - 1}u, ${top - 2}u, ${top - 3}u))`;
}
