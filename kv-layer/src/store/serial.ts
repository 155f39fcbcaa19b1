/** Runs tasks one after another, in the order they come. A failure ends its own task only. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  /** @throws what `task` throws */
  run<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined); // its own caller sees the failure
    return result;
  }
}
