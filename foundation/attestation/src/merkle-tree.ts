import { keccak256 } from '@cairn/primitives';
import { PathError } from './errors.ts';

/** Bytes of a hash. */
export const HASH_BYTES = 32;
/** Levels at most: counts have 32 bits. */
export const MAX_TREE_DEPTH = 32;

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/** The leaf of a body: keccak-256 of a zero byte and the body. */
export function leafHash(body: Uint8Array): Uint8Array {
  return keccak256(LEAF_PREFIX, body);
}

/** The parent of two nodes: keccak-256 of a byte 1 and both. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return keccak256(NODE_PREFIX, left, right);
}

/** Levels above `count` leaves: the least d with 2^d ≥ count. */
export function treeDepth(count: number): number {
  let depth = 0;
  for (let span = 1; span < count; span *= 2) depth += 1;
  return depth;
}

/** The root over leaves, filled up with zero leaves to a power of two; 32 zeros for none. */
export function treeRoot(leaves: readonly Uint8Array[]): Uint8Array {
  return levelsOf(leaves).at(-1)?.[0] ?? new Uint8Array(HASH_BYTES);
}

/**
 * The siblings from a leaf to the root, bottom-up; exactly `treeDepth` of them.
 *
 * @throws {PathError} PATH_INDEX
 */
export function treePath(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  assertIndex(index, leaves.length);
  const levels = levelsOf(leaves);
  return levels.slice(0, -1).map((level, height) => {
    const place = Math.floor(index / 2 ** height);
    return level[place % 2 === 0 ? place + 1 : place - 1] ?? emptyRoot(height);
  });
}

/** A leaf that claims its place. */
export interface LeafClaim {
  /** 32 bytes. */
  readonly leaf: Uint8Array;
  readonly index: number;
  /** Leaves of the tree. */
  readonly count: number;
  /** 32 bytes each, bottom-up. */
  readonly path: readonly Uint8Array[];
}

/**
 * The root that a path leads to.
 *
 * @throws {PathError} PATH_INDEX; PATH_LENGTH unless the path has exactly the tree's depth, for a
 *   shorter one could pass off a node as a leaf
 */
export function rootOfPath({ leaf, index, count, path }: LeafClaim): Uint8Array {
  assertIndex(index, count);
  const expected = treeDepth(count);
  if (path.length !== expected) {
    throw new PathError(
      { code: 'PATH_LENGTH', count, expected, actual: path.length },
      `a path among ${count} leaves has ${expected} hashes, not ${path.length}`,
    );
  }
  let hash = leaf;
  for (const [height, sibling] of path.entries()) {
    const isLeft = Math.floor(index / 2 ** height) % 2 === 0;
    hash = isLeft ? nodeHash(hash, sibling) : nodeHash(sibling, hash);
  }
  return hash;
}

/** Root of an empty subtree of 2^height leaves. */
export function emptyRoot(height: number): Uint8Array {
  let root: Uint8Array = new Uint8Array(HASH_BYTES);
  for (let level = 0; level < height; level += 1) root = nodeHash(root, root);
  return root;
}

/** Every level from the leaves to the root, without what only fills up. None for no leaves. */
export function levelsOf(leaves: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const levels = [leaves];
  let empty: Uint8Array = new Uint8Array(HASH_BYTES);
  for (let level = leaves; level.length > 1; ) {
    const above: Uint8Array[] = [];
    for (let place = 0; place < level.length; place += 2) {
      above.push(nodeHash(level[place] ?? empty, level[place + 1] ?? empty));
    }
    empty = nodeHash(empty, empty);
    levels.push(above);
    level = above;
  }
  return levels;
}

/** @throws {PathError} PATH_INDEX unless `index` is that of one of `count` leaves */
export function assertIndex(index: number, count: number): void {
  if (Number.isInteger(index) && index >= 0 && index < count) return;
  throw new PathError(
    { code: 'PATH_INDEX', index, count },
    `there is no leaf ${index} among ${count}`,
  );
}
