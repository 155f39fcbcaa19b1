import type { KeyValueWrite } from '@cairn/primitives';
import { copyBytes } from '../tree/digests.ts';
import type { TreePage } from '../tree/tree-page.ts';
import { ByteArena } from './byte-arena.ts';

/** What a page in memory takes besides its bytes, about. */
const OVERHEAD_BYTES = 120;

interface Position {
  /** Key and value of each page, one after the other. */
  readonly pages: Uint8Array[];
  readonly keyBytes: number[];
}

/**
 * Pages of trees that wait to be stored in the order of their keys: what is stored in order is merged with
 * nothing. They come in the order of their names at each position, and names begin with the position.
 */
export class HeldPages {
  readonly #byPosition = new Map<number, Position>();
  #arena = new ByteArena();
  #bytes = 0;

  /** What they take in memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param key - what it is stored under, in two parts */
  add(page: TreePage, [head, name]: readonly [Uint8Array, Uint8Array]): void {
    const { position } = page;
    let held = this.#byPosition.get(position);
    if (held === undefined) {
      held = { pages: [], keyBytes: [] };
      this.#byPosition.set(position, held);
    }
    const keyBytes = head.length + name.length;
    const bytes = this.#arena.take(keyBytes + page.storedBytes);
    copyBytes({ bytes: head, start: 0 }, head.length, { bytes, start: 0 });
    copyBytes({ bytes: name, start: 0 }, name.length, { bytes, start: head.length });
    page.write(bytes, keyBytes);
    held.pages.push(bytes);
    held.keyBytes.push(keyBytes);
    this.#bytes += bytes.length + OVERHEAD_BYTES;
  }

  /** All of them in order, some at a time; none are held behind the last. */
  *taken(together: number): Generator<KeyValueWrite[]> {
    let batch: KeyValueWrite[] = [];
    for (const position of [...this.#byPosition.keys()].sort((left, right) => left - right)) {
      const held = this.#byPosition.get(position);
      for (const [index, page] of held?.pages.entries() ?? []) {
        const end = held?.keyBytes[index] ?? 0;
        batch.push({ type: 'put', key: page.subarray(0, end), value: page.subarray(end) });
        if (batch.length < together) continue;
        yield batch;
        batch = [];
      }
      this.#byPosition.delete(position);
    }
    this.#bytes = 0;
    this.#arena = new ByteArena();
    if (batch.length > 0) yield batch;
  }
}
