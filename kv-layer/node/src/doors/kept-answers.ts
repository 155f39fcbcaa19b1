import type { Answers } from '../answers.ts';

/** Answers in each half: an answer has at most 1.5 KiB, its name half of one, so 16 MiB at most. */
const MAX_HALF = 4096;
/** Longer names are not kept. */
const MAX_NAME_LENGTH = 512;

/**
 * Answers that were given since the state last changed, by what was asked: what many ask for is read once.
 * Forgets all of them with the next entry, and those that came first when there are many.
 */
export class KeptAnswers {
  readonly #answers: Pick<Answers, 'state'>;
  #state: Answers['state'] | undefined;
  #revision = 0;
  #newer = new Map<string, string>();
  #older = new Map<string, string>();

  constructor(answers: Pick<Answers, 'state'>) {
    this.#answers = answers;
  }

  /** The answer to what was asked before, as it would be given now. */
  get(name: string): string | undefined {
    const { state } = this.#answers;
    if (state !== this.#state || state.revision !== this.#revision) {
      this.#state = state;
      this.#revision = state.revision;
      if (this.#newer.size > 0) this.#newer = new Map();
      if (this.#older.size > 0) this.#older = new Map();
      return undefined;
    }
    return this.#newer.get(name) ?? this.#older.get(name);
  }

  /** Keeps an answer that was made right after `get` had none, without waiting. */
  keep(name: string, text: string): void {
    if (name.length > MAX_NAME_LENGTH) return;
    if (this.#newer.size >= MAX_HALF) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(name, text);
  }
}
