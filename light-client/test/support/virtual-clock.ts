import type { Clock } from '@cairn/primitives';

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

/** A clock that jumps to its next timer when nothing else is to be done: waits cost no time. */
export class VirtualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now: number;
  #busy = 0;
  #isScheduled = false;

  constructor(startSeconds = 0) {
    this.#now = startSeconds * 1000;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  /** Moves on by hand. */
  advanceSeconds(seconds: number): void {
    this.#now += seconds * 1000;
  }

  /** Work outside of timers: no time passes meanwhile. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#busy += 1;
    try {
      return await work();
    } finally {
      this.#busy -= 1;
      this.#schedule();
    }
  }

  sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        this.#timers.delete(timer);
        reject(signal.reason);
      };
      const fire = (): void => {
        signal.removeEventListener('abort', onAbort);
        this.#timers.delete(timer);
        resolve();
      };
      const timer = { at: this.#now + durationMs, fire };
      this.#timers.add(timer);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#busy > 0) return; // whoever is busy schedules again
      const [next] = [...this.#timers].sort((left, right) => left.at - right.at);
      if (next === undefined) return;
      this.#now = Math.max(this.#now, next.at);
      next.fire();
      this.#schedule();
    });
  }
}
