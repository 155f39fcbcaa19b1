import {
  type FileShape,
  fileShape,
  type Hasher,
  ProofError,
  type Segment,
  segmentDataBytes,
  segmentLeaves,
  type VerifiedSegment,
  verifySegment,
} from '@cairn/commitments';
import { concatBytes, equalBytes, nextPowerOfTwo, toHex } from '@cairn/primitives';
import { invalidParam, type RpcError, serverRpcError } from '@cairn/wire-protocol';

/** A segment with the proof in 0G's form, its hashes as bytes. */
export interface ZgSegmentClaim {
  /** 32 bytes. */
  readonly root: Uint8Array;
  readonly sizeBytes: number;
  readonly index: number;
  readonly data: Uint8Array;
  /** Segment root, siblings bottom-up, file root: 32 bytes each. One segment: the root alone. */
  readonly lemma: readonly Uint8Array[];
  /** For each sibling: whether the running node is the left child. */
  readonly path: readonly boolean[];
}

/**
 * Proves a segment that came in 0G's form, refusing in the order and with the words of 0G nodes.
 *
 * @throws {RpcError} -32602 or -32000 as `docs/spec/storage.md`, "Validation order", lists them
 */
export function proveZgSegment(
  claim: ZgSegmentClaim,
  hasher: Pick<Hasher, 'hashMany' | 'segmentRoot'>,
): VerifiedSegment {
  const { root, sizeBytes, index, data, lemma, path } = claim;
  if (sizeBytes === 0) throw invalidParam('file_size', 'file is empty');
  const shape = fileShape(sizeBytes);
  if (index >= shape.segments) throw invalidParam('index', 'index out of bound');
  if (data.length !== segmentDataBytes(shape, index)) {
    throw invalidParam('data', 'invalid data length');
  }
  if (lemma.length !== (path.length === 0 ? 1 : path.length + 2)) {
    throw invalidParam('proof', 'invalid proof');
  }
  const position = positionOf(path, shape.paddedSegments);
  if (position !== index) {
    throw serverRpcError(`wrong position: proof_pos=${position} provided=${index}`);
  }
  const proofRoot = lemma.at(-1) ?? new Uint8Array(0);
  if (!equalBytes(proofRoot, root)) {
    throw serverRpcError(`root mismatch, proof_root=${toHex(proofRoot)} provided=${toHex(root)}`);
  }
  const segment: Segment = {
    root,
    sizeBytes,
    index,
    data,
    proof: { siblings: lemma.slice(1, -1) },
  };
  let verified: VerifiedSegment;
  try {
    verified = verifySegment(segment, hasher);
  } catch (error) {
    if (error instanceof ProofError) throw refusalOf(error, { shape, segment, claim, hasher });
    throw error;
  }
  // The siblings alone prove the segment; 0G nodes also want the leaf that the proof names.
  const mismatch = leafMismatch(verified.segmentRoot, claim);
  if (mismatch !== undefined) throw mismatch;
  return verified;
}

/**
 * The leaf a path leads to among `leafCount`, walked from the top as 0G nodes do.
 *
 * @throws {RpcError} -32000 unless the path ends exactly at a leaf
 */
export function positionOf(path: readonly boolean[], leafCount: number): number {
  let left = leafCount;
  let position = 0;
  for (const isLeftChild of path.toReversed()) {
    if (left <= 1) {
      throw serverRpcError(`Proof path too long for a tree of ${leafCount} leaves: ${path.length}`);
    }
    const half = nextPowerOfTwo(left) / 2;
    if (isLeftChild) {
      left = half;
    } else {
      position += half;
      left -= half;
    }
  }
  if (left !== 1) {
    throw serverRpcError(`Proof path too short for a tree of ${leafCount} leaves: ${path.length}`);
  }
  return position;
}

interface Refused {
  readonly shape: FileShape;
  readonly segment: Segment;
  readonly claim: ZgSegmentClaim;
  readonly hasher: Pick<Hasher, 'hashMany' | 'segmentRoot'>;
}

/** Which of 0G's refusals a failed proof is. Hashes again: only a refused upload pays for it. */
function refusalOf(error: ProofError, refused: Refused): RpcError {
  const { shape, segment, claim, hasher } = refused;
  const leaf = hasher.segmentRoot(segment.data, segmentLeaves(shape, segment.index));
  const mismatch = leafMismatch(leaf, claim);
  if (mismatch !== undefined) return mismatch;
  if (error.code === 'PROOF_PADDING' && leadsToRoot(leaf, claim, hasher)) {
    return invalidParam('proof', 'invalid proof node value in the padding range');
  }
  return invalidParam('proof', 'validation failed');
}

function leafMismatch(leaf: Uint8Array, { lemma }: ZgSegmentClaim): RpcError | undefined {
  const named = lemma[0] ?? new Uint8Array(0);
  if (equalBytes(leaf, named)) return undefined;
  return serverRpcError(`data hash mismatch: leaf=${toHex(leaf)} proof_leaf=${toHex(named)}`);
}

function leadsToRoot(
  leaf: Uint8Array,
  { lemma, path, root }: ZgSegmentClaim,
  hasher: Pick<Hasher, 'hashMany'>,
): boolean {
  let node = leaf;
  for (const [level, isLeftChild] of path.entries()) {
    const sibling = lemma[level + 1] ?? new Uint8Array(0);
    const pair = isLeftChild ? concatBytes(node, sibling) : concatBytes(sibling, node);
    node = hasher.hashMany(pair, pair.length);
  }
  return equalBytes(node, root);
}
