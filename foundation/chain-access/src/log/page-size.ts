/**
 * How many blocks to ask for at once.
 *
 * Endpoints limit ranges, results or bytes, each with its own wording and most without a number; so
 * any refusal halves the page, down to one block. Success doubles it again, more rarely after each
 * refusal, so that a fixed limit costs one refused call in at most 1,024.
 */
export class PageSize {
  readonly #largest: number;
  #blocks: number;
  #successes = 0;
  #successesToGrow = 2;

  /** @param largest - blocks of a page at most, from 1 */
  constructor(largest: number) {
    this.#largest = largest;
    this.#blocks = largest;
  }

  /** Blocks to ask for now. */
  get blocks(): number {
    return this.#blocks;
  }

  /** The endpoint refused a page of `blocks`. @returns whether a smaller one can be tried */
  shrink(blocks: number): boolean {
    this.#successes = 0;
    this.#successesToGrow = Math.min(this.#successesToGrow * 2, 1024);
    if (blocks <= 1) return false;
    this.#blocks = Math.max(1, Math.floor(blocks / 2));
    return true;
  }

  /** The endpoint failed in the middle of a page: a smaller one has better chances. */
  ease(): void {
    this.#blocks = Math.max(1, Math.floor(this.#blocks / 2));
  }

  /** The endpoint answered a full page. */
  grow(): void {
    if (this.#blocks === this.#largest) return;
    this.#successes += 1;
    if (this.#successes < this.#successesToGrow) return;
    this.#successes = 0;
    this.#blocks = Math.min(this.#blocks * 2, this.#largest);
  }
}
