import {
  commitBytes,
  type FileCommitment,
  type Hasher,
  loadHasher,
  segmentDataBytes,
  type VerifiedSegment,
  verifySegment,
} from '@cairn/commitments';
import {
  noMetrics,
  parseAddress,
  type Root,
  rootOf,
  SEGMENT_BYTES,
  seededRng,
  silentLogger,
} from '@cairn/primitives';
import { createLogMetrics } from '../../src/metrics.ts';

export const CHAIN = { chainId: 31_337 as never, flow: parseAddress(`0x${'f1'.repeat(20)}`) };
export const logger = silentLogger();
export const metrics = createLogMetrics(noMetrics());

let loading: Promise<Hasher> | undefined;
/** The fastest hasher here, loaded once. */
export function testHasher(): Promise<Hasher> {
  loading ??= loadHasher();
  return loading;
}

/** A file with everything known about it. */
export interface TestFile {
  readonly bytes: Uint8Array;
  readonly root: Root;
  readonly commitment: FileCommitment;
  readonly segments: readonly VerifiedSegment[];
}

/** A file of random bytes that a seed gives. */
export function randomFile(hasher: Hasher, sizeBytes: number, seed: number): TestFile {
  return fileOf(hasher, seededRng(seed).fill(new Uint8Array(sizeBytes)));
}

export function fileOf(hasher: Hasher, bytes: Uint8Array): TestFile {
  const commitment = commitBytes(hasher, bytes);
  const { root, shape, tree } = commitment;
  const segments = Array.from({ length: shape.segments }, (_, index) => {
    const data = new Uint8Array(segmentDataBytes(shape, index));
    data.set(bytes.subarray(index * SEGMENT_BYTES, index * SEGMENT_BYTES + data.length));
    const claim = { root, sizeBytes: bytes.length, index, data, proof: tree.proofAt(index) };
    return verifySegment(claim, hasher);
  });
  return { bytes, root: rootOf(root), commitment, segments };
}
