import { concatBytes, equalBytes, SEGMENT_HEIGHT, type WorkerPool } from '@cairn/primitives';
import { ProofError } from './errors.ts';
import { proofSteps, type SegmentProof } from './file-tree.ts';
import type { DataRootsTask } from './hash-worker.ts';
import { HASH_BYTES, type Hasher } from './hasher.ts';
import { assertHash, assertLeadsTo, assertSiblings } from './proof-checks.ts';
import { type FileShape, fileShape, segmentDataBytes, segmentLeaves } from './shape.ts';
import { zeroSubtreeRoot } from './zero-hashes.ts';

declare const verified: unique symbol;

/** A segment as it comes from outside: nothing about it is proven. */
export interface Segment {
  /** The file's root, 32 bytes. */
  readonly root: Uint8Array;
  /** The file's length as its log entry states it; the root alone does not commit to it. */
  readonly sizeBytes: number;
  /** Place in the file, from 0. */
  readonly index: number;
  /** Whole sectors: `segmentDataBytes(fileShape(sizeBytes), index)` bytes. */
  readonly data: Uint8Array;
  readonly proof: SegmentProof;
}

/** A segment proven to belong to its file. Only `verifySegment` makes one. */
export type VerifiedSegment = Segment & {
  /** Root over the segment's sectors, 32 bytes. */
  readonly segmentRoot: Uint8Array;
  readonly [verified]: true;
};

/** A segment root that claims its place in a file, where only hashes travel. */
export type SegmentRootClaim = Omit<Segment, 'data'> & {
  /** Root over the segment's sectors, 32 bytes. */
  readonly segmentRoot: Uint8Array;
};

/**
 * Proves that a segment belongs to its file: right length, right place, right bytes.
 *
 * The bytes between the file's end and the end of its last sector are whatever the root commits
 * to, as on 0G nodes: the same root may be on chain with a smaller size, and refusing its sectors
 * would let that entry stop the honest one. Readers cut at `sizeBytes`.
 *
 * @throws {ProofError} SEGMENT_INDEX, SEGMENT_LENGTH, PROOF_HASH_LENGTH, PROOF_LENGTH,
 *   PROOF_WRONG_ROOT, PROOF_PADDING
 * @throws {CommitmentError} FILE_EMPTY; {RangeError} if `sizeBytes` is not a whole number
 */
export function verifySegment(
  segment: Segment,
  hasher: Pick<Hasher, 'hashMany' | 'segmentRoot'>,
): VerifiedSegment {
  const leaves = requireForm(segment); // before hashing: a malformed path costs nothing
  return withRoot(segment, hasher.segmentRoot(segment.data, leaves), hasher);
}

/**
 * Proves several segments, of one file or of many, with one visit to another thread: their data go
 * there as a copy, and what is compared with the file's root here is what came back.
 *
 * @param segments - up to 4 GiB of data together
 * @param options.pool - threads running the `hash-worker` module
 * @returns the segments in the order given
 * @throws as `verifySegment` at the first that does not prove; what the pool throws
 */
export async function verifySegments(
  segments: readonly Segment[],
  {
    hasher,
    pool,
    signal,
  }: {
    readonly hasher: Pick<Hasher, 'hashMany'>;
    readonly pool: Pick<WorkerPool, 'run'>;
    readonly signal: AbortSignal;
  },
): Promise<readonly VerifiedSegment[]> {
  const leaves = segments.map(requireForm);
  const bytes = concatBytes(...segments.map(({ data }) => data));
  const task: DataRootsTask = {
    bytes,
    parts: segments.map(({ data }, at) => ({ bytes: data.length, leaves: leaves[at] ?? 0 })),
  };
  const roots = await pool.run<Uint8Array>(task, { signal, transfer: [bytes.buffer] });
  return segments.map((segment, at) =>
    withRoot(segment, roots.slice(at * HASH_BYTES, (at + 1) * HASH_BYTES), hasher),
  );
}

