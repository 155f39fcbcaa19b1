/**
 * Joins callers that ask for the same thing at the same time: one does the work, all get the
 * result. Nothing is remembered once it is there. A caller's signal ends only that caller's wait.
 */
export class SingleFlight<Result> {
  readonly #flights = new Map<string, Promise<Result>>();

  /** @throws what the work throws, to every caller that joined; the signal's reason */
  async run(key: string, work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted();
    let flight = this.#flights.get(key);
    if (flight === undefined) {
      flight = work().finally(() => this.#flights.delete(key));
      flight.catch(() => undefined); // each caller sees the failure through its own race below
      this.#flights.set(key, flight);
    }
    return abortable(flight, signal);
  }
}

/** `promise`, or the signal's reason if that comes first. The work itself goes on. */
export function abortable<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  if (signal.aborted) {
    promise.catch(() => undefined); // nobody waits for it any more
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(
      (value) => {
        signal.removeEventListener('abort', onAbort);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort);
        reject(error);
      },
    );
  });
}
