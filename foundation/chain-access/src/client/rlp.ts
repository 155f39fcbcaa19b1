import { concatBytes, fromHex } from '@cairn/primitives';

/** What RLP bytes say: a string of bytes, or a list of such things. */
export type RlpItem = Uint8Array | readonly RlpItem[];

/** Lists within lists that are read: what a trie's node holds is three deep at most. */
const MAX_DEPTH = 8;
const STRING = 0x80;
const LIST = 0xc0;
/** Lengths up to here stand in the first byte. */
const SHORT = 55;

/** A string's RLP. */
export function encodeString(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 1 && (bytes[0] ?? 0) < STRING) return bytes;
  return concatBytes(encodePrefix(STRING, bytes.length), bytes);
}

/** A list's RLP. @param items - each in RLP already */
export function encodeList(items: readonly Uint8Array[]): Uint8Array {
  const length = items.reduce((sum, { length: bytes }) => sum + bytes, 0);
  return concatBytes(encodePrefix(LIST, length), ...items);
}

/** A number without leading zeros, as RLP holds it; 0 is no byte. */
export function numberBytes(value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array(0);
  const digits = value.toString(16);
  return fromHex(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`);
}

/**
 * What RLP bytes say. Each thing has one form: another is refused, like bytes that are left over.
 *
 * @throws {RangeError} saying what is wrong
 */
export function decodeRlp(bytes: Uint8Array): RlpItem {
  const { item, end } = decodeAt(bytes, 0, 0);
  if (end !== bytes.length) throw new RangeError(`${bytes.length - end} bytes are left over`);
  return item;
}

function encodePrefix(offset: number, length: number): Uint8Array {
  if (length <= SHORT) return Uint8Array.of(offset + length);
  const digits = numberBytes(BigInt(length));
  return concatBytes(Uint8Array.of(offset + SHORT + digits.length), digits);
}

function decodeAt(
  bytes: Uint8Array,
  at: number,
  depth: number,
): { readonly item: RlpItem; readonly end: number } {
  const first = bytes[at];
  if (first === undefined) throw new RangeError('it ends too early');
  if (first < STRING) return { item: bytes.subarray(at, at + 1), end: at + 1 };
  const offset = first < LIST ? STRING : LIST;
  const { start, end } = boundsOf(bytes, at, first - offset);
  if (offset === STRING) {
    const item = bytes.subarray(start, end);
    if (item.length === 1 && (item[0] ?? 0) < STRING) throw new RangeError('a byte has a prefix');
    return { item, end };
  }
  if (depth === MAX_DEPTH) throw new RangeError(`lists are more than ${MAX_DEPTH} deep`);
  const items: RlpItem[] = [];
  for (let next = start; next < end; ) {
    const inner = decodeAt(bytes.subarray(0, end), next, depth + 1);
    items.push(inner.item);
    next = inner.end;
  }
  return { item: items, end };
}

/** Where the content lies that the prefix at `at` announces. */
function boundsOf(
  bytes: Uint8Array,
  at: number,
  size: number,
): { readonly start: number; readonly end: number } {
  let start = at + 1;
  let length = size;
  if (size > SHORT) {
    const digits = bytes.subarray(start, start + size - SHORT);
    if (digits.length > 4) throw new RangeError('a length has more than four bytes');
    length = digits.reduce((sum, digit) => sum * 256 + digit, 0);
    if (digits[0] === 0 || length <= SHORT)
      throw new RangeError('a length is not in its short form');
    start += digits.length;
  }
  const end = start + length;
  if (end > bytes.length) throw new RangeError('it ends too early');
  return { start, end };
}
