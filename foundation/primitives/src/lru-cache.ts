/** Keeps what was used last, within a budget of weight (entries, or bytes). */
export class LruCache<Key, Value> {
  readonly #maxWeight: number;
  readonly #weigh: (value: Value) => number;
  readonly #map = new Map<Key, { readonly value: Value; readonly weight: number }>();
  #weight = 0;

  constructor(options: {
    readonly maxWeight: number;
    /** Weight of a value; each counts 1 unless told. */
    readonly weigh?: (value: Value) => number;
  }) {
    this.#maxWeight = options.maxWeight;
    this.#weigh = options.weigh ?? (() => 1);
  }

  /** Weight held now, never above the budget. */
  get weight(): number {
    return this.#weight;
  }

  get(key: Key): Value | undefined {
    const held = this.#map.get(key);
    if (held === undefined) return undefined;
    this.#map.delete(key);
    this.#map.set(key, held);
    return held.value;
  }

  /** Keeps `value`, dropping what was used longest ago; a value over the budget is not kept. */
  set(key: Key, value: Value): void {
    this.delete(key);
    const weight = this.#weigh(value);
    if (weight > this.#maxWeight) return;
    this.#map.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#map.keys()) {
      if (this.#weight <= this.#maxWeight) break;
      this.delete(oldest);
    }
  }

  delete(key: Key): void {
    const held = this.#map.get(key);
    if (held === undefined) return;
    this.#map.delete(key);
    this.#weight -= held.weight;
  }

  clear(): void {
    this.#map.clear();
    this.#weight = 0;
  }
}
