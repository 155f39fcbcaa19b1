import { viewOf } from '@cairn/primitives';
import { refuseHeader } from './blob-params.ts';
import type { BlobLayout } from './layout.ts';
import {
  encodeProving,
  encodeStart,
  MESSAGE_START_BYTES,
  MessageReader,
  provenRowBytes,
  provingBytes,
  refuseForm,
  writeProvenRow,
} from './message-bytes.ts';
import { PACKED_KIND, readPackedRuns } from './packed-slice.ts';
import {
  type ExpectedSlice,
  type Slice,
  type VerifiedSlice,
  verifyRuns,
  verifySlice,
} from './slice.ts';
import type { VerifyOptions } from './verified-header.ts';
import type { ProvenRow } from './verify-row.ts';

const KIND = { magic: 'CSLC', form: 0 } as const;

/** Bytes of a slice message: what a transport that knows the blob has to let through. */
export function sliceMessageBytes(layout: BlobLayout, rows: number): number {
  return MESSAGE_START_BYTES + provingBytes(layout) + 4 + rows * provenRowBytes(layout);
}

/**
 * A slice as bytes. One copy of the rows.
 *
 * @param into - memory for it, which may be longer than it is
 * @returns a view of `into`, or memory of its own
 * @throws {SliceError} SLICE_FORM, SLICE_LENGTH if it could not be parsed back; {RangeError} if
 *   `into` is too short
 * @see docs/spec/codec.md, "Slice message"
 */
export function encodeSlice({ header, rows }: Slice, into?: Uint8Array): Uint8Array {
  const { layout } = header;
  assertCount(rows.length, layout);
  assertRing(rows, layout);
  const length = sliceMessageBytes(layout, rows.length);
  if (into !== undefined && into.length < length) {
    throw new RangeError(`the message has ${length} bytes; there is room for ${into.length}`);
  }
  const bytes = into?.subarray(0, length) ?? new Uint8Array(length);
  bytes.set(encodeStart(KIND, header));
  bytes.set(encodeProving(header), MESSAGE_START_BYTES);
  let at = MESSAGE_START_BYTES + provingBytes(layout);
  viewOf(bytes).setUint32(at, rows.length, true);
  at += 4;
  for (const row of rows) {
    writeProvenRow(bytes, at, row, layout);
    at += provenRowBytes(layout);
  }
  return bytes;
}

/**
 * The slice of a message: every count bounded, exact length, one form only of each. It shares memory
 * with `bytes`. Nothing is proven yet: that is `verifySlice`'s work. Packed messages are refused, which
 * `verifySliceMessage` takes.
 *
 * @throws {SliceError} SLICE_FORM, SLICE_LENGTH, SLICE_HEADER
 */
export function parseSlice(bytes: Uint8Array): Slice {
  const reader = new MessageReader(bytes);
  const params = reader.start(KIND.magic);
  const { form, layout } = params;
  if (form !== KIND.form) refuseForm('form', form);
  const header = reader.proving(params);
  const count = reader.number();
  assertCount(count, layout);
  reader.expectLength(sliceMessageBytes(layout, count));
  const rows = Array.from({ length: count }, () => reader.provenRow(layout));
  assertRing(rows, layout);
  return { header, rows };
}

/**
 * Parses a slice message, whole or packed, and checks it as `verifySlice` does. Rows of a packed one are
 * hashed once. What it gives shares memory with `bytes`.
 *
 * @throws {SliceError} as `parseSlice`, as `verifySlice`
 */
export function verifySliceMessage(
  bytes: Uint8Array,
  expected: ExpectedSlice,
  options: VerifyOptions,
): VerifiedSlice {
  const reader = new MessageReader(bytes);
  const params = reader.start(KIND.magic);
  if (params.form !== PACKED_KIND.form) return verifySlice(parseSlice(bytes), expected, options);
  if (params.suite !== options.suite.id) refuseHeader('suite');
  const header = reader.proving(params);
  return verifyRuns(header, readPackedRuns(reader, params, options.suite), expected, options);
}

function assertCount(count: number, { rows }: BlobLayout): void {
  if (count < 1 || count > rows) refuseForm('count', count);
}

/** Rows go round the circle of all rows at most once, forwards from the first. */
function assertRing(rows: readonly ProvenRow[], { rows: total }: BlobLayout): void {
  const first = rows[0]?.index ?? 0;
  let last = -1;
  for (const { index } of rows) {
    const distance = (index - first + total) % total;
    if (distance <= last) refuseForm('index', index);
    last = distance;
  }
}
