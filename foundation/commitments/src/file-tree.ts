import { SEGMENT_HEIGHT, type SubmissionNode } from '@cairn/primitives';
import { CommitmentError } from './errors.ts';
import { HASH_BYTES, type Hasher } from './hasher.ts';
import { nobleHasher } from './noble-hasher.ts';
import { type FileShape, fileShape } from './shape.ts';
import { zeroSubtreeRoot } from './zero-hashes.ts';

/** The hashes beside the way from a segment root up to the file root. */
export interface SegmentProof {
  /** 32 bytes each, bottom-up; levels where the node is carried up unchanged have none. */
  readonly siblings: readonly Uint8Array[];
}

/** Where one sibling of a path sits and what it stands for. */
export interface ProofStep {
  /** The side the *sibling* is on. */
  readonly side: 'left' | 'right';
  /** Levels above the leaves: a full sibling covers 2^level leaves. */
  readonly level: number;
  /** First leaf under the sibling. */
  readonly from: number;
  /** Leaf after the last one under the sibling. */
  readonly to: number;
}

/**
 * The siblings on the way from leaf `index` of a tree of `leafCount` leaves to its root,
 * bottom-up. An odd last node of a level is carried up and takes no step.
 *
 * @throws {CommitmentError} SEGMENT_INDEX unless the tree has that leaf
 */
export function proofSteps(index: number, leafCount: number): ProofStep[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= leafCount) {
    throw new CommitmentError(
      { code: 'SEGMENT_INDEX', index, segments: leafCount },
      `leaf ${index} does not exist in a tree of ${leafCount} leaves`,
    );
  }
  const steps: ProofStep[] = [];
  let position = index;
  let width = leafCount;
  for (let level = 0, span = 1; width > 1; level += 1, span *= 2) {
    const isRight = position % 2 === 1;
    const sibling = isRight ? position - 1 : position + 1;
    if (sibling < width) {
      const to = Math.min((sibling + 1) * span, leafCount);
      steps.push({ side: isRight ? 'left' : 'right', level, from: sibling * span, to });
    }
    position = Math.floor(position / 2);
    width = Math.ceil(width / 2);
  }
  return steps;
}

/** The side of each sibling of `proofSteps`, bottom-up. */
export function proofSides(index: number, leafCount: number): readonly ('left' | 'right')[] {
  return proofSteps(index, leafCount).map((step) => step.side);
}

/**
 * The tree over a padded file's segment roots. Holds 64 bytes for each segment.
 *
 * On each level neighbours are hashed in pairs; an odd last one is carried up unchanged.
 */
export class FileTree {
  readonly shape: FileShape;
  /** All nodes of a level one after another, leaves first; the last level is the root alone. */
  readonly #levels: readonly Uint8Array[];

  private constructor(shape: FileShape, levels: readonly Uint8Array[]) {
    this.shape = shape;
    this.#levels = levels;
  }

  /**
   * @param segmentRoots - 32 bytes for each segment that holds data, in order; the roots of
   *   segments that are padding only are added here
   * @throws {CommitmentError} SEGMENT_ROOTS if their number is not the shape's
   */
  static fromSegmentRoots(
    hasher: Pick<Hasher, 'hashMany'>,
    shape: FileShape,
    segmentRoots: Uint8Array,
  ): FileTree {
    const expectedBytes = shape.segments * HASH_BYTES;
    const actualBytes = segmentRoots.length;
    if (actualBytes !== expectedBytes) {
      throw new CommitmentError(
        { code: 'SEGMENT_ROOTS', segments: shape.segments, expectedBytes, actualBytes },
        `the roots of ${shape.segments} segments take ${expectedBytes} bytes, not ${actualBytes}`,
      );
    }
    let width = shape.paddedSegments;
    let level = new Uint8Array(width * HASH_BYTES);
    level.set(segmentRoots);
    // Padding fills whole segments here: where it comes in smaller steps, it ends with the segment
    // that the data ends in.
    const zeroRoot = zeroSubtreeRoot(SEGMENT_HEIGHT);
    for (let index = shape.segments; index < width; index += 1) {
      level.set(zeroRoot, index * HASH_BYTES);
    }
    const levels = [level];
    while (width > 1) {
      const pairs = Math.floor(width / 2);
      const above = new Uint8Array((width - pairs) * HASH_BYTES);
      hasher.hashMany(level.subarray(0, pairs * 2 * HASH_BYTES), 2 * HASH_BYTES, above);
      if (width % 2 === 1) {
        above.set(level.subarray((width - 1) * HASH_BYTES), pairs * HASH_BYTES);
      }
      levels.push(above);
      level = above;
      width -= pairs;
    }
    return new FileTree(shape, levels);
  }

