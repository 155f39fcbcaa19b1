import type { LogEntry, LogStore, SegmentStore } from '@cairn/log-layer';
import { PIECE_SECTORS, SEGMENT_PIECES } from '@cairn/pora';
import {
  bigEndianBytes,
  concatBytes,
  keccak256,
  rootBytes,
  SECTOR_BYTES,
  SEGMENT_BYTES,
  SEGMENT_SECTORS,
} from '@cairn/primitives';
import { addPiece, PIECE_BITS_BYTES, type PieceBits } from './sealed-record.ts';

/** Where stored segments are found. */
export interface StoredSegmentDeps {
  readonly log: Pick<LogStore, 'entriesWithin'>;
  readonly segments: Pick<SegmentStore, 'get' | 'has'>;
}

/** Data of a file that lies in a segment of the flow. */
interface Part {
  readonly entry: LogEntry;
  /** Segment of the file. */
  readonly index: number;
  /** Sectors from the flow segment's first on, the last one not included. */
  readonly from: number;
  readonly to: number;
  readonly isHeld: boolean;
}

/** What this node holds of a segment of the flow. */
export interface StoredSegment {
  /** Digest of all of it, 32 bytes: another one once anything changes. */
  readonly source: Uint8Array;
  /** Pieces with data, all of which is held. */
  readonly whole: PieceBits;
  readonly parts: readonly Part[];
}

/** What this node holds of segment `segment` of the flow; reads the index only. */
export async function lookAtSegment(
  segment: number,
  { log, segments }: StoredSegmentDeps,
  signal: AbortSignal,
): Promise<StoredSegment> {
  const first = segment * SEGMENT_SECTORS;
  const end = first + SEGMENT_SECTORS;
  const parts: Part[] = [];
  for (const entry of await log.entriesWithin(first, end, signal)) {
    const dataEnd = entry.startSector + Math.ceil(entry.sizeBytes / SECTOR_BYTES);
    const from = Math.max(first, entry.startSector);
    const to = Math.min(end, dataEnd);
    if (from >= to) continue; // its padding only
    const index = Math.floor((from - entry.startSector) / SEGMENT_SECTORS);
    const isHeld = await segments.has(entry, index);
    parts.push({ entry, index, from: from - first, to: to - first, isHeld });
  }
  return { source: sourceOf(parts), whole: wholePieces(segment, parts), parts };
}

/**
 * The bytes of what is held of a segment of the flow, zeros elsewhere; `undefined` if some of it is
 * not there any more or was found damaged.
 */
export async function readSegment(
  { parts }: StoredSegment,
  { segments }: StoredSegmentDeps,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = new Uint8Array(SEGMENT_BYTES);
  for (const { entry, index, from, to, isHeld } of parts) {
    if (!isHeld) continue;
    const part = await segments.get(entry, index, { signal });
    if (part === undefined) return undefined;
    bytes.set(part.data.subarray(0, (to - from) * SECTOR_BYTES), from * SECTOR_BYTES);
  }
  return bytes;
}

function sourceOf(parts: readonly Part[]): Uint8Array {
  const facts = parts.map(({ entry, index, from, isHeld }) =>
    concatBytes(
      rootBytes(entry.root),
      bigEndianBytes(entry.sizeBytes, 8),
      bigEndianBytes(index, 8),
      bigEndianBytes(from, 2),
      Uint8Array.of(Number(isHeld)),
    ),
  );
  return keccak256(concatBytes(...facts));
}

function wholePieces(segment: number, parts: readonly Part[]): PieceBits {
  const bits = new Uint8Array(PIECE_BITS_BYTES);
  for (let piece = 0; piece < SEGMENT_PIECES; piece += 1) {
    // The flow's first sector is no data: its leaf is no hash of any sector.
    if (segment === 0 && piece === 0) continue;
    const start = piece * PIECE_SECTORS;
    const within = parts.filter(({ from, to }) => from < start + PIECE_SECTORS && to > start);
    if (within.length > 0 && within.every(({ isHeld }) => isHeld)) addPiece(bits, piece);
  }
  return bits;
}
