import { compareBytes, type KeyValueStore } from '@cairn/primitives';

interface Item {
  readonly key: Uint8Array;
  value: Uint8Array;
}

/** A key-value store in memory that stays sorted: for histories that look things up ten thousand times. */
export function sortedKeyValueStore(): KeyValueStore {
  const items: Item[] = [];
  const placeOf = (key: Uint8Array): number => {
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes((items[middle] as Item).key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const find = (key: Uint8Array): Uint8Array | undefined => {
    const item = items[placeOf(key)];
    return item !== undefined && compareBytes(item.key, key) === 0 ? item.value.slice() : undefined;
  };
  return {
    get: async (key) => find(key),
    getNow: find,
    getMany: async (keys) => keys.map(find),
    write: async (batch) => {
      for (const change of batch) {
        const at = placeOf(change.key);
        const item = items[at];
        const isThere = item !== undefined && compareBytes(item.key, change.key) === 0;
        if (change.type === 'delete') items.splice(at, isThere ? 1 : 0);
        else if (isThere) item.value = change.value.slice();
        else items.splice(at, 0, { key: change.key.slice(), value: change.value.slice() });
      }
    },
    async *entries({ gte, lt, reverse = false, limit = Number.POSITIVE_INFINITY }, { signal }) {
      const from = gte === undefined ? 0 : placeOf(gte);
      const to = lt === undefined ? items.length : placeOf(lt);
      // As of the call: a copy of what is in the range, as far as the limit goes.
      const found = reverse
        ? items.slice(Math.max(from, to - Math.min(limit, to)), Math.max(from, to)).reverse()
        : items.slice(from, Math.max(from, Math.min(to, from + limit)));
      for (const { key, value } of found) {
        signal.throwIfAborted();
        yield [key.slice(), value.slice()] as const;
      }
    },
  };
}
