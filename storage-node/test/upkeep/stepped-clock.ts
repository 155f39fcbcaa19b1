import type { Clock } from '@cairn/primitives';

/** A clock that jumps to the end of every sleep: hours pass in no time. */
export interface SteppedClock extends Clock {
  /** A signal that aborts once the clock has gone past `atMs`. */
  abortAt(atMs: number): AbortSignal;
}

export function steppedClock(startMs: number): SteppedClock {
  let now = startMs;
  let alarms: { readonly atMs: number; readonly abort: AbortController }[] = [];
  const passTo = (nextMs: number): void => {
    now = nextMs;
    for (const { atMs, abort } of alarms) if (now >= atMs) abort.abort(new Error('time is over'));
    alarms = alarms.filter(({ atMs }) => now < atMs);
  };
  return {
    now: () => now,
    monotonic: () => now,
    sleep: async (durationMs, signal) => {
      signal.throwIfAborted();
      const [next] = alarms.map(({ atMs }) => atMs).sort((left, right) => left - right);
      await Promise.resolve();
      if (next !== undefined && now + durationMs >= next) passTo(next);
      else passTo(now + durationMs);
      signal.throwIfAborted();
    },
    abortAt: (atMs) => {
      const abort = new AbortController();
      alarms.push({ atMs, abort });
      return abort.signal;
    },
  };
}
