import {
  type Clock,
  describeError,
  type HttpTransport,
  isRecord,
  type Json,
  parseJson,
  retry,
  stringifyJson,
  TransportError,
  utf8Bytes,
  utf8Text,
  withDeadline,
} from '@cairn/primitives';
import { ChainError } from './errors.ts';
import { originOf } from './fetch-transport.ts';

/** How a call is made: where to, how patiently, how large a reply. */
interface RpcOptions {
  readonly transport: HttpTransport;
  readonly url: string;
  readonly clock: Clock;
  /** Time for one attempt, the reply's body included. */
  readonly timeoutMs: number;
  readonly maxReplyBytes: number;
  /** Attempts in all at a call whose transport fails. */
  readonly attempts: number;
  readonly signal: AbortSignal;
}

/** First wait between attempts; doubles, never beyond the longest. */
const RETRY_DELAY_MS = 200;
const MAX_RETRY_DELAY_MS = 5000;

/** An attempt that another may mend: no connection, too slow, 429, 5xx, half a reply. */
class Transient extends Error {}

/**
 * The `result` of one JSON-RPC call.
 *
 * @throws {ChainError} CHAIN_UNREACHABLE after the last attempt, CHAIN_RPC_ERROR, CHAIN_BAD_REPLY,
 * CHAIN_REPLY_TOO_LARGE; the signal's reason
 */
export async function callRpc(
  method: string,
  params: readonly Json[],
  options: RpcOptions,
): Promise<unknown> {
  const { clock, signal, attempts, timeoutMs, url } = options;
  const body = utf8Bytes(stringifyJson({ jsonrpc: '2.0', id: 1, method, params }));
  try {
    return await retry(
      () =>
        withDeadline(method, timeoutMs, (within) => attempt(method, body, options, within), {
          clock,
          signal,
        }),
      {
        clock,
        signal,
        attempts,
        delayMs: RETRY_DELAY_MS,
        maxDelayMs: MAX_RETRY_DELAY_MS,
        isRetryable: (error) => !(error instanceof ChainError),
      },
    );
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof ChainError) throw error;
    const endpoint = originOf(url);
    throw new ChainError(
      { code: 'CHAIN_UNREACHABLE', endpoint, method, attempts },
      `the chain endpoint ${endpoint} gave no usable answer to ${method} in ${attempts} attempts (${describeError(error)})`,
      { cause: error },
    );
  }
}

async function attempt(
  method: string,
  body: Uint8Array,
  { transport, url, timeoutMs, maxReplyBytes }: RpcOptions,
  signal: AbortSignal,
): Promise<unknown> {
  const reply = await transport.send({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body,
    signal,
    timeoutMs,
  });
  let bytes: Uint8Array;
  try {
    bytes = await reply.bytes(maxReplyBytes);
  } catch (error) {
    if (error instanceof TransportError && error.code === 'TRANSPORT_REPLY_TOO_LARGE') {
      throw new ChainError(
        { code: 'CHAIN_REPLY_TOO_LARGE', method, maxBytes: maxReplyBytes },
        `the chain's reply to ${method} exceeds ${maxReplyBytes} bytes`,
      );
    }
    throw error;
  }
  const message = parseMessage(bytes);
  // Some endpoints send RPC errors with status 4xx or 5xx: an error object says more than the status.
  if (reply.status === 429 || reply.status >= 500 || message === undefined) {
    if (reply.status !== 429 && isRecord(message) && isRecord(message['error'])) {
      throw rpcError(method, message['error']);
    }
    throw new Transient(`HTTP status ${reply.status}, ${bytes.length} bytes`);
  }
  if (isRecord(message['error'])) throw rpcError(method, message['error']);
  if (!('result' in message)) {
    throw new ChainError(
      { code: 'CHAIN_BAD_REPLY', method, reason: 'neither result nor error' },
      `the chain's reply to ${method} has neither a result nor an error (HTTP status ${reply.status})`,
    );
  }
  return message['result'];
}

function parseMessage(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const message = parseJson(utf8Text(bytes));
    return isRecord(message) ? message : undefined;
  } catch {
    return undefined; // half a reply, or a proxy's error page
  }
}

/** Errors that mean "not now": rate limits that come as JSON-RPC errors with status 200. */
const RATE_LIMIT_CODES: readonly number[] = [-32016, -32029, 429];

function rpcError(method: string, error: Readonly<Record<string, unknown>>): Error {
  const rpcCode = typeof error['code'] === 'number' ? error['code'] : 0;
  const rpcMessage = shorten(
    typeof error['message'] === 'string' ? error['message'] : 'no message',
    300,
  );
  if (RATE_LIMIT_CODES.includes(rpcCode) || /rate limit|too many requests/i.test(rpcMessage)) {
    return new Transient(rpcMessage);
  }
  return new ChainError(
    { code: 'CHAIN_RPC_ERROR', method, rpcCode, rpcMessage, rpcData: revertDataOf(error['data']) },
    `the chain refused ${method} with error ${rpcCode}: ${rpcMessage}`,
  );
}

/** Revert data sits in `data`, or in `data.data` or `data.result` with some endpoints. */
function revertDataOf(field: unknown): string | undefined {
  if (typeof field === 'string') return /^0x[0-9a-f]*$/i.test(field) ? field : undefined;
  if (!isRecord(field)) return undefined;
  return revertDataOf(field['data']) ?? revertDataOf(field['result']);
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
