import { Fault } from '../fault.ts';
import type { Clock } from '../ports/clock.ts';

export type DeadlineFault = {
  readonly code: 'DEADLINE_PASSED';
  readonly what: string;
  readonly timeoutMs: number;
};

/** Something took longer than it may. */
export class DeadlineError extends Fault<DeadlineFault> {}

/**
 * Runs `work` with a signal that also aborts after `timeoutMs`.
 *
 * @throws {DeadlineError} DEADLINE_PASSED; what the work throws; the signal's reason
 */
export async function withDeadline<Result>(
  what: string,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Result>,
  { clock, signal }: { readonly clock: Pick<Clock, 'sleep'>; readonly signal: AbortSignal },
): Promise<Result> {
  const finished = new AbortController();
  const expired = new AbortController();
  const timer = clock
    .sleep(timeoutMs, AbortSignal.any([signal, finished.signal]))
    .then(() => {
      expired.abort(
        new DeadlineError(
          { code: 'DEADLINE_PASSED', what, timeoutMs },
          `${what} took longer than ${timeoutMs} ms`,
        ),
      );
    })
    .catch(() => undefined); // finished in time, or the caller gave up
  try {
    return await work(AbortSignal.any([signal, expired.signal]));
  } catch (error) {
    if (expired.signal.aborted && !signal.aborted) throw expired.signal.reason;
    throw error;
  } finally {
    finished.abort();
    await timer;
  }
}
