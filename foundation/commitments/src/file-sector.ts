import { SECTOR_BYTES, SEGMENT_SECTORS } from '@cairn/primitives';
import { ProofError } from './errors.ts';
import { proofSteps } from './file-tree.ts';
import { HASH_BYTES, type Hasher } from './hasher.ts';
import { assertHash, assertLeadsTo, assertSiblings } from './proof-checks.ts';
import { fileShape, segmentLeaves } from './shape.ts';
import type { VerifiedSegment } from './verify-segment.ts';
import { zeroSubtreeRoot } from './zero-hashes.ts';

/** A sector as it comes from outside: nothing about it is proven. */
export interface FileSector {
  /** The file's root, 32 bytes. */
  readonly root: Uint8Array;
  /** The file's length as its log entry states it. */
  readonly sizeBytes: number;
  /** Place in the file, from 0; one that holds data. */
  readonly index: number;
  /** 256 bytes. */
  readonly data: Uint8Array;
  /** 32 bytes each, from the sector up to the root; levels where a node is carried up have none. */
  readonly siblings: readonly Uint8Array[];
}

/**
 * The sector of a proven segment with its path to the file's root. Hashes the whole segment: at most
 * 1,024 sectors and as many pairs.
 *
 * @param place - sector inside the segment, from 0; one that holds data
 * @throws {ProofError} PROOF_INDEX unless the segment holds data there
 */
export function proveFileSector(
  segment: VerifiedSegment,
  place: number,
  hasher: Pick<Hasher, 'hashMany'>,
): FileSector {
  const { root, sizeBytes, index: segmentIndex, data, proof } = segment;
  const held = data.length / SECTOR_BYTES;
  assertIndex(place, held);
  const leaves = segmentLeaves(fileShape(sizeBytes), segmentIndex);
  let nodes = new Uint8Array(leaves * HASH_BYTES);
  hasher.hashMany(data, SECTOR_BYTES, nodes.subarray(0, held * HASH_BYTES));
  for (let leaf = held; leaf < leaves; leaf += 1) nodes.set(zeroSubtreeRoot(0), leaf * HASH_BYTES);
  const siblings: Uint8Array[] = [];
  for (let width = leaves, position = place; width > 1; width = Math.ceil(width / 2)) {
    const sibling = position % 2 === 0 ? position + 1 : position - 1;
    if (sibling < width) {
      siblings.push(nodes.slice(sibling * HASH_BYTES, (sibling + 1) * HASH_BYTES));
    }
    const pairs = Math.floor(width / 2);
    const above = new Uint8Array((width - pairs) * HASH_BYTES);
    const paired = pairs * 2 * HASH_BYTES;
    hasher.hashMany(
      nodes.subarray(0, paired),
      2 * HASH_BYTES,
      above.subarray(0, pairs * HASH_BYTES),
    );
    above.set(nodes.subarray(paired), pairs * HASH_BYTES); // an odd last one is carried up
    nodes = above;
    position = Math.floor(position / 2);
  }
  return {
    root,
    sizeBytes,
    index: segmentIndex * SEGMENT_SECTORS + place,
    data: data.subarray(place * SECTOR_BYTES, (place + 1) * SECTOR_BYTES),
    siblings: [...siblings, ...proof.siblings],
  };
}

/**
 * Proves that a sector is the file's at its place.
 *
 * @throws {ProofError} PROOF_INDEX, SEGMENT_LENGTH unless it has 256 bytes, PROOF_HASH_LENGTH,
 *   PROOF_LENGTH, PROOF_WRONG_ROOT
 * @throws {CommitmentError} FILE_EMPTY; {RangeError} if `sizeBytes` is not a whole number
 */
export function verifyFileSector(sector: FileSector, hasher: Pick<Hasher, 'hashMany'>): void {
  const { root, sizeBytes, index, data, siblings } = sector;
  const shape = fileShape(sizeBytes);
  assertIndex(index, shape.sectors);
  if (data.length !== SECTOR_BYTES) {
    const [expectedBytes, actualBytes] = [SECTOR_BYTES, data.length];
    throw new ProofError(
      { code: 'SEGMENT_LENGTH', index, expectedBytes, actualBytes },
      `a sector has ${expectedBytes} bytes, not ${actualBytes}`,
    );
  }
  assertHash(root, -1, 'the file root');
  // Segments are whole subtrees of the tree over sectors, so one walk passes through both.
  const steps = proofSteps(index, shape.paddedSectors);
  assertSiblings(siblings, index, steps.length);
  const pair = new Uint8Array(2 * HASH_BYTES);
  let node = hasher.hashMany(data, SECTOR_BYTES);
  for (const [place, { side }] of steps.entries()) {
    const sibling = siblings[place] ?? new Uint8Array(0); // assertSiblings proved it there
    pair.set(side === 'left' ? sibling : node, 0);
    pair.set(side === 'left' ? node : sibling, HASH_BYTES);
    node = hasher.hashMany(pair, 2 * HASH_BYTES);
  }
  assertLeadsTo(node, root, index);
}

function assertIndex(index: number, count: number): void {
  if (Number.isSafeInteger(index) && index >= 0 && index < count) return;
  throw new ProofError(
    { code: 'PROOF_INDEX', index, count },
    `there is no sector ${index} among ${count} that hold data`,
  );
}
