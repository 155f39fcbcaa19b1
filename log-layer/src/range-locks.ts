interface Ticket {
  readonly start: number;
  readonly end: number;
  readonly done: Promise<unknown>;
}

/** Lets tasks on ranges of sectors run side by side unless they overlap; then first come, first served. */
export class RangeLocks {
  readonly #tickets = new Set<Ticket>();

  /**
   * Runs `task` once no earlier task on an overlapping range is left.
   *
   * @param start - first sector
   * @param end - sector after the last one
   * @throws what `task` throws
   */
  async run<Result>(start: number, end: number, task: () => Promise<Result>): Promise<Result> {
    const earlier = [...this.#tickets].filter((held) => held.start < end && start < held.end);
    const isFree = earlier.length === 0;
    const result = isFree
      ? task()
      : Promise.allSettled(earlier.map((held) => held.done)).then(task);
    const ticket: Ticket = { start, end, done: result.catch(() => undefined) };
    this.#tickets.add(ticket);
    try {
      return await result;
    } finally {
      this.#tickets.delete(ticket);
    }
  }

  /** Resolves once the tasks that are under way or wait now have ended. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#tickets].map((held) => held.done));
  }
}