/** @returns the leaves of the segment's tree. @throws as `verifySegment` */
function requireForm(segment: Segment): number {
  const { sizeBytes, index, data } = segment;
  const shape = fileShape(sizeBytes);
  assertHoldsData(shape, index);
  const expectedBytes = segmentDataBytes(shape, index);
  if (data.length !== expectedBytes) {
    throw new ProofError(
      { code: 'SEGMENT_LENGTH', index, expectedBytes, actualBytes: data.length },
      `segment ${index} of a file of ${sizeBytes} bytes has ${expectedBytes} bytes, not ${data.length}`,
    );
  }
  assertPathForm(shape, segment);
  return segmentLeaves(shape, index);
}

/** @throws {ProofError} PROOF_WRONG_ROOT, PROOF_PADDING */
function withRoot(
  { root, sizeBytes, index, data, proof }: Segment,
  segmentRoot: Uint8Array,
  hasher: Pick<Hasher, 'hashMany'>,
): VerifiedSegment {
  verifySegmentRoot({ root, sizeBytes, index, segmentRoot, proof }, hasher);
  return { root, sizeBytes, index, data, proof, segmentRoot } as VerifiedSegment;
}

/**
 * Proves that a segment root has its place under a file's root. The path must have exactly the
 * position's length, and siblings that stand for padding only must be zero subtrees: an uploader
 * cannot hide bytes behind the file's end.
 *
 * @throws {ProofError} SEGMENT_INDEX, PROOF_HASH_LENGTH, PROOF_LENGTH, PROOF_WRONG_ROOT,
 *   PROOF_PADDING
 * @throws {CommitmentError} FILE_EMPTY; {RangeError} if `sizeBytes` is not a whole number
 * @see the rear padding rule of the 0G storage node, which this equals
 */
export function verifySegmentRoot(claim: SegmentRootClaim, hasher: Pick<Hasher, 'hashMany'>): void {
  const { root, sizeBytes, index, segmentRoot, proof } = claim;
  const shape = fileShape(sizeBytes);
  assertHoldsData(shape, index);
  assertPathForm(shape, claim);
  assertHash(segmentRoot, -1, 'the segment root');
  const pair = new Uint8Array(2 * HASH_BYTES);
  let node = segmentRoot;
  for (const [place, step] of proofSteps(index, shape.paddedSegments).entries()) {
    const sibling = proof.siblings[place] ?? new Uint8Array(0); // assertPathForm proved it there
    const isPadding = step.from >= shape.segments;
    if (isPadding && !equalBytes(sibling, zeroSubtreeRoot(SEGMENT_HEIGHT + step.level))) {
      throw new ProofError(
        { code: 'PROOF_PADDING', index, firstSegment: step.from, endSegment: step.to },
        `the proof of segment ${index} puts data into segments ${step.from} to ${step.to - 1}, ` +
          `but the file's data ends with segment ${shape.segments - 1}`,
      );
    }
    pair.set(step.side === 'left' ? sibling : node, 0);
    pair.set(step.side === 'left' ? node : sibling, HASH_BYTES);
    node = hasher.hashMany(pair, 2 * HASH_BYTES);
  }
  assertLeadsTo(node, root, index);
}

function assertHoldsData(shape: FileShape, index: number): void {
  if (Number.isSafeInteger(index) && index >= 0 && index < shape.segments) return;
  throw new ProofError(
    { code: 'SEGMENT_INDEX', index, segments: shape.segments },
    `a file of ${shape.sizeBytes} bytes has ${shape.segments} segments; there is no segment ${index}`,
  );
}

function assertPathForm(
  shape: FileShape,
  { index, proof, root }: Pick<Segment, 'index' | 'proof' | 'root'>,
): void {
  assertHash(root, -1, 'the file root');
  assertSiblings(proof.siblings, index, proofSteps(index, shape.paddedSegments).length);
}
