import {
  Fault,
  isRecord,
  type Json,
  MAX_JSON_DEPTH,
  MAX_JSON_RPC_BATCH,
  MAX_JSON_RPC_BODY_BYTES,
  stringifyJson,
} from '@cairn/primitives';
import { describeValue } from './check.ts';
import { parseBoundedJson } from './json-text.ts';

/** Longest method name that is looked up. */
const MAX_METHOD_LENGTH = 128;
/** Longest text id that is echoed. */
const MAX_ID_LENGTH = 128;

/** Numbers of JSON-RPC 2.0 and of the server that 0G nodes run. */
export const RPC_PARSE_ERROR = -32700;
export const RPC_BODY_TOO_LARGE = -32701;
export const RPC_REPLY_TOO_LARGE = -32702;
export const RPC_INVALID_REQUEST = -32600;
export const RPC_METHOD_NOT_FOUND = -32601;
export const RPC_INVALID_PARAMS = -32602;
export const RPC_INTERNAL_ERROR = -32603;
export const RPC_SERVER_ERROR = -32000;

/** An id as it came: numbers keep their double, so that ids above 2^53 come back as they were sent. */
export type JsonRpcId = number | string | null;

/** The error member of a reply. */
export interface JsonRpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: Json;
}

/** One call. Without an id it is a notification, which gets no reply and is not executed. */
export interface JsonRpcCall {
  readonly kind: 'call';
  readonly id: JsonRpcId | undefined;
  readonly method: string;
  /** In order; left-out parameters are missing at the end. */
  readonly params: readonly unknown[];
  /** By name, where the caller sent an object; `params` has its values then, in the text's order. */
  readonly named?: Readonly<Record<string, unknown>>;
}

/** Something in a body that is no call: answered with `error` under `id`. */
export interface JsonRpcRefusal {
  readonly kind: 'refusal';
  readonly id: JsonRpcId;
  readonly error: JsonRpcError;
}

/** A request body, taken apart. */
export type JsonRpcBody =
  | { readonly kind: 'single'; readonly call: JsonRpcCall | JsonRpcRefusal }
  | { readonly kind: 'batch'; readonly calls: readonly (JsonRpcCall | JsonRpcRefusal)[] }
  /** Not JSON-RPC at all: answer `error` with `status`. */
  | { readonly kind: 'refused'; readonly status: 200 | 400 | 413; readonly error: JsonRpcError };

export type RpcFault = {
  readonly code: 'RPC_ERROR';
  readonly rpcCode: number;
  readonly rpcMessage: string;
  readonly rpcData: Json | undefined;
  /** Where a client got it from. */
  readonly url?: string;
  readonly method?: string;
};

/** A JSON-RPC error: thrown by a server's methods to be sent, and by a client that received one. */
export class RpcError extends Fault<RpcFault> {}

/** The throwable form of an error member. */
export function rpcError({ code, message, data }: JsonRpcError): RpcError {
  return new RpcError(
    { code: 'RPC_ERROR', rpcCode: code, rpcMessage: message, rpcData: data },
    data === undefined ? message : `${message}: ${String(data)}`,
  );
}

/** The error member that says what was thrown; anything but an `RpcError` is an internal error. */
export function jsonRpcErrorOf(error: unknown): JsonRpcError {
  if (!(error instanceof RpcError)) return { code: RPC_INTERNAL_ERROR, message: 'Internal error' };
  const { rpcCode, rpcMessage, rpcData } = error.facts;
  return {
    code: rpcCode,
    message: rpcMessage,
    ...(rpcData === undefined ? {} : { data: rpcData }),
  };
}

/** -32602 about one named parameter: `Invalid params: <name>` with the reason as data. */
export function invalidParam(name: string, reason: string): RpcError {
  return rpcError({ code: RPC_INVALID_PARAMS, message: `Invalid params: ${name}`, data: reason });
}

/** -32602 about the parameters' kinds. */
export function invalidParams(reason: string): RpcError {
  return rpcError({ code: RPC_INVALID_PARAMS, message: 'Invalid params', data: reason });
}

/** -32603 with the reason as data. */
export function internalRpcError(reason: string): RpcError {
  return rpcError({ code: RPC_INTERNAL_ERROR, message: 'Internal error', data: reason });
}

