import { compareBytes, toHex } from '../bytes.ts';

/** One change of an atomic batch. */
export type KeyValueWrite =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array };

/** Part of the key space, in byte order. */
export interface KeyRange {
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** An ordered map of bytes to bytes that survives a crash as of its last synced batch. */
export interface KeyValueStore {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /**
   * `get` without waiting, where the store can: `null` if it would have to wait now. Many reads are
   * answered for what one promise costs.
   */
  getNow?(key: Uint8Array): Uint8Array | undefined | null;
  /** Values in the order of `keys`; at most 10,000 keys a call. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** All of `batch` or none of it. With `sync` it is on the disk before this resolves. */
  write(batch: readonly KeyValueWrite[], options?: { readonly sync?: boolean }): Promise<void>;
  /** The entries of `range` as of the call, in key order. */
  entries(
    range: KeyRange,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>;
}

/** A key-value store in memory: small, real, and gone with the process. */
export function memoryKeyValueStore(): KeyValueStore {
  const map = new Map<string, { readonly key: Uint8Array; readonly value: Uint8Array }>();
  return {
    get: async (key) => map.get(toHex(key))?.value.slice(),
    getMany: async (keys) => keys.map((key) => map.get(toHex(key))?.value.slice()),
    write: async (batch) => {
      for (const change of batch) {
        if (change.type === 'delete') map.delete(toHex(change.key));
        else map.set(toHex(change.key), { key: change.key.slice(), value: change.value.slice() });
      }
    },
    async *entries({ gte, lt, reverse = false, limit = Number.POSITIVE_INFINITY }, { signal }) {
      const found = [...map.values()]
        .filter(({ key }) => gte === undefined || compareBytes(key, gte) >= 0)
        .filter(({ key }) => lt === undefined || compareBytes(key, lt) < 0)
        .sort((left, right) => compareBytes(left.key, right.key));
      if (reverse) found.reverse();
      for (const { key, value } of found.slice(0, limit)) {
        signal.throwIfAborted();
        yield [key.slice(), value.slice()] as const;
      }
    },
  };
}
