/**
 * GF(2^16) as the code uses it.
 *
 * An element is written in the tower basis: bit j < 8 stands for b_j, bit 8 + j for b_j · b_8, with
 * b the Cantor basis below. b_0 … b_7 span GF(2^8), so that multiplying by an element of that
 * subfield acts on the low and the high byte separately and alike: what makes kernels fast.
 *
 * @see Lin, Chung, Han, "Novel polynomial basis and its application to Reed-Solomon erasure codes"
 */

/** x^16 + x^5 + x^3 + x^2 + 1. */
const POLYNOMIAL = 0x1002d;
/** b_{i}² + b_{i} = b_{i−1}; the one that Leopard uses, so that its codes can be compared. */
const CANTOR_BASIS = [
  0x0001, 0xacca, 0x3c0e, 0x163e, 0xc582, 0xed2e, 0x914c, 0x4012, 0x6c98, 0x10d8, 0x6a72, 0xb900,
  0xfdb8, 0xfb34, 0xff38, 0x991e,
] as const;

/** Elements of the field. */
export const FIELD_SIZE = 65_536;
/** Elements that have a logarithm: all but zero. */
export const FIELD_ORDER: number = FIELD_SIZE - 1;

const { exponents, logarithms, points } = buildTables();

function buildTables(): {
  readonly exponents: Uint16Array;
  readonly logarithms: Uint16Array;
  readonly points: Uint16Array;
} {
  const powers = new Uint16Array(FIELD_ORDER); // of x, in the polynomial basis
  const logOfPower = new Uint16Array(FIELD_SIZE);
  for (let power = 1, exponent = 0; exponent < FIELD_ORDER; exponent += 1) {
    powers[exponent] = power;
    logOfPower[power] = exponent;
    power <<= 1;
    if (power >= FIELD_SIZE) power ^= POLYNOMIAL;
  }
  const product = (left: number, right: number): number =>
    powers[((logOfPower[left] ?? 0) + (logOfPower[right] ?? 0)) % FIELD_ORDER] ?? 0;
  const tower = CANTOR_BASIS.map((element, bit) =>
    bit < 8 ? element : product(CANTOR_BASIS[bit - 8] ?? 0, CANTOR_BASIS[8]),
  );
  const towerOf = new Uint16Array(FIELD_SIZE); // polynomial basis → tower
  for (let element = 0; element < FIELD_SIZE; element += 1) {
    towerOf[combine(tower, element)] = element;
  }
  const exponentTable = powers.map((power) => towerOf[power] ?? 0);
  const logTable = new Uint16Array(FIELD_SIZE);
  for (const [exponent, element] of exponentTable.entries()) logTable[element] = exponent;
  const pointTable = new Uint16Array(FIELD_SIZE);
  for (let index = 0; index < FIELD_SIZE; index += 1) {
    pointTable[index] = towerOf[combine(CANTOR_BASIS, index)] ?? 0;
  }
  return { exponents: exponentTable, logarithms: logTable, points: pointTable };
}

/** The sum of the basis elements whose bits are set. */
function combine(basis: readonly number[], bits: number): number {
  let sum = 0;
  for (const [bit, element] of basis.entries()) if ((bits >> bit) & 1) sum ^= element;
  return sum;
}

/** The product of two elements. */
export function multiply(left: number, right: number): number {
  if (left === 0 || right === 0) return 0;
  return exponentialOf(logarithmOf(left) + logarithmOf(right));
}

/** @throws {RangeError} for zero, which has none */
export function inverse(element: number): number {
  if (element === 0) throw new RangeError('zero has no inverse');
  return exponentialOf(FIELD_ORDER - logarithmOf(element));
}

/** The discrete logarithm of an element other than zero, 0 … 65,534; 0 for zero, which has none. */
export function logarithmOf(element: number): number {
  return logarithms[element] ?? 0;
}

/** The element with logarithm `exponent`, any natural number. */
export function exponentialOf(exponent: number): number {
  return exponents[exponent % FIELD_ORDER] ?? 0;
}

/**
 * The point w_i that row i is evaluated at, and the factor of the butterflies with that index: the
 * sum of the Cantor basis elements whose bits are set in `index`. Below 256 it lies in GF(2^8).
 */
export function pointOf(index: number): number {
  return points[index] ?? 0;
}
