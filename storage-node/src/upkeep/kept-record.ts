import {
  isRecord,
  type Json,
  type KeyValueStore,
  parseJson,
  stringifyJson,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';

/**
 * A record of upkeep in the index: where it is, so that it goes on after a stop. `undefined` if there
 * is none or it cannot be read: then the work begins again, which is always safe.
 */
export async function readKept(
  kv: Pick<KeyValueStore, 'get'>,
  key: Uint8Array,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const bytes = await kv.get(key);
  if (bytes === undefined) return undefined;
  try {
    const value = parseJson(utf8Text(bytes));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined; // as if it were not there
  }
}

/** The write that keeps a record. */
export function keptWrite(
  key: Uint8Array,
  value: Json,
): { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array } {
  return { type: 'put', key, value: utf8Bytes(stringifyJson(value)) };
}

/** A field of a record that is a whole number from 0 on; `fallback` if it is anything else. */
export function naturalOf(
  record: Readonly<Record<string, unknown>> | undefined,
  field: string,
  fallback = 0,
): number {
  const value = record?.[field];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : fallback;
}
