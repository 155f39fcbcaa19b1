import {
  assertNatural,
  assertPositiveInteger,
  nextPowerOfTwo,
  PADDING_STEPS,
  SECTOR_BYTES,
  SEGMENT_BYTES,
  SEGMENT_SECTORS,
} from '@cairn/primitives';
import { CommitmentError } from './errors.ts';

/** One perfect subtree of a padded file, before its root is known. */
export interface ShapeNode {
  /** Edges from the node's root to a sector: it covers 2^height sectors. */
  readonly height: number;
  /** First sector it covers, counted from the file's start. */
  readonly startSector: number;
}

/** Everything about a file's trees that follows from its length alone. */
export interface FileShape {
  /** Bytes of the file, 1 … 2^53 − 1. */
  readonly sizeBytes: number;
  /** Sectors that hold data. */
  readonly sectors: number;
  /** Sectors the file takes up in the log. */
  readonly paddedSectors: number;
  /** Segments that hold data; only these travel. */
  readonly segments: number;
  /** Segments of the padded file: the leaves of its tree. */
  readonly paddedSegments: number;
  /** Sectors of the last padded segment, 1 … 1,024. */
  readonly lastSegmentLeaves: number;
  /** One to four nodes of strictly falling height that tile the padded file. */
  readonly nodes: readonly ShapeNode[];
}

/** Sectors that hold `sizeBytes` bytes. @throws {CommitmentError} FILE_EMPTY; {RangeError} */
export function sectorsOf(sizeBytes: number): number {
  assertFileSize(sizeBytes);
  return Math.ceil(sizeBytes / SECTOR_BYTES);
}

/** Segments that hold `sizeBytes` bytes. @throws {CommitmentError} FILE_EMPTY; {RangeError} */
export function segmentsOf(sizeBytes: number): number {
  assertFileSize(sizeBytes);
  return Math.ceil(sizeBytes / SEGMENT_BYTES);
}

/**
 * Sectors a file takes up in the log once padded.
 *
 * Rule: round up to a multiple of a sixteenth of the next power of two (at least one sector), so
 * that at most four perfect trees tile the file and at most an eighth is waste.
 *
 * @param sectors - sectors that hold data, at least 1
 * @throws {RangeError} if `sectors` is not a positive integer
 * @see `computePaddedSize` of 0g-ts-sdk 1.2.8, which this equals
 */
export function paddedSectors(sectors: number): number {
  assertPositiveInteger(sectors, 'sectors');
  const step = Math.max(1, nextPowerOfTwo(sectors) / PADDING_STEPS);
  return Math.ceil(sectors / step) * step;
}

/**
 * Heights of the perfect trees that tile `padded` sectors, tallest first: the bits of the number.
 *
 * @throws {RangeError} if `padded` is not a positive integer
 */
export function submissionHeights(padded: number): number[] {
  return tile(padded).map((node) => node.height);
}

/**
 * The trees of a file of `sizeBytes` bytes.
 *
 * @throws {CommitmentError} FILE_EMPTY for zero bytes
 * @throws {RangeError} unless `sizeBytes` is an integer from 0 to 2^53 − 1
 */
export function fileShape(sizeBytes: number): FileShape {
  const sectors = sectorsOf(sizeBytes);
  const padded = paddedSectors(sectors);
  const paddedSegments = Math.ceil(padded / SEGMENT_SECTORS);
  return {
    sizeBytes,
    sectors,
    paddedSectors: padded,
    segments: segmentsOf(sizeBytes),
    paddedSegments,
    lastSegmentLeaves: padded - (paddedSegments - 1) * SEGMENT_SECTORS,
    nodes: tile(padded),
  };
}

/**
 * Sectors under the root of segment `index`: 1,024, or fewer for the last padded one.
 *
 * @throws {CommitmentError} SEGMENT_INDEX unless the padded file has that segment
 */
export function segmentLeaves(shape: FileShape, index: number): number {
  assertSegmentIndex(index, shape.paddedSegments);
  return index === shape.paddedSegments - 1 ? shape.lastSegmentLeaves : SEGMENT_SECTORS;
}

/**
 * Bytes of segment `index` as it travels and is stored: whole sectors, the last one filled up
 * with zeros, without the file's padding sectors.
 *
 * @throws {CommitmentError} SEGMENT_INDEX unless the segment holds data
 */
export function segmentDataBytes(shape: FileShape, index: number): number {
  assertSegmentIndex(index, shape.segments);
  return Math.min(SEGMENT_BYTES, shape.sectors * SECTOR_BYTES - index * SEGMENT_BYTES);
}

/**
 * Bytes of the file inside segment `index`, 1 … 262,144: `segmentDataBytes` without the zeros.
 *
 * @throws {CommitmentError} SEGMENT_INDEX unless the segment holds data
 */
export function segmentRealBytes(shape: FileShape, index: number): number {
  assertSegmentIndex(index, shape.segments);
  return Math.min(SEGMENT_BYTES, shape.sizeBytes - index * SEGMENT_BYTES);
}

/** The powers of two that make up `padded`, largest first. Arithmetic only: shifts end at 2^31. */
function tile(padded: number): ShapeNode[] {
  assertPositiveInteger(padded, 'padded sectors');
  const nodes: ShapeNode[] = [];
  let startSector = 0;
  let covered = nextPowerOfTwo(padded);
  for (let height = Math.log2(covered); height >= 0; height -= 1, covered /= 2) {
    if (padded - startSector >= covered) {
      nodes.push({ height, startSector });
      startSector += covered;
    }
  }
  return nodes;
}

function assertFileSize(sizeBytes: number): void {
  assertNatural(sizeBytes, 'file size in bytes');
  if (sizeBytes === 0) {
    throw new CommitmentError({ code: 'FILE_EMPTY' }, 'a file of 0 bytes has no root');
  }
}

function assertSegmentIndex(index: number, segments: number): void {
  if (Number.isSafeInteger(index) && index >= 0 && index < segments) return;
  throw new CommitmentError(
    { code: 'SEGMENT_INDEX', index, segments },
    `segment ${index} does not exist in a file of ${segments} segments`,
  );
}
