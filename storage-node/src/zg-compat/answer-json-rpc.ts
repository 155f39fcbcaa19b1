import {
  type Clock,
  Fault,
  type Json,
  type Logger,
  MAX_JSON_RPC_REPLY_BYTES,
} from '@cairn/primitives';
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
  WireError,
} from '@cairn/wire-protocol';
import { ZgParameters } from './parameters.ts';

/** One method of a JSON-RPC interface. */
export interface JsonRpcMethod {
  /** Parameters it takes at most; whether fewer will do is the method's own matter. */
  readonly parameters: number;
  /** @throws {RpcError} to be answered as it is; any other fault becomes -32000 with its sentence */
  run(
    parameters: ZgParameters,
    context: { readonly signal: AbortSignal },
  ): Promise<Json | undefined>;
}

/** Methods by name. */
export type JsonRpcMethods = Readonly<Record<string, JsonRpcMethod>>;

/** What is told about each call: its method (`unknown` for others), outcome and time. */
export interface JsonRpcCallSeen {
  readonly method: string;
  /** `ok` or the number of the error. */
  readonly outcome: string;
  readonly seconds: number;
}

/** What answering needs. */
export interface JsonRpcDeps {
  readonly methods: JsonRpcMethods;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
  readonly onCall?: (call: JsonRpcCallSeen) => void;
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
export async function answerJsonRpc(
  body: Uint8Array,
  deps: JsonRpcDeps,
  signal: AbortSignal,
): Promise<JsonRpcAnswer> {
  const parsed = parseJsonRpcBody(body);
  if (parsed.kind === 'refused') {
    return { status: parsed.status, text: jsonRpcErrorReply(null, parsed.error) };
  }
  if (parsed.kind === 'single') {
    return { status: 200, text: (await answerCall(parsed.call, deps, signal)) ?? '' };
  }
  const replies: string[] = [];
  let characters = 0;
  for (const call of parsed.calls) {
    const reply = await answerCall(call, deps, signal);
    if (reply === undefined) continue;
    characters += reply.length;
    if (characters > MAX_JSON_RPC_REPLY_BYTES) {
      return { status: 200, text: jsonRpcErrorReply(null, REPLY_TOO_LARGE) };
    }
    replies.push(reply);
  }
  return { status: 200, text: replies.length === 0 ? '' : jsonRpcBatchReply(replies) };
}

const REPLY_TOO_LARGE: JsonRpcError = {
  code: RPC_REPLY_TOO_LARGE,
  message: 'Response is too big',
  data: `Exceeded max limit of ${MAX_JSON_RPC_REPLY_BYTES}`,
};

async function answerCall(
  call: JsonRpcCall | JsonRpcRefusal,
  deps: JsonRpcDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (call.kind === 'refusal') return jsonRpcErrorReply(call.id, call.error);
  const { id } = call;
  if (id === undefined) return undefined;
  const { clock, logger, onCall, methods } = deps;
  const startedAt = clock.monotonic();
  const method = Object.hasOwn(methods, call.method) ? methods[call.method] : undefined;
  const seen = (outcome: string): void =>
    onCall?.({
      method: method === undefined ? 'unknown' : call.method,
      outcome,
      seconds: (clock.monotonic() - startedAt) / 1000,
    });
  try {
    if (method === undefined) throw methodNotFound();
    const parameters = new ZgParameters(call.params, method.parameters);
    const text = replyText(id, await method.run(parameters, { signal }));
    seen('ok');
    return text;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const answer = jsonRpcErrorOf(refusalOf(error));
    if (answer.code !== RPC_METHOD_NOT_FOUND && !(error instanceof Fault)) {
      logger.error({ error, method: call.method }, 'a json-rpc method failed');
    }
    seen(String(answer.code));
    return jsonRpcErrorReply(id, answer);
  }
}

function replyText(id: JsonRpcId, result: Json | undefined): string {
  const text = jsonRpcReply(id, result);
  // Replies are ASCII but for free text of a few characters, so characters stand for bytes.
  return text.length > MAX_JSON_RPC_REPLY_BYTES ? jsonRpcErrorReply(id, REPLY_TOO_LARGE) : text;
}

/** A fault as 0G nodes tell it: shapes that do not parse are -32602, anything else -32000. */
function refusalOf(error: unknown): unknown {
  if (error instanceof RpcError || !(error instanceof Fault)) return error;
  return error instanceof WireError ? invalidParams(error.message) : serverRpcError(error.message);
}
