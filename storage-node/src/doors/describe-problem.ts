import { ClientGone, type HttpProblem } from '@cairn/node-runtime/http';
import { isFault } from '@cairn/primitives';
import { problemOf } from '@cairn/wire-protocol';

/** Seconds after which a full queue is worth another try. */
const QUEUE_RETRY_SECONDS = 1;
/** Seconds after which the log may have the entry, or the disk room. */
const LATER_SECONDS = 5;

/** Faults of this node's doors as problems: wire-protocol's table says status and advice. */
export function describeProblem(error: unknown): HttpProblem {
  if (error instanceof ClientGone) {
    const title = 'The client closed the connection';
    return { status: 499, title, code: 'CLIENT_GONE', detail: title };
  }
  const problem = problemOf(error);
  if (problem.retry !== 'later' && problem.status !== 507) return problem;
  const retryAfterSeconds = isFault(error, 'QUEUE_FULL') ? QUEUE_RETRY_SECONDS : LATER_SECONDS;
  return { ...problem, retryAfterSeconds };
}
