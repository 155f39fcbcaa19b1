import { HASH_BYTES, type Hasher } from '@cairn/commitments';
import { viewOf, writeSafeU64 } from '@cairn/primitives';
import { copyHash } from '../tree/copy-hash.ts';
import {
  copyBytes,
  copyWithViews,
  EMPTY_HASH,
  LEAF,
  type LeafRecord,
  type Parts,
  partDigests,
} from '../tree/digests.ts';
import type { ByteArena } from './byte-arena.ts';
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
const DIGEST_AT = 24;
const PLACE_AT = 56;
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

/** What the stored row of a write is made of. */
export interface RowParts extends Omit<LeafRecord, 'valueDigest'> {
  /** The value, if it goes into the row. */
  readonly inline?: { readonly bytes: Uint8Array; readonly start: number } | undefined;
  /** Where it is in the value file, if not. */
  readonly position?: number | undefined;
  readonly digests: Uint8Array;
  /** Where in `digests` the value's begins. */
  readonly digestAt: number;
}

/** `encodeRow` without a row. */
export function makeRowRecord(parts: RowParts, arena: ByteArena): Uint8Array {
  const { inline, position, valueBytes } = parts;
  const record = arena.take(HEAD_BYTES + (position === undefined ? valueBytes : 8));
  putU64(record, 0, parts.version);
  putU64(record, 8, parts.valueOffset);
  putU64(record, 16, valueBytes);
  copyHash(parts.digests, parts.digestAt, record, DIGEST_AT);
  record[PLACE_AT] = position === undefined ? INLINE : PLACED;
  if (position !== undefined) putU64(record, HEAD_BYTES, position);
  else if (inline !== undefined)
    copyBytes(inline, valueBytes, { bytes: record, start: HEAD_BYTES });
  return record;
}

/** Bytes of a stored row with a value of so many bytes in it. */
export function rowRecordBytes(valueBytes: number): number {
  return HEAD_BYTES + valueBytes;
}

/** Bytes of a stored row before its value, and where in them the digest and the kind of place are. */
export const INLINE_RECORD: {
  readonly headBytes: number;
  readonly digest: number;
  readonly place: number;
  readonly inline: number;
} = { headBytes: HEAD_BYTES, digest: DIGEST_AT, place: PLACE_AT, inline: INLINE };

/** The version of a stored row. @throws {StateError} KV_STATE_DAMAGED for what is no row */
export function versionOfRecord(record: Uint8Array): number {
  if (record.length < HEAD_BYTES) damaged('row', record.length);
  return takeU64(record, 0);
}

/**
 * `recordLeafHashes` of records that lie in one array.
 *
 * @param records - where each begins in the array
 */
export function placedLeafHashes(
  keys: Parts,
  { view, starts }: { readonly view: DataView; readonly starts: readonly number[] },
  hasher: Hasher,
): Uint8Array {
  const { lengths } = keys;
  const digests = viewOf(partDigests(keys, hasher));
  const input = new Uint8Array(lengths.length * LEAF.bytes);
  const leaves = viewOf(input);
  for (let index = 0; index < lengths.length; index += 1) {
    const [leaf, record] = [index * LEAF.bytes, starts[index] ?? 0];
    copyWithViews(digests, index * HASH_BYTES, leaves, leaf, HASH_BYTES);
    copyWithViews(view, record + DIGEST_AT, leaves, leaf + LEAF.valueDigest, HASH_BYTES);
    leaves.setUint32(leaf + LEAF.keyBytes, lengths[index] ?? 0);
    copyWithViews(view, record, leaves, leaf + LEAF.numbers, DIGEST_AT);
  }
  return hasher.hashMany(input, LEAF.bytes);
}

/**
 * Hashes of the leaves of stored rows, one after another: `leafHashes` without the rows. A leaf has a
 * row's numbers in the order of a row.
 *
 * @param keys - of the rows, in their order
 */
export function recordLeafHashes(
  keys: Parts,
  records: readonly Uint8Array[],
  hasher: Hasher,
): Uint8Array {
  const { lengths } = keys;
  const digests = partDigests(keys, hasher);
  const input = new Uint8Array(lengths.length * LEAF.bytes);
  for (let index = 0; index < lengths.length; index += 1) {
    const start = index * LEAF.bytes;
    const bytes = records[index] ?? EMPTY_HASH;
    copyHash(digests, index * HASH_BYTES, input, start);
    copyHash(bytes, DIGEST_AT, input, start + LEAF.valueDigest);
    putU32(input, start + LEAF.keyBytes, lengths[index] ?? 0);
    copyBytes({ bytes, start: 0 }, DIGEST_AT, { bytes: input, start: start + LEAF.numbers });
  }
  return hasher.hashMany(input, LEAF.bytes);
}

function putU64(bytes: Uint8Array, at: number, value: number): void {
  putU32(bytes, at, Math.floor(value / 2 ** 32));
  putU32(bytes, at + 4, value >>> 0);
}

function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** @throws {StateError} KV_STATE_DAMAGED for what is no row */
export function decodeRow(record: Uint8Array): Row {
  if (record.length < HEAD_BYTES) damaged('row', record.length);
  const version = takeU64(record, 0);
  const valueOffset = takeU64(record, 8);
  const valueBytes = takeU64(record, 16);
  const valueDigest = record.subarray(DIGEST_AT, PLACE_AT);
  if (record[PLACE_AT] === PLACED && record.length === HEAD_BYTES + 8) {
    const position = takeU64(record, HEAD_BYTES);
    return { version, valueOffset, valueBytes, valueDigest, position };
  }
  const inline = record.subarray(HEAD_BYTES);
  if (record[PLACE_AT] !== INLINE || inline.length !== valueBytes) damaged('row', record.length);
  return { version, valueOffset, valueBytes, valueDigest, inline };
}

/** A number of a record: without a view, which would cost more than all its fields. */
function takeU64(record: Uint8Array, at: number): number {
  let value = 0;
  for (let index = at; index < at + 8; index += 1) value = value * 256 + (record[index] ?? 0);
  if (!Number.isSafeInteger(value)) damaged('row', record.length);
  return value;
}

/** @throws {StateError} KV_STATE_DAMAGED */
export function damaged(what: string, sizeBytes: number): never {
  throw new StateError(
    { code: 'KV_STATE_DAMAGED', what, sizeBytes },
    `a stored ${what} of ${sizeBytes} bytes cannot be what was written`,
  );
}
