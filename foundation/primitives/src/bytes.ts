const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Lower-case hexadecimal text with the `0x` prefix. */
export type Hex = `0x${string}`;

const HEX_DIGITS = '0123456789abcdef';
const BYTE_TO_HEX: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `${HEX_DIGITS[byte >> 4]}${HEX_DIGITS[byte & 15]}`,
);

/** `bytes` as lower-case hex with `0x`. */
export function toHex(bytes: Uint8Array): Hex {
  let text = '';
  for (const byte of bytes) text += BYTE_TO_HEX[byte];
  return `0x${text}`;
}

/**
 * The bytes of hex text, with or without `0x`, either case.
 *
 * @throws {RangeError} if the digits are odd in number or not hexadecimal
 */
export function fromHex(text: string): Uint8Array {
  const start = text.startsWith('0x') || text.startsWith('0X') ? 2 : 0;
  const digits = text.length - start;
  if (digits % 2 !== 0) throw new RangeError(`hex text has an odd number of digits: ${digits}`);
  const bytes = new Uint8Array(digits / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    const high = hexDigit(text.charCodeAt(start + index * 2));
    const low = hexDigit(text.charCodeAt(start + index * 2 + 1));
    if (high < 0 || low < 0)
      throw new RangeError(`not a hex digit at position ${start + index * 2}`);
    bytes[index] = (high << 4) | low;
  }
  return bytes;
}

function hexDigit(charCode: number): number {
  if (charCode >= 48 && charCode <= 57) return charCode - 48;
  const lower = charCode | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Whether `text` is `0x` and exactly `byteLength` bytes of hex, either case. */
export function isHexOf(text: unknown, byteLength: number): text is Hex {
  return (
    typeof text === 'string' && text.length === 2 + byteLength * 2 && /^0x[0-9a-fA-F]*$/.test(text)
  );
}

/** One array holding `parts` in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Whether two arrays hold the same bytes. Not constant time: never for secrets. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) {
    if (left[index] !== right[index]) return false;
  }
  return true;
}

/** Whether every byte is zero. */
export function isZeroBytes(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0) return false;
  return true;
}

/** Orders arrays byte by byte, a prefix before what it begins. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** The UTF-8 bytes of `text`. */
export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text of UTF-8 bytes. @throws {TypeError} if they are not valid UTF-8 */
export function utf8Text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** A view for reading and writing numbers in `bytes` without copying. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** `value` as `byteLength` big-endian bytes. @throws {RangeError} if it is negative or does not fit */
export function bigEndianBytes(value: number | bigint, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  if (byteLength === 8 && Number.isSafeInteger(value) && Number(value) >= 0) {
    writeSafeU64(viewOf(bytes), 0, Number(value)); // without big integers: most numbers are small
    return bytes;
  }
  let rest = BigInt(value);
  if (rest < 0n) throw new RangeError(`cannot encode the negative number ${value}`);
  for (let index = byteLength - 1; index >= 0; index -= 1) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  if (rest !== 0n) throw new RangeError(`${value} does not fit in ${byteLength} bytes`);
  return bytes;
}

/**
 * The number held by 8 big-endian bytes at `offset`.
 *
 * @throws {RangeError} beyond 2^53 − 1, where a number would lose digits
 */
export function readSafeU64(view: DataView, offset: number): number {
  const high = view.getUint32(offset);
  const value = high * 2 ** 32 + view.getUint32(offset + 4);
  if (high >= 2 ** 21) throw new RangeError(`a 64-bit number at byte ${offset} exceeds 2^53 - 1`);
  return value;
}

/** Writes `value` (0 … 2^53 − 1) as 8 big-endian bytes at `offset`. */
export function writeSafeU64(view: DataView, offset: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`cannot encode ${value} as an unsigned 64-bit number`);
  }
  view.setUint32(offset, Math.floor(value / 2 ** 32));
  view.setUint32(offset + 4, value >>> 0);
}
