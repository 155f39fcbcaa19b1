import { type Address, bigEndianBytes, concatBytes, fromHex } from '@cairn/primitives';

/** Bytes of a word of the EVM. */
export const WORD_BYTES = 32;

/** What one or more words are made of: a number, an address, or whole words of bytes. */
export type Word = bigint | number | Address | Uint8Array;

/**
 * `abi.encode` of values of a fixed size: every value a word of its own, numbers and addresses
 * filled up with zeros on the left.
 *
 * @throws {RangeError} for bytes that are not whole words, and for numbers below 0 or from 2^256
 */
export function abiWords(...values: readonly Word[]): Uint8Array {
  return concatBytes(...values.map(wordOf));
}

function wordOf(value: Word): Uint8Array {
  if (value instanceof Uint8Array) {
    if (value.length % WORD_BYTES === 0) return value;
    throw new RangeError(`${value.length} bytes are not whole words of ${WORD_BYTES}`);
  }
  if (typeof value === 'string') {
    return concatBytes(new Uint8Array(WORD_BYTES - 20), fromHex(value));
  }
  return bigEndianBytes(value, WORD_BYTES);
}
