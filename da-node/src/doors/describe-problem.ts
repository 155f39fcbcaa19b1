import { ClientGone, type HttpProblem } from '@cairn/node-runtime/http';
import { problemOf } from '@cairn/wire-protocol';

/** Seconds after which what was refused for now is worth another try. */
const LATER_SECONDS = 2;

/** Faults of this node's doors as problems: wire-protocol's table says status and advice. */
export function describeProblem(error: unknown): HttpProblem {
  if (error instanceof ClientGone) {
    const title = 'The client closed the connection';
    return { status: 499, title, code: 'CLIENT_GONE', detail: title };
  }
  const problem = problemOf(error);
  if (problem.retry !== 'later' && problem.status !== 507) return problem;
  return { ...problem, retryAfterSeconds: LATER_SECONDS };
}
