import type { KeyRange, KeyValueWrite } from '@cairn/primitives';

/** Keys and values in the order of the keys' bytes: what a simulated index lies in. */
export class SortedMap {
  readonly #values = new Map<string, Uint8Array>();
  /** One character a byte, so that text and bytes have the same order. */
  readonly #keys: string[] = [];

  get sizeBytes(): number {
    let sum = 0;
    for (const [key, value] of this.#values) sum += key.length + value.length;
    return sum;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(textOf(key))?.slice();
  }

  /** Makes a change. @returns the change that takes it back */
  apply(change: KeyValueWrite): KeyValueWrite {
    const { key } = change;
    const text = textOf(key);
    const before = this.#values.get(text);
    if (change.type === 'put') {
      if (before === undefined) this.#keys.splice(this.#placeOf(text), 0, text);
      this.#values.set(text, change.value.slice());
    } else if (before !== undefined) {
      this.#keys.splice(this.#placeOf(text), 1);
      this.#values.delete(text);
    }
    return before === undefined ? { type: 'delete', key } : { type: 'put', key, value: before };
  }

  /** The entries of a range as of now. */
  entries({ gte, lt, reverse = false, limit }: KeyRange): readonly [Uint8Array, Uint8Array][] {
    const from = gte === undefined ? 0 : this.#placeOf(textOf(gte));
    const to = lt === undefined ? this.#keys.length : this.#placeOf(textOf(lt));
    const count = Math.max(0, Math.min(to - from, limit ?? to - from));
    return Array.from({ length: count }, (_, at) => {
      const text = this.#keys[reverse ? to - 1 - at : from + at] ?? '';
      const value = this.#values.get(text) ?? new Uint8Array(0);
      return [new Uint8Array(Buffer.from(text, 'latin1')), value.slice()];
    });
  }

  #placeOf(text: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] ?? '') < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