/** -32000: any other failure of a method. */
export function serverRpcError(message: string): RpcError {
  return rpcError({ code: RPC_SERVER_ERROR, message });
}

/** -32601. */
export function methodNotFound(): RpcError {
  return rpcError({ code: RPC_METHOD_NOT_FOUND, message: 'Method not found' });
}

/** Takes a request body apart. Never throws: what is wrong is part of the answer. */
export function parseJsonRpcBody(bytes: Uint8Array): JsonRpcBody {
  if (bytes.length > MAX_JSON_RPC_BODY_BYTES) {
    return refused(413, RPC_BODY_TOO_LARGE, 'Request is too big');
  }
  const first = firstLetter(bytes);
  if (first !== 0x7b && first !== 0x5b) return refused(400, RPC_PARSE_ERROR, 'Parse error');
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = parseBoundedJson(text, MAX_JSON_DEPTH, 'request');
  } catch {
    return refused(200, RPC_PARSE_ERROR, 'Parse error'); // the answer is the same for every reason
  }
  if (!Array.isArray(value)) return { kind: 'single', call: parseCall(value) };
  if (value.length === 0) return refused(200, RPC_INVALID_REQUEST, 'Invalid request');
  if (value.length > MAX_JSON_RPC_BATCH) {
    return refused(
      200,
      RPC_INVALID_REQUEST,
      'Invalid request',
      `at most ${MAX_JSON_RPC_BATCH} calls`,
    );
  }
  return { kind: 'batch', calls: value.map(parseCall) };
}

function parseCall(value: unknown): JsonRpcCall | JsonRpcRefusal {
  if (!isRecord(value)) return refusal(null, `a call is an object, not ${describeValue(value)}`);
  const { id, method, params = [], jsonrpc } = value;
  if (id !== undefined && !isId(id)) return refusal(null, 'an id is a number, a text or null');
  const answerId = id ?? null;
  if (jsonrpc !== '2.0') return refusal(answerId, 'jsonrpc must be "2.0"');
  if (typeof method !== 'string' || method.length > MAX_METHOD_LENGTH) {
    return refusal(answerId, 'method must be a name');
  }
  if (!Array.isArray(params) && !isRecord(params) && params !== null) {
    return refusal(answerId, 'params must be a list');
  }
  // Named parameters: no client uses them; their order in the text stands for their position.
  const list = Array.isArray(params) ? params : Object.values(params ?? {});
  const named = isRecord(params) ? { named: params } : {};
  return { kind: 'call', id, method, params: list, ...named };
}

function isId(value: unknown): value is JsonRpcId {
  return (
    value === null ||
    typeof value === 'number' ||
    (typeof value === 'string' && value.length <= MAX_ID_LENGTH)
  );
}

function refusal(id: JsonRpcId, reason: string): JsonRpcRefusal {
  const error = { code: RPC_INVALID_REQUEST, message: 'Invalid request', data: reason };
  return { kind: 'refusal', id, error };
}

function refused(
  status: 200 | 400 | 413,
  code: number,
  message: string,
  data?: string,
): JsonRpcBody {
  return {
    kind: 'refused',
    status,
    error: { code, message, ...(data === undefined ? {} : { data }) },
  };
}

/** The first byte that is not a blank. */
function firstLetter(bytes: Uint8Array): number | undefined {
  return bytes.find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
}

/** Text of a reply with a result; `undefined` is sent as null, since the member must be there. */
export function jsonRpcReply(id: JsonRpcId, result: Json | undefined): string {
  return `{"jsonrpc":"2.0","result":${stringifyJson(result ?? null)},"id":${stringifyJson(id)}}`;
}

/** Text of a reply with an error. */
export function jsonRpcErrorReply(id: JsonRpcId, error: JsonRpcError): string {
  const { code, message, data } = error;
  return `{"jsonrpc":"2.0","error":${stringifyJson({ code, message, data })},"id":${stringifyJson(id)}}`;
}

/** Text of a reply to a batch. */
export function jsonRpcBatchReply(replies: readonly string[]): string {
  return `[${replies.join(',')}]`;
}
