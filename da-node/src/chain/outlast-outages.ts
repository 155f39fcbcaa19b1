import { isOutage } from '@cairn/chain-access';
import { type Clock, describeError, type Logger, retry } from '@cairn/primitives';

/** First and longest wait between tries at a chain that does not answer. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

/** What waiting for a chain works with. */
export interface OutlastDeps {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
}

/**
 * `work`, again and again while the chain gives nothing usable, with growing waits of at most ten
 * seconds. Begins anew each time, so the work must be safe to repeat.
 *
 * @throws what the work throws for another reason; the signal's reason
 */
export function outlastOutages<Result>(
  work: () => Promise<Result>,
  { clock, logger }: OutlastDeps,
  signal: AbortSignal,
): Promise<Result> {
  return retry(work, {
    clock,
    signal,
    attempts: Number.POSITIVE_INFINITY,
    delayMs: FIRST_WAIT_MS,
    maxDelayMs: LONGEST_WAIT_MS,
    isRetryable: isOutage,
    onRetry: (error, attempt) => {
      if (attempt > 1) return; // once is enough, however long it lasts
      logger.warn({ reason: describeError(error) }, 'the chain does not answer, waiting for it');
    },
  });
}
