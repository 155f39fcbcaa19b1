import { type Address, type Clock, fromHex, keccak256, utf8Bytes, viewOf } from '@cairn/primitives';

/** Tasks that are remembered: one for the order, two for each mirror. */
const MAX_TASKS = 8192;

/**
 * When whose turn a task is: every relayer waits for a part of `spreadMs` that follows from its account and
 * the task, so that one of them is first, another one the next time, and the others see on the chain
 * that nothing is left to do. A relayer that is away delays a task by no more than that.
 */
export class Turns {
  readonly #account: Address;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #spreadMs: number;
  /** When the turn of each task began here. */
  readonly #since = new Map<string, number>();

  constructor(
    { account, clock }: { readonly account: Address; readonly clock: Pick<Clock, 'monotonic'> },
    { spreadMs }: { readonly spreadMs: number },
  ) {
    this.#account = account;
    this.#clock = clock;
    this.#spreadMs = spreadMs;
  }

  /**
   * Whether it is time for a task here. Where it is, the next time is a whole turn later: a task that fails
   * is not tried by all at once.
   */
  isDue(task: string): boolean {
    const now = this.#clock.monotonic();
    const since = this.#since.get(task) ?? now;
    const turn = turnOf(this.#account, task);
    const isDue = now - since >= turn * this.#spreadMs;
    if (!this.#since.has(task)) {
      const [oldest] = this.#since.keys();
      if (this.#since.size >= MAX_TASKS && oldest !== undefined) this.#since.delete(oldest);
    }
    this.#since.set(task, isDue ? now + (1 - turn) * this.#spreadMs : since);
    return isDue;
  }
}

/** An account's place in the turn of a task: evenly spread over 0 … 1. */
export function turnOf(account: Address, task: string): number {
  const hash = keccak256(fromHex(account), utf8Bytes(task));
  return viewOf(hash).getUint32(0) / 2 ** 32;
}
