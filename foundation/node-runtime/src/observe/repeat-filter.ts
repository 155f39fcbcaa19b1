import { LruCache } from '@cairn/primitives';

/** How long a sentence's repeats are counted together. */
const WINDOW_MS = 10_000;
/** Sentences counted at once; they are constants of the program, so a few hundred exist. */
const MAX_SENTENCES = 1000;

interface Count {
  readonly since: number;
  written: number;
  left: number;
}

/** Lets a sentence through a bounded number of times a window, and says how many it held back. */
export class RepeatFilter {
  readonly #maxRepeats: number;
  readonly #monotonic: () => number;
  readonly #counts: LruCache<string, Count> = new LruCache({ maxWeight: MAX_SENTENCES });

  /** @param maxRepeats - 0 lets everything through */
  constructor(maxRepeats: number, monotonic: () => number = () => performance.now()) {
    this.#maxRepeats = maxRepeats;
    this.#monotonic = monotonic;
  }

  /** `undefined` if the line is to be left out, else how many were left out before it. */
  admit(sentence: string): number | undefined {
    if (this.#maxRepeats === 0) return 0;
    const now = this.#monotonic();
    const count = this.#counts.get(sentence);
    if (count === undefined || now - count.since >= WINDOW_MS) {
      this.#counts.set(sentence, { since: now, written: 1, left: 0 });
      return count?.left ?? 0;
    }
    if (count.written >= this.#maxRepeats) {
      count.left += 1;
      return undefined;
    }
    count.written += 1;
    return 0;
  }
}
