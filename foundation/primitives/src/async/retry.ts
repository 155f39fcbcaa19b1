import type { Clock } from '../ports/clock.ts';

/** How often and how patiently something is tried again. */
export interface RetryOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** Wait after the first failure; doubles after each. */
  readonly delayMs: number;
  /** The longest wait; 30,000 unless told. */
  readonly maxDelayMs?: number;
  /** Whether another try can help; every failure is tried again unless told. */
  readonly isRetryable?: (error: unknown) => boolean;
  /** Told of each failure that will be tried again. */
  readonly onRetry?: (error: unknown, attempt: number) => void;
}

/** `work`, tried again with growing waits. @throws the last failure; the signal's reason */
export async function retry<Result>(
  work: (attempt: number) => Promise<Result>,
  options: RetryOptions,
): Promise<Result> {
  const { clock, signal, attempts, maxDelayMs = 30_000, isRetryable, onRetry } = options;
  let delayMs = options.delayMs;
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (attempt >= attempts || isRetryable?.(error) === false) throw error;
      onRetry?.(error, attempt);
      await clock.sleep(delayMs, signal);
      delayMs = Math.min(delayMs * 2, maxDelayMs);
    }
  }
}
