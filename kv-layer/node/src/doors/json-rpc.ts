import {
  acceptStreams,
  bodyStream,
  ClientGone,
  type HttpReplyOut,
  type HttpRequestIn,
  type RouteGroup,
  requestSignal,
} from '@cairn/node-runtime/http';
import { concatBytes, isFault, MIB, type Semaphore } from '@cairn/primitives';
import {
  answerJsonRpcBody,
  type JsonRpcAnswerDeps,
  jsonRpcErrorReply,
  RPC_BODY_TOO_LARGE,
  RPC_INTERNAL_ERROR,
  RPC_SERVER_ERROR,
} from '@cairn/wire-protocol';
import { JSON_TYPE } from './send-json.ts';

/** What the door needs besides the methods. */
export interface JsonRpcDoorDeps extends JsonRpcAnswerDeps {
  /** Calls answered at once. */
  readonly turns: Semaphore;
  /** Large bodies in memory at once. */
  readonly largeTurns: Semaphore;
  /** Aborts when the node stops for good. */
  readonly stopping: AbortSignal;
}

/** Room for a key of 16 MiB in base64, which the official node takes in a batch and not in a question. */
const MAX_BODY_BYTES: number = 32 * MIB;
/** Bodies up to here are read at once: a socket's buffer holds as much anyway. */
export const SMALL_BODY_BYTES = 65_536;
const TEXT_TYPE = 'text/plain; charset=utf-8';

/**
 * JSON-RPC on POST to every path that no other door claims, with the HTTP manners of the server
 * that 0G nodes run: 415 for other content types, 405 for other methods, 413 for bodies over 32 MiB.
 * Errors of calls travel with 200: official clients take any other status for a broken connection.
 */
export function jsonRpcDoor(deps: JsonRpcDoorDeps): RouteGroup {
  return (app) => {
    acceptStreams(app, { maxBytes: MAX_BODY_BYTES });
    app.setErrorHandler((error, _, reply) => {
      void sendFault(error, reply, deps);
    });
    app.route({
      method: 'POST',
      url: '*',
      schema: {
        operationId: 'jsonRpc',
        summary: 'JSON-RPC 2.0: the kv_* methods of 0G key-value nodes, and kvx_* of this one',
        tags: ['json-rpc'],
      },
      handler: (request, reply) => answer(request, reply, deps),
    });
    for (const [method, url] of [
      [['GET'], '/'],
      [['PUT', 'DELETE', 'PATCH'], '*'],
    ] as const) {
      app.route({
        method: [...method],
        url,
        schema: { hide: true },
        handler: async (_, reply) => {
          void reply.code(405).header('allow', 'POST, OPTIONS').type(TEXT_TYPE);
          return 'Used HTTP Method is not allowed. POST or OPTIONS is required\n';
        },
      });
    }
  };
}

async function answer(
  request: HttpRequestIn,
  reply: HttpReplyOut,
  deps: JsonRpcDoorDeps,
): Promise<string> {
  if (!isJson(request.headers['content-type'])) {
    void reply.code(415).type(TEXT_TYPE).header('connection', 'close');
    return 'Supplied content type is not allowed. Content-Type: application/json is required\n';
  }
  const declared = Number(request.headers['content-length'] ?? Number.NaN);
  const signal = requestSignal(reply, deps.stopping);
  const work = async (): Promise<string> => {
    const parts: Uint8Array[] = [];
    for await (const part of bodyStream(request)) parts.push(part);
    const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : concatBytes(...parts);
    const { status, text } = await deps.turns.run(
      () => answerJsonRpcBody(bytes, deps, signal),
      signal,
    );
    void reply.code(status).type(JSON_TYPE);
    return text;
  };
  return declared <= SMALL_BODY_BYTES ? work() : deps.largeTurns.run(work, signal);
}

/** Whether a content type is one that the server of 0G nodes takes. */
export function isJson(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true;
  const type = (contentType ?? '').toLowerCase().replaceAll(' ', '');
  return type === 'application/json' || type === 'application/json;charset=utf-8';
}

/** What went wrong before there was a call to answer, still as JSON-RPC where clients look for it. */
async function sendFault(
  error: unknown,
  reply: HttpReplyOut,
  { logger }: JsonRpcDoorDeps,
): Promise<void> {
  const send = (status: number, code: number, message: string, data?: string): void => {
    const fault = { code, message, ...(data === undefined ? {} : { data }) };
    void reply.code(status).type(JSON_TYPE).send(jsonRpcErrorReply(null, fault));
  };
  if (error instanceof ClientGone) {
    void reply.code(499).type(TEXT_TYPE).send('');
  } else if (isFault(error, 'WIRE_TOO_LONG')) {
    void reply.header('connection', 'close');
    send(413, RPC_BODY_TOO_LARGE, 'Request is too big', error.message);
  } else if (isFault(error, 'QUEUE_FULL')) {
    send(200, RPC_SERVER_ERROR, `too many calls at once: ${error.message}`);
  } else if (isFault(error)) {
    send(400, RPC_SERVER_ERROR, error.message);
  } else if (isHttpError(error)) {
    void reply.code(error.statusCode).type(TEXT_TYPE).send(`${error.message}\n`);
  } else {
    logger.error({ error }, 'the json-rpc door failed');
    send(500, RPC_INTERNAL_ERROR, 'Internal error');
  }
}

function isHttpError(error: unknown): error is Error & { readonly statusCode: number } {
  if (!(error instanceof Error) || !('statusCode' in error)) return false;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
}
