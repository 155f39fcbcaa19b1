import type { Socket } from 'node:net';
import { describeError, type Logger } from '@cairn/primitives';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type DescribeProblem,
  type HttpProblem,
  type ProblemReply,
  problemReply,
  protocolProblem,
} from './problem.ts';

/** Headers that tell of the content a route meant to send, not of the problem sent in its place. */
const CONTENT_HEADERS = ['etag', 'accept-ranges', 'content-range', 'content-disposition'];

const MALFORMED: HttpProblem = {
  status: 400,
  title: 'Malformed request',
  code: 'WIRE_MALFORMED',
  detail: 'the request is not HTTP as this server reads it',
};

/** How a host answers faults. */
export interface FaultAnswers {
  readonly describe: DescribeProblem;
  readonly logger: Logger;
  /** Headers of this host's routes, which its problems go without. */
  readonly ownHeaders: readonly string[];
}

/** Answers what routes throw, and paths that no route has, with problems. */
export function answerFaults(
  app: FastifyInstance,
  { describe, logger, ownHeaders }: FaultAnswers,
): void {
  app.setNotFoundHandler((request, reply) => {
    const detail = `there is nothing at ${request.method} ${request.url.split('?')[0]?.slice(0, 200)}`;
    const title = 'There is nothing at this path';
    send(reply, problemReply({ status: 404, title, code: 'ROUTE_UNKNOWN', detail }, request.id));
  });
  app.setErrorHandler((error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const problem = protocolProblem(error) ?? describe(error);
    const fields = {
      requestId: request.id,
      route: request.routeOptions.url ?? 'none',
      status: problem.status,
      code: problem.code,
    };
    if (problem.status === 500) {
      logger.error({ ...fields, error }, 'a request failed unexpectedly');
    } else {
      logger.debug({ ...fields, reason: describeError(error) }, 'a request was refused');
    }
    // A stream that fails at its first byte does so after the route has set its headers.
    for (const name of [...CONTENT_HEADERS, ...ownHeaders]) reply.removeHeader(name);
    send(reply, problemReply(problem, request.id));
  });
}

/** Answers a request that the framework refused before any route or hook saw it. */
export function answerProtocolFault(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  send(reply, problemReply(protocolProblem(error) ?? MALFORMED, request.id));
}

/**
 * Answers what is no request, or came too slowly to be one, and closes its connection, also when the
 * client does not close its side.
 */
export function refuseConnection(
  error: Error & { readonly code?: string },
  socket: Socket,
  requestId: string,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, title } = connectionProblem(error.code);
  const { body } = problemReply({ ...MALFORMED, status, title, detail: title }, requestId);
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function connectionProblem(code: string | undefined): { status: number; title: string } {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, title: 'Request Timeout' };
  if (code === 'HPE_HEADER_OVERFLOW') return { status: 431, title: 'Headers Too Large' };
  return { status: 400, title: 'Malformed request' };
}

function send(reply: FastifyReply, { status, headers, body }: ProblemReply): void {
  void reply.code(status).headers(headers).send(body);
}
