import { proofSides, type SegmentProof } from '@cairn/commitments';
import { fromHex, toHex } from '@cairn/primitives';
import { refuseField } from '../check.ts';
import type { ZgProof } from './shapes.ts';

/**
 * A segment proof in 0G's form. The sides follow from the place.
 *
 * @param segmentRoot - 32 bytes
 * @param index - file-relative
 * @param leafCount - segments of the padded file
 * @param root - the file's root, 32 bytes
 * @throws {CommitmentError} SEGMENT_INDEX if the tree has no such leaf
 */
export function zgProofOf(
  segmentRoot: Uint8Array,
  proof: SegmentProof,
  index: number,
  leafCount: number,
  root: Uint8Array,
): ZgProof {
  const sides = proofSides(index, leafCount);
  if (sides.length === 0) return { lemma: [toHex(root)], path: [] };
  return {
    lemma: [segmentRoot, ...proof.siblings, root].map(toHex),
    path: sides.map((side) => side === 'right'),
  };
}

/**
 * The siblings of a 0G proof. Leaf, root and sides are dropped: they follow from data, request and
 * place, and `verifySegment` derives them itself.
 *
 * @throws {WireError} WIRE_FIELD unless there are two more hashes than sides, or one hash alone
 */
export function segmentProofOf({ lemma, path }: ZgProof): SegmentProof {
  const isSingle = lemma.length === 1 && path.length === 0;
  if (!isSingle && lemma.length !== path.length + 2) {
    refuseField('proof', 'lemma', `a list of ${path.length + 2}`, lemma);
  }
  return { siblings: lemma.slice(1, -1).map(fromHex) };
}
