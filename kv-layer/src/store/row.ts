import { readSafeU64, viewOf, writeSafeU64 } from '@cairn/primitives';
import type { LeafRecord } from '../tree/digests.ts';
import { StateError } from './errors.ts';

/**
 * A version of a key: what its leaf says, and where the value lies: in the row itself if it is short,
 * else at a position of the value file.
 */
export interface Row extends LeafRecord {
  readonly inline?: Uint8Array;
  readonly position?: number;
}

const HEAD_BYTES = 57;
const INLINE = 0;
const PLACED = 1;

/** The stored row: version, offset and length u64, digest 32, place u8, bytes or position u64. */
export function encodeRow(row: Row): Uint8Array {
  const rest = row.position === undefined ? (row.inline?.length ?? 0) : 8;
  const bytes = new Uint8Array(HEAD_BYTES + rest);
  const view = viewOf(bytes);
  writeSafeU64(view, 0, row.version);
  writeSafeU64(view, 8, row.valueOffset);
  writeSafeU64(view, 16, row.valueBytes);
  bytes.set(row.valueDigest, 24);
  bytes[56] = row.position === undefined ? INLINE : PLACED;
  if (row.position !== undefined) writeSafeU64(view, HEAD_BYTES, row.position);
  else if (row.inline !== undefined) bytes.set(row.inline, HEAD_BYTES);
  return bytes;
}

/** @throws {StateError} KV_STATE_DAMAGED for what is no row */
export function decodeRow(record: Uint8Array): Row {
  const view = viewOf(record);
  if (record.length < HEAD_BYTES) damaged('row', record.length);
  const row = {
    version: readSafeU64(view, 0),
    valueOffset: readSafeU64(view, 8),
    valueBytes: readSafeU64(view, 16),
    valueDigest: record.subarray(24, 56),
  };
  if (record[56] === PLACED && record.length === HEAD_BYTES + 8) {
    return { ...row, position: readSafeU64(view, HEAD_BYTES) };
  }
  const inline = record.subarray(HEAD_BYTES);
  if (record[56] !== INLINE || inline.length !== row.valueBytes) damaged('row', record.length);
  return { ...row, inline };
}

/** @throws {StateError} KV_STATE_DAMAGED */
export function damaged(what: string, sizeBytes: number): never {
  throw new StateError(
    { code: 'KV_STATE_DAMAGED', what, sizeBytes },
    `a stored ${what} of ${sizeBytes} bytes cannot be what was written`,
  );
}
