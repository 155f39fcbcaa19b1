import type { KeyRange, KeyValueWrite } from '@cairn/primitives';
import { latin1Of } from './known-bytes.ts';

/** Keys that lie in one array, at most: an insertion moves no more than those. */
const MAX_CHUNK_KEYS = 128;

/** Keys and values in the order of the keys' bytes: what a simulated index lies in. */
export class SortedMap {
  readonly #values = new Map<string, Uint8Array>();
  /** One character a byte, so that text and bytes have the same order. In order, none of them empty. */
  readonly #chunks: string[][] = [];

  get sizeBytes(): number {
    let sum = 0;
    for (const [key, value] of this.#values) sum += key.length + value.length;
    return sum;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(latin1Of(key))?.slice();
  }

  /** Makes a change. @returns the change that takes it back */
  apply(change: KeyValueWrite): KeyValueWrite {
    const { key } = change;
    const text = latin1Of(key);
    const before = this.#values.get(text);
    if (change.type === 'put') {
      if (before === undefined) this.#insert(text);
      this.#values.set(text, change.value.slice());
    } else if (before !== undefined) {
      this.#remove(text);
      this.#values.delete(text);
    }
    return before === undefined ? { type: 'delete', key } : { type: 'put', key, value: before };
  }

  /** The entries of a range as of now. */
  entries({ gte, lt, reverse = false, limit }: KeyRange): readonly [Uint8Array, Uint8Array][] {
    const from = gte === undefined ? undefined : latin1Of(gte);
    const end = lt === undefined ? undefined : latin1Of(lt);
    const keys = reverse ? this.#down(from, end) : this.#up(from, end);
    const found: [Uint8Array, Uint8Array][] = [];
    const most = limit ?? Number.POSITIVE_INFINITY;
    if (most <= 0) return found;
    for (const key of keys) {
      const value = this.#values.get(key) ?? new Uint8Array(0);
      found.push([new Uint8Array(Buffer.from(key, 'latin1')), value.slice()]);
      if (found.length >= most) break;
    }
    return found;
  }

  /** Keys from `from` on, up to and not including `end`. */
  *#up(from: string | undefined, end: string | undefined): Generator<string, void, void> {
    let chunk = from === undefined ? 0 : this.#chunkOf(from);
    let at = from === undefined ? 0 : placeOf(this.#chunks[chunk] ?? [], from);
    for (; chunk < this.#chunks.length; chunk += 1, at = 0) {
      const keys = this.#chunks[chunk] ?? [];
      for (; at < keys.length; at += 1) {
        const key = keys[at] ?? '';
        if (end !== undefined && key >= end) return;
        yield key;
      }
    }
  }

  /** The same keys, the last first. */
  *#down(from: string | undefined, end: string | undefined): Generator<string, void, void> {
    let chunk = end === undefined ? this.#chunks.length - 1 : this.#chunkOf(end);
    let at = end === undefined ? this.#lengthOf(chunk) : placeOf(this.#chunks[chunk] ?? [], end);
    for (; chunk >= 0; chunk -= 1, at = this.#lengthOf(chunk)) {
      const keys = this.#chunks[chunk] ?? [];
      for (at -= 1; at >= 0; at -= 1) {
        const key = keys[at] ?? '';
        if (from !== undefined && key < from) return;
        yield key;
      }
    }
  }

  #lengthOf(chunk: number): number {
    return this.#chunks[chunk]?.length ?? 0;
  }

  #insert(key: string): void {
    const place = this.#chunkOf(key);
    const chunk = this.#chunks[place];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(placeOf(chunk, key), 0, key);
    if (chunk.length <= MAX_CHUNK_KEYS) return;
    this.#chunks.splice(place + 1, 0, chunk.splice(MAX_CHUNK_KEYS >> 1));
  }

  #remove(key: string): void {
    const place = this.#chunkOf(key);
    const chunk = this.#chunks[place] ?? [];
    chunk.splice(placeOf(chunk, key), 1);
    if (chunk.length === 0) this.#chunks.splice(place, 1);
  }

  /** The chunk that a key lies in, if it is there: the last that begins at it or before it. */
  #chunkOf(key: string): number {
    let [low, high] = [0, this.#chunks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#chunks[middle]?.[0] ?? '') <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

/** Where a key stands, or would, among those of a chunk. */
function placeOf(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
