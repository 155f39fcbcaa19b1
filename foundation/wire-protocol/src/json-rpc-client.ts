import {
  type HttpTransport,
  isRecord,
  type Json,
  MAX_JSON_DEPTH,
  MAX_JSON_RPC_REPLY_BYTES,
  stringifyJson,
  TransportError,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { RpcError } from './json-rpc.ts';
import { parseBoundedJson } from './json-text.ts';

/** How a call is made. */
export interface CallJsonRpcOptions {
  readonly signal: AbortSignal;
  /** Time for the reply's head to arrive; the transport's own unless told. */
  readonly timeoutMs?: number;
  /** 10 MiB unless told. */
  readonly maxReplyBytes?: number;
}

/**
 * Calls one method and returns its result, whose shape is not checked.
 *
 * @throws {RpcError} RPC_ERROR with the node's own code, message and data
 * @throws {TransportError} TRANSPORT_UNREACHABLE, TRANSPORT_TIMEOUT, TRANSPORT_REPLY_TOO_LARGE,
 *   TRANSPORT_STATUS, TRANSPORT_BROKEN_REPLY; the signal's reason
 */
export async function callJsonRpc(
  transport: Pick<HttpTransport, 'send'>,
  url: string,
  method: string,
  params: readonly Json[],
  { signal, timeoutMs, maxReplyBytes = MAX_JSON_RPC_REPLY_BYTES }: CallJsonRpcOptions,
): Promise<unknown> {
  const reply = await transport.send({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    body: utf8Bytes(stringifyJson({ jsonrpc: '2.0', id: 1, method, params })),
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const isJson = reply.headers['content-type']?.startsWith('application/json') ?? false;
  if (reply.status !== 200 && !isJson) {
    await reply.discard();
    refuseStatus(url, reply.status);
  }
  const fields = parseReply(await reply.bytes(maxReplyBytes), url);
  const { error, result } = fields;
  if (isRecord(error)) throw receivedError(error, url, method);
  if (reply.status !== 200) refuseStatus(url, reply.status);
  if (result === undefined) broken(url, 'neither result nor error');
  return result;
}

function parseReply(bytes: Uint8Array, url: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseBoundedJson(utf8Text(bytes), MAX_JSON_DEPTH, 'reply');
  } catch (error) {
    broken(url, 'not JSON', error);
  }
  if (!isRecord(value)) broken(url, 'not an object');
  return value;
}

function receivedError(
  error: Readonly<Record<string, unknown>>,
  url: string,
  method: string,
): RpcError {
  const rpcCode = typeof error['code'] === 'number' ? error['code'] : 0;
  const rpcMessage = String(error['message'] ?? 'error without a message').slice(0, 1000);
  const data = error['data'];
  const rpcData = typeof data === 'string' ? data.slice(0, 1000) : undefined;
  const detail = rpcData === undefined ? rpcMessage : `${rpcMessage}: ${rpcData}`;
  return new RpcError(
    { code: 'RPC_ERROR', rpcCode, rpcMessage, rpcData, url, method },
    `${url} answers ${method} with error ${rpcCode}: ${detail}`,
  );
}

function refuseStatus(url: string, status: number): never {
  throw new TransportError(
    { code: 'TRANSPORT_STATUS', url, status },
    `${url} answers with HTTP status ${status}`,
  );
}

function broken(url: string, reason: string, cause?: unknown): never {
  throw new TransportError(
    { code: 'TRANSPORT_BROKEN_REPLY', url, reason },
    `${url} sends a broken JSON-RPC reply: ${reason}`,
    { cause },
  );
}
