import { type BlsBackend, KEY_BYTES, type PublicKey, type Signature } from './bls-backend.ts';
import { BlsError } from './errors.ts';

/** Bytes of a key in a contract call: four words, each coordinate after 16 zero bytes. */
export const KEY_WORDS_BYTES = 128;
/** Bytes of a signature in a contract call: eight words. */
export const SIGNATURE_WORDS_BYTES = 256;

const COORDINATE_BYTES = 48;
const PADDED_BYTES = 64;
const PADDING_BYTES: number = PADDED_BYTES - COORDINATE_BYTES;
/** Where each coordinate of a contract's G2 point lies in zcash's: that has imaginary parts first. */
const G2_ORDER: readonly number[] = [1, 0, 3, 2];

/** A key as contract calls take it (EIP-2537): `uint256[4]`, 128 bytes. */
export function keyToWords(key: PublicKey): Uint8Array {
  return pad(key, [0, 1]);
}

/**
 * The key in four words of a contract.
 *
 * @throws {BlsError} BLS_NOT_A_KEY for another length, padding that is not zero, the identity, and
 *   whatever is no key
 */
export function keyFromWords(words: Uint8Array, backend: Pick<BlsBackend, 'parseKey'>): PublicKey {
  const key = words.length === KEY_WORDS_BYTES ? unpad(words, [0, 1]) : undefined;
  if (key !== undefined) return backend.parseKey(key);
  throw new BlsError(
    { code: 'BLS_NOT_A_KEY', lengthBytes: words.length },
    `a key in words has ${KEY_WORDS_BYTES} bytes with ${PADDING_BYTES} zeros before each coordinate; these ${words.length} are none`,
  );
}

/** A signature as contract calls take it (EIP-2537): `uint256[8]`, 256 bytes, real parts first. */
export function signatureToWords(
  signature: Signature,
  backend: Pick<BlsBackend, 'expandSignature'>,
): Uint8Array {
  return pad(backend.expandSignature(signature), G2_ORDER);
}

/**
 * The signature in eight words of a contract.
 *
 * @throws {BlsError} BLS_NOT_A_SIGNATURE as `keyFromWords`
 */
export function signatureFromWords(
  words: Uint8Array,
  backend: Pick<BlsBackend, 'parseSignature'>,
): Signature {
  const expanded = words.length === SIGNATURE_WORDS_BYTES ? unpad(words, G2_ORDER) : undefined;
  if (expanded !== undefined) return backend.parseSignature(expanded);
  throw new BlsError(
    { code: 'BLS_NOT_A_SIGNATURE', lengthBytes: words.length },
    `a signature in words has ${SIGNATURE_WORDS_BYTES} bytes with ${PADDING_BYTES} zeros before each coordinate; these ${words.length} are none`,
  );
}

/** A key as storage keeps it: its 96 bytes cut into three words. */
export function keyToStorageWords(key: PublicKey): [Uint8Array, Uint8Array, Uint8Array] {
  return [key.slice(0, 32), key.slice(32, 64), key.slice(64, KEY_BYTES)];
}

/** Coordinate n of the result is coordinate `order[n]` of the point, after 16 zeros. */
function pad(point: Uint8Array, order: readonly number[]): Uint8Array {
  const words = new Uint8Array(order.length * PADDED_BYTES);
  for (const [place, from] of order.entries()) {
    const start = from * COORDINATE_BYTES;
    const coordinate = point.subarray(start, start + COORDINATE_BYTES);
    words.set(coordinate, place * PADDED_BYTES + PADDING_BYTES);
  }
  return words;
}

/** The other way round; `undefined` where padding is not zero or a coordinate carries flags. */
function unpad(words: Uint8Array, order: readonly number[]): Uint8Array | undefined {
  const point = new Uint8Array(order.length * COORDINATE_BYTES);
  for (const [place, to] of order.entries()) {
    const start = place * PADDED_BYTES;
    const padding = words.subarray(start, start + PADDING_BYTES);
    if (padding.some((byte) => byte !== 0)) return undefined;
    const coordinate = words.subarray(start + PADDING_BYTES, start + PADDED_BYTES);
    if ((coordinate[0] ?? 0) >= 0x20) return undefined; // above p, where zcash keeps its flags
    point.set(coordinate, to * COORDINATE_BYTES);
  }
  return point;
}
