import { type Clock, systemClock } from '@cairn/primitives';

/** A chain's own time, which runs as blocks are mined; waits are real. */
export class ChainClock implements Clock {
  seconds = 0;
  readonly #system = systemClock();

  now(): number {
    return this.seconds * 1000;
  }

  monotonic(): number {
    return this.#system.monotonic();
  }

  sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    return this.#system.sleep(durationMs, signal);
  }
}
