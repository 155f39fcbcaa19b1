import type { VerifiedSegment } from '@cairn/commitments';
import {
  type Checksum,
  type FileStore,
  type KeyValueStore,
  SEGMENT_BYTES,
} from '@cairn/primitives';
import { KEY, keyOf } from './keyspace.ts';
import {
  type FilePlace,
  isPieceOf,
  type PieceRecord,
  piecePlace,
  restored,
  soundPiece,
} from './piece.ts';

/** Which segments of a file are read, and into what. */
export interface RunRequest {
  readonly first: number;
  /** At least 1. */
  readonly count: number;
  /** Gives an array of the length asked for, at most `count` segments; what it held is written over. */
  readonly allocate: (length: number) => Uint8Array;
}

/** What a run is read from. */
export interface RunReadDeps {
  readonly files: Pick<FileStore, 'readInto'>;
  readonly kv: Pick<KeyValueStore, 'getMany'>;
  readonly checksum: Checksum;
}

/**
 * Consecutive segments of a file, with one look into the records and one read of the disk, where
 * they lie one after another. The run ends before the first that is not held or is not what its
 * record says: who wants that one asks for it by itself, and learns why.
 *
 * @throws {CommitmentError} SEGMENT_INDEX; {SegmentError} SEGMENT_SEALED; what the disk throws
 */
export async function readRun(
  { files, kv, checksum }: RunReadDeps,
  file: FilePlace,
  { first, count, allocate }: RunRequest,
): Promise<readonly VerifiedSegment[]> {
  const places = Array.from({ length: count }, (_, at) => piecePlace(file, first + at));
  const values = await kv.getMany(places.map(({ sector }) => keyOf(KEY.piece, sector)));
  const records: PieceRecord[] = [];
  let length = 0;
  for (const [at, { sector, sizeBytes }] of places.entries()) {
    const value = values[at];
    const record = value && soundPiece(sector, value, checksum);
    if (record === undefined || !isPieceOf(record, file, first + at)) break;
    records.push(record);
    length += sizeBytes;
  }
  const [start] = places;
  if (start === undefined || records.length === 0) return [];
  const bytes = allocate(length);
  await files.readInto(start.offset, bytes);
  const segments: VerifiedSegment[] = [];
  for (const [at, record] of records.entries()) {
    const data = bytes.subarray(at * SEGMENT_BYTES, (at + 1) * SEGMENT_BYTES);
    if (checksum(data) !== record.checksum) break;
    segments.push(restored(record, data));
  }
  return segments;
}