  /** The file's root: 32 bytes. */
  get root(): Uint8Array {
    return this.nodeAt(this.#levels.length - 1, 0);
  }

  /** The root of segment `index` of the padded file. @throws {CommitmentError} SEGMENT_INDEX */
  segmentRootAt(index: number): Uint8Array {
    return this.nodeAt(0, index);
  }

  /**
   * Node `index` of `level`, counted from the segment roots at level 0.
   *
   * @throws {CommitmentError} SEGMENT_INDEX if the level has no such node
   */
  nodeAt(level: number, index: number): Uint8Array {
    const nodes = this.#levels[level];
    const count = (nodes?.length ?? 0) / HASH_BYTES;
    if (nodes === undefined || !Number.isSafeInteger(index) || index < 0 || index >= count) {
      throw new CommitmentError(
        { code: 'SEGMENT_INDEX', index, segments: count },
        `node ${index} does not exist among the ${count} nodes of level ${level}`,
      );
    }
    return nodes.slice(index * HASH_BYTES, (index + 1) * HASH_BYTES);
  }

  /** The proof of segment `index` of the padded file. @throws {CommitmentError} SEGMENT_INDEX */
  proofAt(index: number): SegmentProof {
    const steps = proofSteps(index, this.shape.paddedSegments);
    return {
      siblings: steps.map(({ level, from }) => this.nodeAt(level, Math.floor(from / 2 ** level))),
    };
  }
}

/**
 * The file root of submission nodes: folded from the right, `keccak(first ‖ fold(rest))`.
 * Equals the root of the file's tree for every length.
 *
 * @throws {CommitmentError} NODE_LAYOUT if there is no node
 */
export function rootOfNodes(
  nodes: readonly SubmissionNode[],
  hasher: Pick<Hasher, 'hashMany'> = nobleHasher,
): Uint8Array {
  const last = nodes.at(-1);
  if (last === undefined) {
    throw new CommitmentError(
      { code: 'NODE_LAYOUT', expectedHeights: [], actualHeights: [] },
      'a submission has at least one node, this one has none',
    );
  }
  const pair = new Uint8Array(2 * HASH_BYTES);
  let root: Uint8Array = new Uint8Array(last.root);
  for (const node of nodes.slice(0, -1).reverse()) {
    pair.set(node.root, 0);
    pair.set(root, HASH_BYTES);
    root = hasher.hashMany(pair, 2 * HASH_BYTES);
  }
  return root;
}

/**
 * Checks that nodes have the heights that a file of `sizeBytes` bytes must have. The log contract
 * accepts no others.
 *
 * @throws {CommitmentError} NODE_LAYOUT with both lists; FILE_EMPTY
 */
export function assertNodeLayout(nodes: readonly SubmissionNode[], sizeBytes: number): void {
  const expectedHeights = fileShape(sizeBytes).nodes.map((node) => node.height);
  const actualHeights = nodes.map((node) => node.height);
  const sameHeights =
    expectedHeights.length === actualHeights.length &&
    expectedHeights.every((height, index) => height === actualHeights[index]);
  if (sameHeights && nodes.every((node) => node.root.length === HASH_BYTES)) return;
  throw new CommitmentError(
    { code: 'NODE_LAYOUT', expectedHeights, actualHeights },
    `a file of ${sizeBytes} bytes has nodes of heights ${expectedHeights.join(', ')} with roots of ` +
      `${HASH_BYTES} bytes, not of heights ${actualHeights.join(', ') || 'none'}`,
  );
}
