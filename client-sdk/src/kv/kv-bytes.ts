import { compareBytes, MAX_KEY_BYTES, utf8Bytes } from '@cairn/primitives';
import { SdkError } from '../errors.ts';
import type { KvBytes, KvSpan } from './kv-options.ts';

/** Bytes as they are, and text as UTF-8. */
export function bytesOf(bytes: KvBytes): Uint8Array {
  return typeof bytes === 'string' ? utf8Bytes(bytes) : bytes;
}

/** A key's bytes. @throws {SdkError} SDK_OPTION unless there are 1 to 2^24 − 1 */
export function keyBytes(key: KvBytes): Uint8Array {
  const bytes = bytesOf(key);
  if (bytes.length > 0 && bytes.length <= MAX_KEY_BYTES) return bytes;
  throw new SdkError(
    { code: 'SDK_OPTION', option: 'key' },
    `a key has 1 to ${MAX_KEY_BYTES} bytes, not ${bytes.length}`,
  );
}

/** A value's bytes. @throws {SdkError} SDK_OPTION for none */
export function valueBytes(value: KvBytes): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes.length > 0) return bytes;
  throw new SdkError(
    { code: 'SDK_OPTION', option: 'value' },
    'a value of no byte would delete the key: say delete',
  );
}

/** The first key of a range and the one behind its last. */
export function boundsOf({ prefix, gte, lt }: KvSpan): {
  readonly from: Uint8Array | undefined;
  readonly to: Uint8Array | undefined;
} {
  const begin = prefix === undefined || prefix.length === 0 ? undefined : bytesOf(prefix);
  const lowest = [begin, gte === undefined ? undefined : bytesOf(gte)].filter(isGiven);
  const highest = [
    begin === undefined ? undefined : behind(begin),
    lt === undefined ? undefined : bytesOf(lt),
  ].filter(isGiven);
  const from = lowest.toSorted(compareBytes).at(-1);
  return {
    from: from?.length === 0 ? undefined : from,
    to: highest.toSorted(compareBytes)[0],
  };
}

function isGiven(bytes: Uint8Array | undefined): bytes is Uint8Array {
  return bytes !== undefined;
}

/** The first key that does not begin with `prefix`; `undefined` if all others come before it. */
function behind(prefix: Uint8Array): Uint8Array | undefined {
  const next = prefix.slice();
  for (let at = next.length - 1; at >= 0; at -= 1) {
    const byte = next[at] ?? 0;
    if (byte === 0xff) continue;
    next[at] = byte + 1;
    return next.subarray(0, at + 1);
  }
  return undefined;
}
