import { bigEndianBytes, concatBytes, readSafeU64, utf8Bytes, viewOf } from '@cairn/primitives';

/**
 * Keys of a stream that say something of other keys. They are written like any key, so they are
 * versioned, access-controlled and replayed alike everywhere; the official clients never look.
 */
const RESERVED: Uint8Array = concatBytes(Uint8Array.of(0), utf8Bytes('cairn/'));
const EXPIRY: Uint8Array = concatBytes(RESERVED, utf8Bytes('expiry/'));
const INDEX: Uint8Array = concatBytes(RESERVED, utf8Bytes('index/'));

/** Where the reserved keys are: behind the prefix, before its successor. */
export const RESERVED_RANGE: { readonly from: Uint8Array; readonly to: Uint8Array } = {
  from: RESERVED,
  to: successorOfPrefix(RESERVED),
};

/** Where the keys of expiries are. */
export const EXPIRY_RANGE: { readonly from: Uint8Array; readonly to: Uint8Array } = {
  from: EXPIRY,
  to: successorOfPrefix(EXPIRY),
};

/** Whether a key says something of others. */
export function isReservedKey(key: Uint8Array): boolean {
  return startsWith(key, RESERVED);
}

/** The key that says when another one expires. */
export function expiryKey(key: Uint8Array): Uint8Array {
  return concatBytes(EXPIRY, key);
}

/** The value of an expiry: chain time in seconds. @throws {RangeError} unless it is a safe natural number */
export function encodeExpiry(timeSeconds: number): Uint8Array {
  if (!Number.isSafeInteger(timeSeconds))
    throw new RangeError(`${timeSeconds} is no time in seconds`);
  return bigEndianBytes(timeSeconds, 8);
}

/** The time in an expiry's value; `undefined` for what is none, which never expires. */
export function decodeExpiry(value: Uint8Array): number | undefined {
  if (value.length !== 8 || viewOf(value).getUint32(0) >= 2 ** 21) return undefined;
  return readSafeU64(viewOf(value), 0);
}

/** The key that declares an index of a stream. */
export function indexKey(name: string): Uint8Array {
  return concatBytes(INDEX, utf8Bytes(name));
}

/** The name of the index that a key declares; `undefined` for another key. */
export function indexNameOf(key: Uint8Array): string | undefined {
  if (!startsWith(key, INDEX)) return undefined;
  return new TextDecoder().decode(key.subarray(INDEX.length));
}

/** The first key that does not begin with a prefix that ends below 255. */
export function successorOfPrefix(prefix: Uint8Array): Uint8Array {
  const next = prefix.slice();
  for (let at = next.length - 1; at >= 0; at -= 1) {
    if (next[at] === 255) continue;
    next[at] = (next[at] ?? 0) + 1;
    return next.subarray(0, at + 1);
  }
  return new Uint8Array(0);
}

function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  if (key.length < prefix.length) return false;
  for (let at = 0; at < prefix.length; at += 1) if (key[at] !== prefix[at]) return false;
  return true;
}
