import { Fault } from '../fault.ts';
import type { Clock } from '../ports/clock.ts';

export type DeadlineFault = {
  readonly code: 'DEADLINE_PASSED';
  readonly what: string;
  readonly timeoutMs: number;
};

/** Something took longer than it may. */
export class DeadlineError extends Fault<DeadlineFault> {}

/** Why a timer ends whose work ended first. */
const DONE = new Error('the work is done');

/**
 * Runs `work` with a signal that also aborts after `timeoutMs`. Work that goes on all the same is
 * left behind: whoever waits here waits no longer than that.
 *
 * @throws {DeadlineError} DEADLINE_PASSED; what the work throws; the signal's reason
 */
export async function withDeadline<Result>(
  what: string,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Result>,
  { clock, signal }: { readonly clock: Pick<Clock, 'sleep'>; readonly signal: AbortSignal },
): Promise<Result> {
  signal.throwIfAborted();
  const ended = new AbortController();
  const stopTimer = (): void => ended.abort(signal.reason);
  signal.addEventListener('abort', stopTimer, { once: true });
  const working = new AbortController();
  const expiry = clock.sleep(timeoutMs, ended.signal).then((): never => {
    throw new DeadlineError(
      { code: 'DEADLINE_PASSED', what, timeoutMs },
      `${what} took longer than ${timeoutMs} ms`,
    );
  });
  expiry.catch((reason: unknown) => {
    if (reason !== DONE) working.abort(reason);
  });
  try {
    const running = work(working.signal);
    running.catch(() => undefined); // told below, unless nobody waits for it any more
    return await Promise.race([running, expiry]);
  } finally {
    signal.removeEventListener('abort', stopTimer);
    ended.abort(DONE);
  }
}
