/**
 * Runs an expensive step for many callers at once: those who come while it runs share the next
 * run, so every caller's run began after its call.
 */
export class GroupCommit {
  readonly #step: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(step: () => Promise<void>) {
    this.#step = step;
  }

  /** Resolves once a run that began after this call has ended. @throws what that run throws */
  run(): Promise<void> {
    // Also for a moment after a run has ended, when the next has not begun: never two at once.
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#start();
    this.#next = this.#running
      .catch(() => undefined) // its own callers hear of it
      .then(() => {
        this.#next = undefined;
        return this.#start();
      });
    return this.#next;
  }

  #start(): Promise<void> {
    const running = this.#step().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
