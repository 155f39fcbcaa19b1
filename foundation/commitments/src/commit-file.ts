import {
  SECTOR_BYTES,
  SEGMENT_BYTES,
  SEGMENT_HEIGHT,
  type SubmissionNode,
} from '@cairn/primitives';
import { CommitmentError } from './errors.ts';
import { FileTree } from './file-tree.ts';
import { HASH_BYTES, type Hasher } from './hasher.ts';
import { type FileShape, fileShape, segmentDataBytes, segmentLeaves } from './shape.ts';
import { zeroSubtreeRoot } from './zero-hashes.ts';

/** What a file's bytes commit to: all that a submission and later proofs need. */
export interface FileCommitment {
  /** 32 bytes. */
  readonly root: Uint8Array;
  readonly shape: FileShape;
  /** One to four, in the order they are submitted. */
  readonly nodes: readonly SubmissionNode[];
  /** 32 bytes for each segment that holds data. */
  readonly segmentRoots: Uint8Array;
  readonly tree: FileTree;
}

/**
 * Commits to a file in one pass over its bytes, in pieces of any length.
 *
 * Memory: 32 bytes for each segment, and one segment.
 */
export class FileCommitter {
  readonly #hasher: Hasher;
  readonly #shape: FileShape;
  readonly #segmentRoots: Uint8Array;
  /** The segment being filled; at the end it holds the last one. */
  readonly #segment: Uint8Array;
  #filledBytes = 0;
  #appendedBytes = 0;
  #rooted = 0;

  /** @throws {CommitmentError} FILE_EMPTY; {RangeError} if `sizeBytes` is not a whole number */
  constructor(hasher: Hasher, sizeBytes: number) {
    this.#hasher = hasher;
    this.#shape = fileShape(sizeBytes);
    this.#segmentRoots = new Uint8Array(this.#shape.segments * HASH_BYTES);
    this.#segment = new Uint8Array(Math.min(SEGMENT_BYTES, sizeBytes));
  }

  /** Bytes taken so far. */
  get appendedBytes(): number {
    return this.#appendedBytes;
  }

