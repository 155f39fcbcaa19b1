/** Time as a parameter: real nodes take the machine's, simulations take one they turn by hand. */
export interface Clock {
  /** Milliseconds since the Unix epoch. May jump; for people and protocol times only. */
  now(): number;
  /** Milliseconds that only ever grow; for measuring and timeouts. */
  monotonic(): number;
  /** Resolves after `durationMs`. @throws the signal's reason once it aborts */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const onAbort = (): void => {
          clearTimeout(timer);
          reject(signal.reason);
        };
        const timer = setTimeout(() => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        }, durationMs);
        signal.addEventListener('abort', onAbort, { once: true });
      }),
  };
}
