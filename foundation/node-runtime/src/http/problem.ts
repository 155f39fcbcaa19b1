import { describeError, Fault, isFault } from '@cairn/primitives';

/** What a route's fault looks like from outside: RFC 9457 with our code. */
export interface HttpProblem {
  /** 400 … 599. */
  readonly status: number;
  /** A few words, the same for every occurrence of the code. */
  readonly title: string;
  readonly code: string;
  /** One sentence with the numbers in it; safe to show. */
  readonly detail: string;
  /** What the caller can do: `never`, `later` or `elsewhere`. */
  readonly retry?: string;
  /** Becomes the `Retry-After` header. */
  readonly retryAfterSeconds?: number;
}

/** Turns what a route threw into a problem. Never puts secrets or paths into `detail`. */
export type DescribeProblem = (error: unknown) => HttpProblem;

export type HttpFault =
  | { readonly code: 'WIRE_TOO_LONG'; readonly maxBytes: number }
  | { readonly code: 'BODY_CUT_SHORT' }
  | { readonly code: 'BODY_KIND'; readonly expected: string };

/** A request body that cannot be taken. */
export class HttpError extends Fault<HttpFault> {}

/** Content type of a problem. */
export const PROBLEM_TYPE = 'application/problem+json';

/** Seconds a caller waits after a 503 or 429 unless its problem says otherwise. */
const DEFAULT_RETRY_SECONDS = 1;

/** A problem as it is sent: headers, status and body. */
export interface ProblemReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The reply that carries `problem`. */
export function problemReply(problem: HttpProblem, requestId: string): ProblemReply {
  const { status, title, code, detail, retry, retryAfterSeconds } = problem;
  const waits = retryAfterSeconds ?? (status === 503 || status === 429 ? DEFAULT_RETRY_SECONDS : 0);
  return {
    status,
    headers: {
      'content-type': PROBLEM_TYPE,
      // Whatever went wrong may be right the next time; a route may have promised otherwise.
      'cache-control': 'no-store',
      ...(waits > 0 ? { 'retry-after': String(Math.ceil(waits)) } : {}),
    },
    body: JSON.stringify({
      type: `urn:cairn:fault:${code}`,
      title,
      status,
      detail,
      code,
      retry: retry ?? (waits > 0 ? 'later' : 'never'),
      requestId,
    }),
  };
}

/** For hosts without a fault table: what is thrown stays inside, except that a queue was full. */
export const describeInternally: DescribeProblem = (error) =>
  isFault(error, 'QUEUE_FULL')
    ? { status: 503, title: 'Too much work is waiting', code: 'QUEUE_FULL', detail: error.message }
    : { status: 500, title: 'Internal error', code: 'INTERNAL', detail: 'Internal error' };

/** Problems of HTTP itself, found before or beside a route; `undefined` for all others. */
export function protocolProblem(error: unknown): HttpProblem | undefined {
  if (isFault(error, 'WIRE_TOO_LONG')) {
    return {
      status: 413,
      title: 'More than is allowed',
      code: 'WIRE_TOO_LONG',
      detail: error.message,
    };
  }
  if (error instanceof HttpError) {
    return {
      status: 400,
      title: 'Malformed request',
      code: error.code,
      detail: error.message,
    };
  }
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  const status = Number(error.statusCode);
  if (!(status >= 400 && status < 500)) return undefined;
  const detail = describeError(error).slice(0, 500);
  switch (status) {
    case 404:
      return { status, title: 'There is nothing at this path', code: 'ROUTE_UNKNOWN', detail };
    case 413:
      return { status, title: 'More than is allowed', code: 'WIRE_TOO_LONG', detail };
    case 415:
      return { status, title: 'The content type is not taken here', code: 'MEDIA_TYPE', detail };
    default:
      return { status, title: 'Malformed request', code: 'WIRE_MALFORMED', detail };
  }
}