  /** Takes the file's next bytes. @throws {CommitmentError} FILE_LENGTH beyond the file's end */
  append(bytes: Uint8Array): void {
    const actualBytes = this.#appendedBytes + bytes.length;
    if (actualBytes > this.#shape.sizeBytes) throw lengthFault(this.#shape.sizeBytes, actualBytes);
    this.#appendedBytes = actualBytes;
    let offset = 0;
    while (offset < bytes.length) {
      const leftBytes = bytes.length - offset;
      if (this.#filledBytes === 0 && leftBytes >= SEGMENT_BYTES && !this.#isLast()) {
        this.#root(bytes.subarray(offset, offset + SEGMENT_BYTES)); // no copy
        offset += SEGMENT_BYTES;
        continue;
      }
      const takenBytes = Math.min(leftBytes, SEGMENT_BYTES - this.#filledBytes);
      this.#segment.set(bytes.subarray(offset, offset + takenBytes), this.#filledBytes);
      this.#filledBytes += takenBytes;
      offset += takenBytes;
      if (this.#filledBytes === SEGMENT_BYTES && !this.#isLast()) {
        this.#root(this.#segment);
        this.#filledBytes = 0;
      }
    }
  }

  /**
   * Takes the roots of the next segments, hashed elsewhere, instead of their bytes.
   *
   * @param roots - 32 bytes for each of the next full segments; the file's last segment is not
   *   among them, because its bytes are needed here
   * @throws {CommitmentError} SEGMENT_ROOTS if they do not fit or a segment is half filled
   */
  appendSegmentRoots(roots: Uint8Array): void {
    const count = roots.length / HASH_BYTES;
    const open = this.#shape.segments - 1 - this.#rooted;
    if (this.#filledBytes > 0 || !Number.isInteger(count) || count > open) {
      throw new CommitmentError(
        {
          code: 'SEGMENT_ROOTS',
          segments: open,
          expectedBytes: open * HASH_BYTES,
          actualBytes: roots.length,
        },
        `${roots.length} bytes of segment roots came where at most ${open} whole segments are open`,
      );
    }
    this.#segmentRoots.set(roots, this.#rooted * HASH_BYTES);
    this.#rooted += count;
    this.#appendedBytes += count * SEGMENT_BYTES;
  }

  /** The commitment, once all bytes were taken. @throws {CommitmentError} FILE_LENGTH */
  finish(): FileCommitment {
    const { sizeBytes } = this.#shape;
    if (this.#appendedBytes !== sizeBytes) throw lengthFault(sizeBytes, this.#appendedBytes);
    const lastSegment = this.#segment.subarray(0, this.#filledBytes);
    if (this.#isLast()) this.#root(lastSegment);
    return commitmentFromSegmentRoots(this.#hasher, this.#shape, this.#segmentRoots, lastSegment);
  }

  #isLast(): boolean {
    return this.#rooted === this.#shape.segments - 1;
  }

  #root(segment: Uint8Array): void {
    const root = this.#hasher.segmentRoot(segment, segmentLeaves(this.#shape, this.#rooted));
    this.#segmentRoots.set(root, this.#rooted * HASH_BYTES);
    this.#rooted += 1;
  }
}

/**
 * The commitment of a file whose segment roots are known.
 *
 * Nodes of at least a segment are nodes of the file tree; smaller ones lie inside the last
 * segment, whose bytes are therefore needed.
 *
 * @param segmentRoots - 32 bytes for each segment that holds data; kept, not copied
 * @param lastSegment - bytes of the last segment that holds data, with or without the zeros that
 *   fill up its last sector
 * @throws {CommitmentError} SEGMENT_ROOTS, SEGMENT_LENGTH
 */
export function commitmentFromSegmentRoots(
  hasher: Hasher,
  shape: FileShape,
  segmentRoots: Uint8Array,
  lastSegment: Uint8Array,
): FileCommitment {
  const index = shape.segments - 1;
  const expectedBytes = segmentDataBytes(shape, index);
  const actualBytes = Math.ceil(lastSegment.length / SECTOR_BYTES) * SECTOR_BYTES;
  if (actualBytes !== expectedBytes) {
    throw new CommitmentError(
      { code: 'SEGMENT_LENGTH', index, expectedBytes, actualBytes },
      `the last segment of a file of ${shape.sizeBytes} bytes has ${expectedBytes} bytes, not ${actualBytes}`,
    );
  }
  const tree = FileTree.fromSegmentRoots(hasher, shape, segmentRoots);
  const { root } = tree;
  const nodes = shape.nodes.map(({ height, startSector }): SubmissionNode => {
    if (shape.nodes.length === 1) return { height, root };
    if (height >= SEGMENT_HEIGHT) {
      return { height, root: tree.nodeAt(height - SEGMENT_HEIGHT, startSector / 2 ** height) };
    }
    const startByte = startSector * SECTOR_BYTES - index * SEGMENT_BYTES;
    const covered = lastSegment.subarray(startByte, startByte + SECTOR_BYTES * 2 ** height);
    const isPadding = covered.length === 0;
    return {
      height,
      root: isPadding ? zeroSubtreeRoot(height) : hasher.segmentRoot(covered, 2 ** height),
    };
  });
  return { root, shape, nodes, segmentRoots, tree };
}

/** The commitment of a file that is in memory. @throws {CommitmentError} FILE_EMPTY */
export function commitBytes(hasher: Hasher, bytes: Uint8Array): FileCommitment {
  const committer = new FileCommitter(hasher, bytes.length);
  committer.append(bytes);
  return committer.finish();
}

function lengthFault(expectedBytes: number, actualBytes: number): CommitmentError {
  return new CommitmentError(
    { code: 'FILE_LENGTH', expectedBytes, actualBytes },
    `the file was announced with ${expectedBytes} bytes, ${actualBytes} came`,
  );
}
