import {
  acceptStreams,
  bodyStream,
  ClientGone,
  type HttpReplyOut,
  type HttpRequestIn,
  type RouteGroup,
  requestSignal,
} from '@cairn/node-runtime/http';
import { isFault, MAX_JSON_RPC_BODY_BYTES } from '@cairn/primitives';
import {
  jsonRpcErrorReply,
  RPC_BODY_TOO_LARGE,
  RPC_INTERNAL_ERROR,
  RPC_SERVER_ERROR,
} from '@cairn/wire-protocol';
import type { BodyGate } from '../body-gate.ts';
import { answerJsonRpc, type JsonRpcDeps } from '../zg-compat/answer-json-rpc.ts';
import { TOO_MANY_WRITES } from '../zg-compat/errors.ts';

/** What the door needs besides the methods. */
export interface JsonRpcDoorDeps extends JsonRpcDeps {
  readonly gate: BodyGate;
  /** Aborts when the node stops for good. */
  readonly stopping: AbortSignal;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';
/** The content types that jsonrpsee takes, to the letter. */
const ACCEPTED_TYPES = new Set([
  'application/json',
  'application/json; charset=utf-8',
  'application/json;charset=utf-8',
]);

/**
 * JSON-RPC on POST to every path that no other door claims, with the HTTP manners of the server
 * that 0G nodes run: 415 for other content types, 405 for other methods, 413 with -32701 for
 * bodies over 100 MiB, 400 with -32700 for what is not JSON.
 */
export function jsonRpcDoor(deps: JsonRpcDoorDeps): RouteGroup {
  return (app) => {
    acceptStreams(app, { maxBytes: MAX_JSON_RPC_BODY_BYTES });
    app.setErrorHandler((error, _, reply) => {
      void sendFault(error, reply, deps);
    });
    app.route({
      method: 'POST',
      url: '*',
      schema: {
        operationId: 'jsonRpc',
        summary: 'JSON-RPC 2.0: the zgs_* methods of 0G storage nodes',
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
  const contentType = request.headers['content-type'] ?? '';
  if (!ACCEPTED_TYPES.has(contentType.toLowerCase())) {
    void reply.code(415).type(TEXT_TYPE).header('connection', 'close');
    return 'Supplied content type is not allowed. Content-Type: application/json is required\n';
  }
  const declared = request.headers['content-length'];
  const signal = requestSignal(reply, deps.stopping);
  const { status, text } = await deps.gate.read(
    {
      stream: bodyStream(request),
      declaredBytes: declared === undefined ? undefined : Number(declared),
      maxBytes: MAX_JSON_RPC_BODY_BYTES,
    },
    (bytes) => answerJsonRpc(bytes, deps, signal),
    signal,
  );
  void reply.code(status).type(JSON_TYPE);
  return text;
}

/** What went wrong before there was a call to answer, still as JSON-RPC where clients look for it. */
async function sendFault(
  error: unknown,
  reply: HttpReplyOut,
  { logger }: JsonRpcDoorDeps,
): Promise<void> {
  const send = (status: number, code: number, message: string, data?: string): void => {
    const text = jsonRpcErrorReply(null, {
      code,
      message,
      ...(data === undefined ? {} : { data }),
    });
    void reply.code(status).type(JSON_TYPE).send(text);
  };
  if (error instanceof ClientGone) {
    void reply.code(499).type(TEXT_TYPE).send('');
  } else if (isFault(error, 'WIRE_TOO_LONG')) {
    void reply.header('connection', 'close');
    send(413, RPC_BODY_TOO_LARGE, 'Request is too big', error.message);
  } else if (isFault(error, 'QUEUE_FULL')) {
    send(200, RPC_SERVER_ERROR, `${TOO_MANY_WRITES}: ${error.message}`);
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
  return (
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode >= 400 &&
    error.statusCode < 500
  );
}
