import {
  bigEndianBytes,
  concatBytes,
  fromHex,
  type KeyValueStore,
  utf8Bytes,
} from '@cairn/primitives';

/** What the office of a signer keeps, by the first byte of the key: see `../keyspace.ts`. */
export const OFFICE_KEYS = {
  handover: 'h',
  batch: 'b',
  audit: 'a',
  found: 'f',
  report: 'r',
  claim: 'c',
  prize: 'p',
} as const;

/** A kind of thing that is kept. */
export type OfficeKey = (typeof OFFICE_KEYS)[keyof typeof OFFICE_KEYS];

/** A key: the kind's letter, then numbers of 8 bytes, hashes and addresses as they are. */
export function officeKey(
  kind: OfficeKey,
  ...parts: readonly (number | Uint8Array | string)[]
): Uint8Array {
  return concatBytes(
    utf8Bytes(kind),
    ...parts.map((part) => {
      if (typeof part === 'number') return bigEndianBytes(part, 8);
      return typeof part === 'string' ? fromHex(part as `0x${string}`) : part;
    }),
  );
}

/** Drops everything of a kind that is for epochs below. Its keys must begin with the epoch. */
export async function forgetBefore(
  store: KeyValueStore,
  kind: OfficeKey,
  epoch: number,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  if (epoch <= 0) return;
  const range = { gte: utf8Bytes(kind), lt: officeKey(kind, epoch), limit: MOST_AT_ONCE };
  const keys: Uint8Array[] = [];
  for await (const [key] of store.entries(range, { signal })) keys.push(key);
  if (keys.length > 0) await store.write(keys.map((key) => ({ type: 'delete', key })));
}

/** Entries that one round drops at most; the rest goes in the next. */
const MOST_AT_ONCE = 10_000;
