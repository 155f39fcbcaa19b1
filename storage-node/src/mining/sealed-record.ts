import { crc32 } from 'node:zlib';
import { SEGMENT_PIECES } from '@cairn/pora';
import { bigEndianBytes, concatBytes, viewOf } from '@cairn/primitives';

/** Bit i of these 8 bytes, from the first one's lowest on, stands for piece i of a segment. */
export type PieceBits = Uint8Array;

export const PIECE_BITS_BYTES: number = SEGMENT_PIECES / 8;

/** Pieces up to `end`, which is not of them, and the context that they are sealed with. */
export interface SealRun {
  /** 1 … 64 */
  readonly end: number;
  /** 32 bytes. */
  readonly context: Uint8Array;
}

/** What is recorded of a segment's sealed copy. */
export interface SealedRecord {
  /** 32 bytes. */
  readonly minerId: Uint8Array;
  /** Digest of what the segment held when it was sealed, 32 bytes. */
  readonly source: Uint8Array;
  /** Pieces that could be sealed then. */
  readonly wanted: PieceBits;
  /** Those of them that are not zeros: they are sealed, and mined. */
  readonly sealed: PieceBits;
  /** CRC-32 of the copy's 262,144 bytes. */
  readonly checksum: number;
  /** By rising ends. */
  readonly runs: readonly SealRun[];
}

/** 1 had no checksum: such a segment is sealed anew. */
const VERSION = 2;
const HASH_BYTES = 32;
const SUM_AT = 1 + 2 * HASH_BYTES + 2 * PIECE_BITS_BYTES;
const HEAD_BYTES = SUM_AT + 4;
const RUN_BYTES = 1 + HASH_BYTES;

export function hasPiece(bits: PieceBits, piece: number): boolean {
  return ((bits[piece >> 3] ?? 0) & (1 << (piece & 7))) !== 0;
}

export function addPiece(bits: PieceBits, piece: number): void {
  bits[piece >> 3] = (bits[piece >> 3] ?? 0) | (1 << (piece & 7));
}

/** How many pieces a bitmap has. */
export function countPieces(bits: PieceBits): number {
  let count = 0;
  for (let piece = 0; piece < SEGMENT_PIECES; piece += 1) if (hasPiece(bits, piece)) count += 1;
  return count;
}

/** The context that a piece is sealed with; `undefined` for one beyond all runs. */
export function contextOfPiece(
  { runs }: Pick<SealedRecord, 'runs'>,
  piece: number,
): Uint8Array | undefined {
  return runs.find(({ end }) => piece < end)?.context;
}

/** A record as bytes, with a checksum at their end. */
export function encodeSealed(record: SealedRecord): Uint8Array {
  const { minerId, source, wanted, sealed, checksum, runs } = record;
  const body = concatBytes(
    Uint8Array.of(VERSION),
    minerId,
    source,
    wanted,
    sealed,
    bigEndianBytes(checksum, 4),
    ...runs.map(({ end, context }) => concatBytes(Uint8Array.of(end), context)),
  );
  const sum = new Uint8Array(4);
  viewOf(sum).setUint32(0, crc32(body));
  return concatBytes(body, sum);
}

/** The record of bytes; `undefined` if they are damaged or of another build: it is sealed anew then. */
export function decodeSealed(bytes: Uint8Array): SealedRecord | undefined {
  const bodyBytes = bytes.length - 4;
  const runs = (bodyBytes - HEAD_BYTES) / RUN_BYTES;
  if (bytes[0] !== VERSION || !Number.isInteger(runs) || runs < 0) return undefined;
  if (viewOf(bytes).getUint32(bodyBytes) !== crc32(bytes.subarray(0, bodyBytes))) return undefined;
  const bitsAt = 1 + 2 * HASH_BYTES;
  return {
    minerId: bytes.slice(1, 1 + HASH_BYTES),
    source: bytes.slice(1 + HASH_BYTES, bitsAt),
    wanted: bytes.slice(bitsAt, bitsAt + PIECE_BITS_BYTES),
    sealed: bytes.slice(bitsAt + PIECE_BITS_BYTES, SUM_AT),
    checksum: viewOf(bytes).getUint32(SUM_AT),
    runs: Array.from({ length: runs }, (_, index) => {
      const at = HEAD_BYTES + index * RUN_BYTES;
      return { end: bytes[at] ?? 0, context: bytes.slice(at + 1, at + RUN_BYTES) };
    }),
  };
}
