/**
 * What this node does besides the documented interface so that unmodified 0G clients work: each
 * with the client that needs it and why. Nothing else knows of clients' habits.
 */
import type { KeySlice, StreamId, StreamReads, ValueSlice } from '@cairn/kv-layer';
import { type Clock, MAX_VALUE_SLICE_BYTES, type Semaphore } from '@cairn/primitives';
import type { JsonRpcHandler, JsonRpcHandlers, JsonRpcId } from '@cairn/wire-protocol';

/** TypeScript clients number their calls so: milliseconds since 1970, four decimal digits more. */
const ID_UNITS_PER_MS = 10_000;
/** How far a client's clock may be off. */
const ID_TOLERANCE_MS = 86_400_000;

/**
 * `kv_IsAdmin` beside `kv_isAdmin`: the TypeScript `KvClient` asks for the first, which the official
 * node does not know.
 */
export function withAliases(
  handlers: JsonRpcHandlers & { kv_isAdmin: JsonRpcHandler },
): JsonRpcHandlers {
  return { ...handlers, kv_IsAdmin: handlers.kv_isAdmin };
}

/**
 * A number that may be a decimal text: the TypeScript client sends the sequence of
 * `kv_getTransactionResult` as one.
 */
export function numberOrDecimal(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,20}$/.test(value) ? Number(value) : value;
}

/**
 * A version, or `undefined` for the newest: the Go client means that by 2^64 − 1, which a JSON
 * number here holds as 2^64.
 */
export function versionOf(value: number): number | undefined {
  return value >= 2 ** 53 ? undefined : value;
}

/** A stream id as official Python scripts send it: without `0x`. */
export function withPrefix(text: string): string {
  return text.startsWith('0x') ? text : `0x${text}`;
}

/** Whether a TypeScript client numbered the call. */
export function isTypeScriptId(id: JsonRpcId, clock: Pick<Clock, 'now'>): boolean {
  if (typeof id !== 'number') return false;
  return Math.abs(id / ID_UNITS_PER_MS - clock.now()) < ID_TOLERANCE_MS;
}

/** What giving a value whole works with. */
export interface WholeValueDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** Whole values in memory at once. */
  readonly turns: Semaphore;
  /** Longer ones are given in part, as they are to everybody else. */
  readonly maxBytes: number;
}

/**
 * A slice, or the whole value where the caller cannot page: the TypeScript `KvClient` asks for the
 * next part from the length of the base64 text it has, not of the bytes, and so never gets a value
 * of more than 262,144 bytes; with 349,528 bytes it asks for ever. It takes more bytes than it asked
 * for, since it only compares with `size`.
 *
 * Only where the call is that client's and asks for the first 262,144 bytes: others want exact slices.
 */
export async function wholeForTypeScript<Slice extends ValueSlice | KeySlice>(
  slice: Slice,
  asked: {
    readonly id: JsonRpcId;
    readonly stream: StreamId;
    readonly key: Uint8Array;
    readonly start: number;
    readonly length: number;
  },
  {
    reads,
    deps,
    signal,
  }: { readonly reads: StreamReads; readonly deps: WholeValueDeps; readonly signal: AbortSignal },
): Promise<Slice> {
  const { id, stream, key, start, length } = asked;
  const { maxBytes, clock, turns } = deps;
  const isPart = slice.valueBytes > slice.bytes.length && slice.valueBytes <= maxBytes;
  if (!isPart || start !== 0 || length !== MAX_VALUE_SLICE_BYTES) return slice;
  if (!isTypeScriptId(id, clock)) return slice;
  const { version } = slice;
  const whole = await turns.run(
    () => reads.wholeValue(stream, key, { version, maxBytes, signal }),
    signal,
  );
  return whole === undefined ? slice : { ...slice, bytes: whole.bytes };
}
