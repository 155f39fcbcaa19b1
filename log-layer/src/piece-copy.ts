import type { Hasher } from '@cairn/commitments';
import { verifySegment } from '@cairn/commitments';
import {
  type Checksum,
  type KeyRange,
  type KeyValueStore,
  type KeyValueWrite,
  SECTOR_BYTES,
} from '@cairn/primitives';
import { KEY, keyOf, lastNumber, numberRange, rangeOf } from './keyspace.ts';
import { segmentOfPiece, soundPiece } from './piece.ts';

/** A stored piece's record, as it lies in the index. */
export interface StoredPiece {
  /** First sector of the flow. */
  readonly sector: number;
  readonly record: Uint8Array;
  /** Where its bytes lie. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/**
 * Pieces in the order of the flow, for copying them as they are; damaged records are left out.
 *
 * @throws {SegmentError} SEGMENT_SEALED
 */
export async function* storedPieces(
  kv: Pick<KeyValueStore, 'entries'>,
  { checksum, signal }: { readonly checksum: Checksum; readonly signal: AbortSignal },
): AsyncGenerator<StoredPiece, void, void> {
  const range = numberRange(KEY.piece, 0, Number.MAX_SAFE_INTEGER);
  for await (const [key, record] of kv.entries(range, { signal })) {
    const sector = lastNumber(key);
    const sectors = soundPiece(sector, record, checksum)?.sectors;
    if (sectors === undefined) continue;
    yield { sector, record, offset: sector * SECTOR_BYTES, sizeBytes: sectors * SECTOR_BYTES };
  }
}

/** Whether bytes are what a piece's record says, down to the hashes. */
export function isCopySound(
  { sector, record }: Pick<StoredPiece, 'sector' | 'record'>,
  data: Uint8Array,
  { checksum, hasher }: { readonly checksum: Checksum; readonly hasher: Hasher },
): boolean {
  const decoded = soundPiece(sector, record, checksum);
  if (decoded === undefined || data.length !== decoded.sectors * SECTOR_BYTES) return false;
  if (checksum(data) !== decoded.checksum) return false;
  try {
    verifySegment(segmentOfPiece(decoded, data), hasher);
    return true;
  } catch {
    return false; // whatever the fault, it is not what its record says
  }
}

/** The write that records a copied piece: after its bytes are durable, never before. */
export function pieceWrite({
  sector,
  record,
}: Pick<StoredPiece, 'sector' | 'record'>): KeyValueWrite {
  return { type: 'put', key: keyOf(KEY.piece, sector), value: record };
}

/** Whether a key of the index is of anything but a piece, whole or quarantined. */
export function isCopiedKey(key: Uint8Array): boolean {
  const letter = String.fromCharCode(key[0] ?? 0);
  return letter !== KEY.piece && letter !== KEY.quarantine;
}

/** What an index holds, counted. */
export interface StoreCounts {
  readonly pieces: number;
  readonly pieceBytes: number;
  readonly quarantined: number;
  /** Entries neither finalised nor given up. */
  readonly pending: number;
  /** Pieces of entries that the chain took back, set aside. */
  readonly stashed: number;
}

/** Counts what an index holds: reads all records of pieces, some half a gigabyte for each tebibyte. */
export async function countStored(
  kv: Pick<KeyValueStore, 'entries'>,
  { checksum, signal }: { readonly checksum: Checksum; readonly signal: AbortSignal },
): Promise<StoreCounts> {
  let pieces = 0;
  let pieceBytes = 0;
  for await (const { sizeBytes } of storedPieces(kv, { checksum, signal })) {
    pieces += 1;
    pieceBytes += sizeBytes;
  }
  const count = async (range: KeyRange): Promise<number> => {
    let entries = 0;
    for await (const _ of kv.entries(range, { signal })) entries += 1;
    return entries;
  };
  return {
    pieces,
    pieceBytes,
    quarantined: await count(rangeOf(KEY.quarantine)),
    pending: await count(rangeOf(KEY.pending)),
    stashed: await count(rangeOf(KEY.stash)),
  };
}

/**
 * Drops records that stand for nothing: quarantined ones, damaged ones, and those of files that are at
 * their place neither in the log nor among what the chain took back lately.
 *
 * @param belongs - whether a root and a size are of the entry at that sector, or may be again
 * @returns how many of each kind
 */
export async function dropStrayRecords(
  kv: KeyValueStore,
  {
    checksum,
    belongs,
    signal,
  }: {
    readonly checksum: Checksum;
    readonly belongs: (sector: number, root: Uint8Array, sizeBytes: number) => Promise<boolean>;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly quarantined: number; readonly damaged: number; readonly orphaned: number }> {
  const dropped = { quarantined: 0, damaged: 0, orphaned: 0 };
  let batch: KeyValueWrite[] = [];
  const drop = async (key: Uint8Array): Promise<void> => {
    batch.push({ type: 'delete', key });
    if (batch.length < 1000) return;
    await kv.write(batch);
    batch = [];
  };
  for await (const [key] of kv.entries(rangeOf(KEY.quarantine), { signal })) {
    dropped.quarantined += 1;
    await drop(key);
  }
  for await (const [key, value] of kv.entries(rangeOf(KEY.piece), { signal })) {
    const sector = lastNumber(key);
    const record = soundPiece(sector, value, checksum);
    if (record !== undefined && (await belongs(sector, record.root, record.sizeBytes))) continue;
    if (record === undefined) dropped.damaged += 1;
    else dropped.orphaned += 1;
    await drop(key);
  }
  await kv.write(batch, { sync: true });
  return dropped;
}
