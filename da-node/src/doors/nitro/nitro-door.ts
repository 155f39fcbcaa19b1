import {
  acceptStreams,
  ClientGone,
  type HttpReplyOut,
  type HttpRequestIn,
  type RouteGroup,
  requestSignal,
} from '@cairn/node-runtime/http';
import { isFault, type Logger, stringifyJson } from '@cairn/primitives';
import {
  type JsonRpcCall,
  type JsonRpcError,
  type JsonRpcId,
  type JsonRpcRefusal,
  jsonRpcBatchReply,
  parseJsonRpcBody,
  RPC_METHOD_NOT_FOUND,
} from '@cairn/wire-protocol';
import { admitTo, type PayloadSources } from '../read-payload.ts';
import { callerOf, type PayloadIntake, takePayload } from '../take-payload.ts';
import type { NitroCall, NitroMethod } from './nitro-methods.ts';
import { MAX_MESSAGE_BYTES } from './nitro-provider.ts';
import { NITRO_TEXTS, nitroErrorOf } from './rpc-fault.ts';

/** What the door for Arbitrum nodes needs. */
export interface NitroDoorDeps extends Pick<PayloadSources, 'replies'> {
  readonly methods: ReadonlyMap<string, NitroMethod>;
  readonly intake: Omit<PayloadIntake, 'maxBytes'>;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
}

/** Bytes of a request: the longest message in hex, and what stands around it. */
const MAX_BODY_BYTES: number = 2 * MAX_MESSAGE_BYTES + 4096;
/** Bodies that are too long, announced or not. */
const SIZE_CODES: readonly string[] = ['BLOB_TOO_LARGE', 'WIRE_TOO_LONG'];
/** A reply holds a payload, its base64 and the text around that. */
const REPLY_COPIES = 4;

/**
 * JSON-RPC 2.0 on `POST /` as the providers of Arbitrum nodes answer it: members in their order, errors
 * told by their texts.
 */
export function nitroDoor(deps: NitroDoorDeps): RouteGroup {
  return (app) => {
    acceptStreams(app, { maxBytes: MAX_BODY_BYTES });
    app.setErrorHandler((error, _, reply) => {
      if (!SIZE_CODES.some((code) => isFault(error, code))) throw error; // as on every listener
      void reply.code(413).type('text/plain').header('connection', 'close');
      void reply.send(`${NITRO_TEXTS.tooLarge}\n`);
    });
    app.post('/', (request, reply) => answerRequest(request, reply, deps));
  };
}

async function answerRequest(
  request: HttpRequestIn,
  reply: HttpReplyOut,
  deps: NitroDoorDeps,
): Promise<string> {
  const { intake, stopping } = deps;
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    void reply.code(415).type('text/plain');
    return 'the content type of a call is application/json\n';
  }
  const signal = requestSignal(reply, stopping);
  const admit = admitTo(reply, deps, signal);
  const call: NitroCall = {
    caller: callerOf(request),
    admit: (bytes) => admit(REPLY_COPIES * bytes),
    signal,
  };
  const bounds = { ...intake, maxBytes: MAX_BODY_BYTES };
  void reply.type('application/json').header('cache-control', 'no-store');
  try {
    return await takePayload(request, bounds, (body) => answerBody(body, call, deps), signal);
  } catch (error) {
    if (error instanceof ClientGone || SIZE_CODES.some((code) => isFault(error, code))) throw error;
    return errorReply(null, nitroErrorOf(error));
  }
}

async function answerBody(body: Uint8Array, call: NitroCall, deps: NitroDoorDeps): Promise<string> {
  const parsed = parseJsonRpcBody(body);
  switch (parsed.kind) {
    case 'refused':
      return errorReply(null, parsed.error);
    case 'single':
      return (await answerCall(parsed.call, call, deps)) ?? '';
    case 'batch': {
      const replies: string[] = [];
      for (const each of parsed.calls) {
        const reply = await answerCall(each, call, deps);
        if (reply !== undefined) replies.push(reply);
      }
      return replies.length === 0 ? '' : jsonRpcBatchReply(replies);
    }
  }
}

/** The reply to a call; none to a notification, which is not executed. */
async function answerCall(
  asked: JsonRpcCall | JsonRpcRefusal,
  call: NitroCall,
  { methods, logger }: NitroDoorDeps,
): Promise<string | undefined> {
  if (asked.kind === 'refusal') return errorReply(asked.id, asked.error);
  const { id, method: name, params } = asked;
  if (id === undefined) return undefined;
  const method = methods.get(name);
  if (method === undefined) {
    const message = `the method ${name} does not exist/is not available`;
    return errorReply(id, { code: RPC_METHOD_NOT_FOUND, message });
  }
  try {
    const result = await method(params, call);
    return `{"jsonrpc":"2.0","id":${stringifyJson(id)},"result":${stringifyJson(result)}}`;
  } catch (error) {
    call.signal.throwIfAborted();
    const answer = nitroErrorOf(error);
    logger.debug({ method: name, reason: answer.message }, 'a call of an arbitrum node failed');
    return errorReply(id, answer);
  }
}

function errorReply(id: JsonRpcId, { code, message, data }: JsonRpcError): string {
  const error = stringifyJson({ code, message, data });
  return `{"jsonrpc":"2.0","id":${stringifyJson(id)},"error":${error}}`;
}
