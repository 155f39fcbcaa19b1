import { bodyStream, type HttpRequestIn } from '@cairn/node-runtime/http';
import {
  abortable,
  type Clock,
  concatBytes,
  DeadlineError,
  MIB,
  withDeadline,
} from '@cairn/primitives';
import type { ByteBudget } from '../byte-budget.ts';
import type { Caller } from '../disperser/accounts.ts';
import { DispersalError } from '../disperser/errors.ts';

/** How payloads are read from requests. */
export interface PayloadIntake {
  readonly maxBytes: number;
  /** Memory of all payloads that are being read and not accepted yet. */
  readonly budget: ByteBudget;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** What a body of unannounced length reserves, and the most it may have. */
const UNANNOUNCED_BYTES: number = 8 * MIB;
/** Time any body may take, and the rate from which a longer one gets more. */
const BODY_TIMEOUT_MS = 30_000;
const MIN_BYTES_PER_MS = 64;

/**
 * Reads a request's body once there is memory for it, so that its sender is held back by the socket,
 * and gives the memory back when `use` is done with it: not before, though its caller may have left.
 *
 * @param use - keeps what it is given until it settles; `signal` is not its own
 * @throws {DispersalError} BLOB_TOO_LARGE, before reading where the length was announced;
 *   WIRE_TOO_SLOW; {QueueFullError} QUEUE_FULL; {HttpError} WIRE_TOO_LONG, BODY_CUT_SHORT
 * @throws what `use` throws; the signal's reason
 */
export async function takePayload<Result>(
  request: HttpRequestIn,
  { maxBytes, budget, clock }: PayloadIntake,
  use: (payload: Uint8Array) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const declared = request.headers['content-length'];
  const limit = declared === undefined ? Math.min(maxBytes, UNANNOUNCED_BYTES) : Number(declared);
  if (limit > maxBytes) throw tooLarge(limit, maxBytes);
  const release = await budget.take(2 * limit, signal); // the parts, and the whole
  const take = async (): Promise<Result> => {
    try {
      const timeoutMs = BODY_TIMEOUT_MS + limit / MIN_BYTES_PER_MS;
      return await use(await collect(request, { limit, maxBytes, timeoutMs, clock }, signal));
    } finally {
      release();
    }
  };
  return abortable(take(), signal);
}

/** The API key that a request shows: `x-api-key`, or a bearer token. */
export function callerOf(request: HttpRequestIn): Caller {
  const { authorization } = request.headers;
  const shown = request.headers['x-api-key'];
  const bearer = /^Bearer (\S{1,512})$/.exec(authorization ?? '')?.[1];
  return { apiKey: typeof shown === 'string' ? shown : bearer };
}

interface CollectOptions {
  readonly limit: number;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, 'sleep'>;
}

async function collect(
  request: HttpRequestIn,
  { limit, maxBytes, timeoutMs, clock }: CollectOptions,
  signal: AbortSignal,
): Promise<Uint8Array> {
  let reading: Promise<Uint8Array> | undefined;
  const read = async (inner: AbortSignal): Promise<Uint8Array> => {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of bodyStream(request)) {
      inner.throwIfAborted();
      length += part.length;
      if (length > limit) throw tooLarge(length, maxBytes);
      parts.push(part);
    }
    return concatBytes(...parts);
  };
  try {
    const start = (inner: AbortSignal): Promise<Uint8Array> => {
      reading = read(inner);
      return reading;
    };
    return await withDeadline('a request body', timeoutMs, start, { clock, signal });
  } catch (error) {
    const isSlow = error instanceof DeadlineError && !signal.aborted;
    if (isSlow) request.raw.destroy(); // whatever still comes of it is not read
    await reading?.catch(() => undefined); // what came is held until the stream lets go of it
    if (!isSlow) throw error;
    throw new DispersalError(
      { code: 'WIRE_TOO_SLOW', timeoutMs },
      `the payload did not arrive within ${Math.round(timeoutMs)} ms`,
    );
  }
}

function tooLarge(sizeBytes: number, maxBytes: number): DispersalError {
  return new DispersalError(
    { code: 'BLOB_TOO_LARGE', sizeBytes, maxBytes },
    `a blob has up to ${maxBytes} bytes here, not ${sizeBytes}`,
  );
}
