import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Watches how late the event loop runs: what `/health/live` judges a node by. */
export interface EventLoopWatch {
  /** The longest delay of the last five to ten seconds, in milliseconds. */
  readonly worstDelayMs: number;
  stop(): void;
}

const RESOLUTION_MS = 20;
const WINDOW_MS = 5000;

/** Starts to watch. It does not keep the process alive; stop it to free its timer. */
export function watchEventLoop(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let previousMs = 0;
  // What is measured is the time between ticks, so the resolution itself is in it.
  const currentMs = (): number => Math.max(0, histogram.max / 1e6 - RESOLUTION_MS);
  const timer = setInterval(() => {
    previousMs = currentMs();
    histogram.reset();
  }, WINDOW_MS);
  timer.unref();
  return {
    get worstDelayMs() {
      return Math.max(previousMs, currentMs());
    },
    stop() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
