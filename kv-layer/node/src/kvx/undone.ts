import type { Sequence } from '@cairn/primitives';

/** Reversals that are remembered: more happen to nobody who still listens. */
const MAX_REMEMBERED = 256;

/** Remembers from which entry on what was replayed was taken back, and when another state took over. */
export class Undone {
  /** The first entry that was taken back; `undefined`: everything may be different. */
  readonly #from: (Sequence | undefined)[] = [];
  #forgotten = 0;

  /** How many there were: what a listener notes to ask what came after. */
  get count(): number {
    return this.#forgotten + this.#from.length;
  }

  /** @param from - `undefined` if another state answers now */
  note(from: Sequence | undefined): void {
    this.#from.push(from);
    if (this.#from.length <= MAX_REMEMBERED) return;
    this.#from.shift();
    this.#forgotten += 1;
  }

  /**
   * The first entry that was taken back since `count` was as given; `everything` if that is not
   * known, or another state answers; `undefined` if nothing was.
   */
  since(count: number): Sequence | 'everything' | undefined {
    if (count < this.#forgotten) return 'everything';
    let least: Sequence | undefined;
    for (const from of this.#from.slice(count - this.#forgotten)) {
      if (from === undefined) return 'everything';
      least = least === undefined || from < least ? from : least;
    }
    return least;
  }
}
