import { Fault } from '../fault.ts';

export type SemaphoreFault = {
  readonly code: 'QUEUE_FULL';
  readonly running: number;
  readonly waiting: number;
};

/** A queue that is full; the work was not started. */
export class QueueFullError extends Fault<SemaphoreFault> {}

interface Waiter {
  readonly admit: () => void;
}

/** Lets a bounded number of tasks run at once and a bounded number wait, first come first served. */
export class Semaphore {
  readonly #limit: number;
  readonly #maxWaiting: number;
  readonly #waiters = new Set<Waiter>();
  #running = 0;

  constructor(options: { readonly limit: number; readonly maxWaiting: number }) {
    this.#limit = options.limit;
    this.#maxWaiting = options.maxWaiting;
  }

  /** Tasks running now. */
  get running(): number {
    return this.#running;
  }

  /** Tasks waiting now. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Runs `task` when its turn comes.
   *
   * @throws {QueueFullError} QUEUE_FULL, at once; what the task throws; the signal's reason if it
   * aborts before the turn comes
   */
  async run<Result>(task: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    await this.#enter(signal);
    try {
      return await task();
    } finally {
      this.#leave();
    }
  }

  #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#limit) {
      this.#running += 1;
      return Promise.resolve();
    }
    if (this.#waiters.size >= this.#maxWaiting) {
      throw new QueueFullError(
        { code: 'QUEUE_FULL', running: this.#running, waiting: this.#waiters.size },
        `${this.#running} tasks run and ${this.#waiters.size} wait, which is the most allowed`,
      );
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        admit: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  #leave(): void {
    const [next] = this.#waiters;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiters.delete(next); // its turn passes on, so the running count stays
    next.admit();
  }
}
