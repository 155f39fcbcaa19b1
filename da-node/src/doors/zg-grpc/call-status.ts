import { DeadlineError, isFault } from '@cairn/primitives';
import { problemOf } from '@cairn/wire-protocol';
import { Code, ConnectError } from '@connectrpc/connect';

/** gRPC codes for the statuses of wire-protocol's table. */
const CODES: Readonly<Record<number, Code>> = {
  400: Code.InvalidArgument,
  401: Code.Unauthenticated,
  403: Code.PermissionDenied,
  404: Code.NotFound,
  408: Code.DeadlineExceeded,
  409: Code.FailedPrecondition,
  410: Code.NotFound,
  413: Code.ResourceExhausted,
  422: Code.InvalidArgument,
  429: Code.ResourceExhausted,
  503: Code.Unavailable,
  504: Code.DeadlineExceeded,
  507: Code.Unavailable,
};
/** What 0G's disperser answers without a code of its own. */
const PLAIN: readonly string[] = ['BLOB_EMPTY', 'BLOB_TOO_LARGE'];
/** How 0G's text begins where a client has had its share; clients look for it. */
const RATE_LIMITED = 'request ratelimited: ';

/** What a client is told of an error: a code, and the sentence where it may be told. */
export function callStatusOf(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  if (error instanceof DeadlineError) {
    return new ConnectError(error.message, Code.DeadlineExceeded, undefined, undefined, error);
  }
  const { status, detail } = problemOf(error);
  const isPlain = PLAIN.some((code) => isFault(error, code));
  const code = isPlain ? Code.Unknown : (CODES[status] ?? Code.Internal);
  const told = isFault(error, 'ACCOUNT_BUDGET') ? `${RATE_LIMITED}${detail}` : detail;
  return new ConnectError(told, code, undefined, undefined, error);
}

/** Runs a call; what it throws, the client is told. @throws {ConnectError} */
export async function answering<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw callStatusOf(error);
  }
}
