/**
 * Keys as strings of symbols, two a byte, and an end: a tree over them has its leaves in the order of
 * the keys' bytes, a prefix before what it begins, and no key's string begins another's.
 *
 * Even positions hold a byte's high half as 16 … 31, or 0 at the end; odd ones its low half, 0 … 15.
 */
export function symbolAt(key: Uint8Array, position: number): number {
  const byte = key[position >> 1];
  if (byte === undefined) return 0;
  return (position & 1) === 0 ? 16 | (byte >> 4) : byte & 15;
}

/** Symbols of a key, its end included. */
export function symbolCount(key: Uint8Array): number {
  return key.length * 2 + 1;
}

/**
 * The first position below `limit` at which a key differs from another; `limit` if there is none.
 *
 * @param key - of which `from` bytes are those of the other
 * @param rest - where the other goes on after these
 */
export function divergenceBehind(
  { key, from }: { readonly key: Uint8Array; readonly from: number },
  rest: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
  limit: number,
): number {
  const { bytes, start, end } = rest;
  const shared = Math.min(key.length - from, end - start, ((limit + 1) >> 1) - from);
  let at = 0;
  while (at < shared && key[from + at] === bytes[start + at]) at += 1;
  const position = (from + at) * 2;
  if (position >= limit) return limit;
  const symbol = start + at < end ? 16 | ((bytes[start + at] ?? 0) >> 4) : 0;
  const isHighEqual = symbolAt(key, position) === symbol;
  return Math.min(limit, isHighEqual ? position + 1 : position);
}

/** The bytes that keys share whose symbols agree below `position`; the last half byte is cleared. */
export function prefixBytes(key: Uint8Array, position: number): Uint8Array {
  const prefix = key.slice(0, (position + 1) >> 1);
  const last = prefix.length - 1;
  if ((position & 1) === 1) prefix[last] = (prefix[last] ?? 0) & 0xf0;
  return prefix;
}
