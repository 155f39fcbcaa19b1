import {
  fileShape,
  type Segment,
  segmentDataBytes,
  type VerifiedSegment,
} from '@cairn/commitments';
import {
  type Checksum,
  concatBytes,
  equalBytes,
  MAX_PROOF_DEPTH,
  type Root,
  readSafeU64,
  rootBytes,
  SECTOR_BYTES,
  SEGMENT_BYTES,
  SEGMENT_SECTORS,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import { SegmentError } from './errors.ts';
import type { LogEntry } from './log-entry.ts';

/** A file at a place of the flow: what a piece's position follows from. */
export type FilePlace = Pick<LogEntry, 'sequence' | 'root' | 'startSector' | 'sizeBytes'>;

/** Where a segment of an entry lies: `sector · 256` is its place in the file store. */
export interface PiecePlace {
  /** First sector of the flow. */
  readonly sector: number;
  /** Sectors with data, 1 … 1,024. */
  readonly sectors: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Where segment `index` of an entry lies. @throws {CommitmentError} SEGMENT_INDEX */
export function piecePlace({ startSector, sizeBytes }: FilePlace, index: number): PiecePlace {
  const dataBytes = segmentDataBytes(fileShape(sizeBytes), index);
  const sector = startSector + index * SEGMENT_SECTORS;
  return {
    sector,
    sectors: dataBytes / SECTOR_BYTES,
    offset: startSector * SECTOR_BYTES + index * SEGMENT_BYTES,
    sizeBytes: dataBytes,
  };
}

/** What is recorded of a stored piece; everything to serve it with its proof but its bytes. */
export interface PieceRecord {
  readonly root: Uint8Array;
  /** Of the file. */
  readonly sizeBytes: number;
  readonly index: number;
  readonly sectors: number;
  /** Of the piece's bytes. */
  readonly checksum: number;
  readonly segmentRoot: Uint8Array;
  readonly siblings: readonly Uint8Array[];
}

/** Whether a record is of segment `index` of that file. */
export function isPieceOf(
  record: Pick<PieceRecord, 'root' | 'sizeBytes' | 'index'>,
  file: { readonly root: Root; readonly sizeBytes: number },
  index: number,
): boolean {
  return (
    record.index === index &&
    record.sizeBytes === file.sizeBytes &&
    equalBytes(record.root, rootBytes(file.root))
  );
}

/** A record and the bytes it was made for, as a segment whose proof is not checked again. */
export function segmentOfPiece(record: PieceRecord, data: Uint8Array): Segment {
  const { root, sizeBytes, index, siblings } = record;
  return { root, sizeBytes, index, data, proof: { siblings } };
}

/**
 * The verified segment that was stored. Its bytes have the checksum taken when they were verified,
 * and its record has its own: this is the one place where that is taken for the proof.
 */
export function restored(record: PieceRecord, data: Uint8Array): VerifiedSegment {
  const { segmentRoot } = record;
  return { ...segmentOfPiece(record, data), segmentRoot } as VerifiedSegment;
}

/** Form byte: bytes as they are. */
const PLAIN = 0;
/** Form byte: bytes sealed for a miner and a context, 32 bytes each, which follow. */
const SEALED = 1;
const FIXED_BYTES = 1 + 32 + 8 + 8 + 2 + 4 + 32 + 1;

/** A plain piece's record as bytes; its own checksum is at the end. */
export function encodePiece(record: PieceRecord, checksum: Checksum): Uint8Array {
  const fixed = new Uint8Array(FIXED_BYTES);
  const view = viewOf(fixed);
  view.setUint8(0, PLAIN);
  fixed.set(record.root, 1);
  writeSafeU64(view, 33, record.sizeBytes);
  writeSafeU64(view, 41, record.index);
  view.setUint16(49, record.sectors);
  view.setUint32(51, record.checksum);
  fixed.set(record.segmentRoot, 55);
  view.setUint8(87, record.siblings.length);
  const body = concatBytes(fixed, ...record.siblings);
  const sum = new Uint8Array(4);
  viewOf(sum).setUint32(0, checksum(body));
  return concatBytes(body, sum);
}

/**
 * The record of `bytes`.
 *
 * @throws {SegmentError} SEGMENT_RECORD if it is damaged, SEGMENT_SEALED if the piece is sealed
 */
export function decodePiece(sector: number, bytes: Uint8Array, checksum: Checksum): PieceRecord {
  const bodyBytes = bytes.length - 4;
  if (bodyBytes < 1) refuseRecord(sector, bytes);
  const view = viewOf(bytes);
  const body = bytes.subarray(0, bodyBytes);
  if (view.getUint32(bodyBytes) !== checksum(body)) refuseRecord(sector, bytes);
  if (bytes[0] === SEALED) {
    throw new SegmentError(
      { code: 'SEGMENT_SEALED', sector },
      `the piece at sector ${sector} is sealed, and this build does not unseal`,
    );
  }
  const depth = bytes[87] ?? 0;
  const isPlain = bytes[0] === PLAIN && depth <= MAX_PROOF_DEPTH;
  if (!isPlain || bodyBytes !== FIXED_BYTES + depth * 32) refuseRecord(sector, bytes);
  return {
    root: bytes.slice(1, 33),
    sizeBytes: readSafeU64(view, 33),
    index: readSafeU64(view, 41),
    sectors: view.getUint16(49),
    checksum: view.getUint32(51),
    segmentRoot: bytes.slice(55, 87),
    siblings: Array.from({ length: depth }, (_, level) => {
      const at = FIXED_BYTES + level * 32;
      return bytes.slice(at, at + 32);
    }),
  };
}

/** As `decodePiece`, but `undefined` for a damaged record. @throws {SegmentError} SEGMENT_SEALED */
export function soundPiece(
  sector: number,
  bytes: Uint8Array,
  checksum: Checksum,
): PieceRecord | undefined {
  try {
    return decodePiece(sector, bytes, checksum);
  } catch (error) {
    if (error instanceof SegmentError && error.code === 'SEGMENT_RECORD') return undefined;
    throw error;
  }
}

function refuseRecord(sector: number, bytes: Uint8Array): never {
  throw new SegmentError(
    { code: 'SEGMENT_RECORD', sector, sizeBytes: bytes.length },
    `the record of the piece at sector ${sector} (${bytes.length} bytes) is damaged`,
  );
}
