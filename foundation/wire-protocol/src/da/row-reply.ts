import { bigEndianBytes, concatBytes, MIB, viewOf } from '@cairn/primitives';
import { assertBound, refuseField } from '../check.ts';
import { encodePreamble, PREAMBLE_BYTES, parsePreamble, refuseLength } from '../wire-fields.ts';

/** Content type of a reply with rows. */
export const ROW_REPLY_TYPE = 'application/vnd.cairn.rows';
/** Rows that one request may ask for. */
export const MAX_ROWS_PER_REQUEST = 256;
/** Bytes of a reply at most; a signer answers with the first of the rows asked for that fit. */
export const MAX_ROW_REPLY_BYTES: number = MIB;

const KIND = { what: 'row reply', magic: 'CRWS', version: 1 } as const;
const FIXED_BYTES: number = PREAMBLE_BYTES + 4;

/** Bytes that a row message takes in a reply. */
export function rowReplyBytes(messageBytes: number): number {
  return 4 + messageBytes;
}

/** Row messages that fit into one reply when each has `messageBytes`. */
export function rowsPerReply(messageBytes: number): number {
  const fit = Math.floor((MAX_ROW_REPLY_BYTES - FIXED_BYTES) / rowReplyBytes(messageBytes));
  return Math.min(fit, MAX_ROWS_PER_REQUEST);
}

/**
 * Row messages of the codec in one reply, big-endian: "CRWS", version u8 = 1, three zero bytes, count
 * u32, then for each its length u32 and its bytes.
 *
 * @throws {WireError} WIRE_FIELD for none or more than 256, WIRE_TOO_LONG above 1 MiB
 */
export function encodeRowReply(messages: readonly Uint8Array[]): Uint8Array {
  assertCount(messages.length);
  const length = messages.reduce(
    (sum, message) => sum + rowReplyBytes(message.length),
    FIXED_BYTES,
  );
  assertBound(length, MAX_ROW_REPLY_BYTES, KIND.what);
  return concatBytes(
    encodePreamble({ ...KIND, form: 0 }),
    bigEndianBytes(messages.length, 4),
    ...messages.flatMap((message) => [bigEndianBytes(message.length, 4), message]),
  );
}

/**
 * The messages of a reply, each a part of `bytes`. They have not been looked at: `parseRow` of the
 * codec does that.
 *
 * @throws {WireError} WIRE_TOO_LONG, WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD
 */
export function parseRowReply(bytes: Uint8Array): Uint8Array[] {
  assertBound(bytes.length, MAX_ROW_REPLY_BYTES, KIND.what);
  const form = parsePreamble(bytes, KIND);
  if (form !== 0) refuseField(KIND.what, 'form', 'zero', form);
  if (bytes.length < FIXED_BYTES) refuseLength(KIND.what, FIXED_BYTES, bytes.length);
  const view = viewOf(bytes);
  const count = view.getUint32(PREAMBLE_BYTES);
  assertCount(count);
  const messages: Uint8Array[] = [];
  let at = FIXED_BYTES;
  for (let row = 0; row < count; row += 1) {
    const start = at + 4;
    const end = start <= bytes.length ? start + view.getUint32(at) : start;
    if (end > bytes.length) refuseLength(KIND.what, end, bytes.length);
    messages.push(bytes.subarray(start, end));
    at = end;
  }
  if (at !== bytes.length) refuseLength(KIND.what, at, bytes.length);
  return messages;
}

function assertCount(count: number): void {
  if (count >= 1 && count <= MAX_ROWS_PER_REQUEST) return;
  refuseField(KIND.what, 'count', `1 to ${MAX_ROWS_PER_REQUEST}`, count);
}
