import {
  type Clock,
  describeError,
  Fault,
  type Json,
  type Logger,
  MAX_JSON_RPC_REPLY_BYTES,
} from '@cairn/primitives';
import { WireError } from './errors.ts';
import {
  invalidParams,
  type JsonRpcCall,
  type JsonRpcError,
  type JsonRpcId,
  type JsonRpcRefusal,
  jsonRpcBatchReply,
  jsonRpcErrorOf,
  jsonRpcErrorReply,
  jsonRpcReply,
  methodNotFound,
  parseJsonRpcBody,
  RPC_METHOD_NOT_FOUND,
  RPC_REPLY_TOO_LARGE,
  RpcError,
  serverRpcError,
} from './json-rpc.ts';

/** A call that is to be answered. */
export interface JsonRpcRequest extends Pick<JsonRpcCall, 'params' | 'named'> {
  readonly id: JsonRpcId;
}

/**
 * One method of a JSON-RPC interface.
 *
 * It throws an `RpcError` to be answered as it is; any other fault becomes -32000 with its sentence.
 */
export type JsonRpcHandler = (
  request: JsonRpcRequest,
  context: { readonly signal: AbortSignal },
) => Promise<Json | undefined>;

/** Methods by name. */
export type JsonRpcHandlers = Readonly<Record<string, JsonRpcHandler>>;

/** What is told about each call: its method (`unknown` for others), outcome and time. */
export interface JsonRpcCallSeen {
  readonly method: string;
  /** `ok` or the number of the error. */
  readonly outcome: string;
  readonly seconds: number;
}

/** What answering needs. */
export interface JsonRpcAnswerDeps {
  readonly handlers: JsonRpcHandlers;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
  readonly onCall?: (call: JsonRpcCallSeen) => void;
  /** Characters of an answer, at most; those of 0G storage nodes unless told. */
  readonly maxReplyLength?: number;
}

/** An answer ready to be sent. */
export interface JsonRpcAnswer {
  readonly status: 200 | 400 | 413;
  /** Empty for notifications. */
  readonly text: string;
}

/**
 * Answers a JSON-RPC body the way the HTTP server of 0G nodes (jsonrpsee 0.14) does.
 *
 * Errors travel with HTTP 200, since official clients take any other status for a broken transport
 * and repeat the call; notifications are answered with nothing and not executed. The calls of a
 * batch run one after another, so that a batch takes no more memory at a time than a call.
 *
 * @throws the signal's reason
 */
export async function answerJsonRpcBody(
  body: Uint8Array,
  deps: JsonRpcAnswerDeps,
  signal: AbortSignal,
): Promise<JsonRpcAnswer> {
  const parsed = parseJsonRpcBody(body);
  if (parsed.kind === 'refused') {
    return { status: parsed.status, text: jsonRpcErrorReply(null, parsed.error) };
  }
  if (parsed.kind === 'single') {
    return { status: 200, text: (await answerCall(parsed.call, deps, signal)) ?? '' };
  }
  const { maxReplyLength = MAX_JSON_RPC_REPLY_BYTES } = deps;
  const replies: string[] = [];
  let characters = 0;
  for (const call of parsed.calls) {
    const reply = await answerCall(call, deps, signal);
    if (reply === undefined) continue;
    characters += reply.length;
    if (characters > maxReplyLength) {
      return { status: 200, text: jsonRpcErrorReply(null, replyTooLarge(maxReplyLength)) };
    }
    replies.push(reply);
  }
  return { status: 200, text: replies.length === 0 ? '' : jsonRpcBatchReply(replies) };
}

const replyTooLarge = (maxReplyLength: number): JsonRpcError => ({
  code: RPC_REPLY_TOO_LARGE,
  message: 'Response is too big',
  data: `Exceeded max limit of ${maxReplyLength}`,
});

async function answerCall(
  call: JsonRpcCall | JsonRpcRefusal,
  deps: JsonRpcAnswerDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (call.kind === 'refusal') return jsonRpcErrorReply(call.id, call.error);
  const { clock, logger, onCall, handlers, maxReplyLength = MAX_JSON_RPC_REPLY_BYTES } = deps;
  const { id, params, named } = call;
  if (id === undefined) return undefined;
  const startedAt = clock.monotonic();
  const handler = Object.hasOwn(handlers, call.method) ? handlers[call.method] : undefined;
  const seen = (outcome: string): void =>
    onCall?.({
      method: handler === undefined ? 'unknown' : call.method,
      outcome,
      seconds: (clock.monotonic() - startedAt) / 1000,
    });
  try {
    if (handler === undefined) throw methodNotFound();
    const request = { id, params, ...(named === undefined ? {} : { named }) };
    const text = replyText(id, await handler(request, { signal }), maxReplyLength);
    seen('ok');
    return text;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const answer = jsonRpcErrorOf(refusalOf(error));
    if (answer.code !== RPC_METHOD_NOT_FOUND && !(error instanceof Fault)) {
      logger.error(
        { error, method: call.method, reason: describeError(error) },
        'a json-rpc method failed',
      );
    }
    seen(String(answer.code));
    return jsonRpcErrorReply(id, answer);
  }
}

function replyText(id: JsonRpcId, result: Json | undefined, maxLength: number): string {
  const text = jsonRpcReply(id, result);
  // Replies are ASCII but for free text of a few characters, so characters stand for bytes.
  return text.length > maxLength ? jsonRpcErrorReply(id, replyTooLarge(maxLength)) : text;
}

/** A fault as 0G nodes tell it: shapes that do not parse are -32602, anything else -32000. */
function refusalOf(error: unknown): unknown {
  if (error instanceof RpcError || !(error instanceof Fault)) return error;
  return error instanceof WireError ? invalidParams(error.message) : serverRpcError(error.message);
}
