import { PathError } from './errors.ts';
import { assertIndex, emptyRoot, levelsOf, nodeHash, treeDepth } from './merkle-tree.ts';

/** A leaf with its place. */
export interface PlacedLeaf {
  readonly index: number;
  /** 32 bytes. */
  readonly hash: Uint8Array;
}

/** Several leaves that claim their places. */
export interface LeavesClaim {
  /** Indexes rise. */
  readonly leaves: readonly PlacedLeaf[];
  /** Leaves of the tree. */
  readonly count: number;
  /** In the order in which the walk below takes them. */
  readonly siblings: readonly Uint8Array[];
}

/**
 * The siblings that tie several leaves to the root: level by level, from left to right, the other
 * child of every node whose pair is not itself on the way.
 *
 * @param indexes - rising
 * @throws {PathError} PATH_INDEX, PATH_ORDER
 */
export function multiproof(
  leaves: readonly Uint8Array[],
  indexes: readonly number[],
): Uint8Array[] {
  assertRising(indexes, leaves.length);
  const siblings: Uint8Array[] = [];
  let places = indexes;
  for (const [height, level] of levelsOf(leaves).slice(0, -1).entries()) {
    const present = new Set(places);
    for (const place of places) {
      const other = place % 2 === 0 ? place + 1 : place - 1;
      if (!present.has(other)) siblings.push(level[other] ?? emptyRoot(height));
    }
    places = [...new Set(places.map((place) => Math.floor(place / 2)))];
  }
  return siblings;
}

/**
 * The root that several leaves lead to, with the siblings that contracts take.
 *
 * @returns `undefined` if siblings are missing or left over, or there are no leaves
 * @throws {PathError} PATH_INDEX, PATH_ORDER
 */
export function rootOfMultiproof(claim: LeavesClaim): Uint8Array | undefined {
  const { leaves, count, siblings } = claim;
  assertRising(
    leaves.map(({ index }) => index),
    count,
  );
  let taken = 0;
  let level = [...leaves];
  for (let depth = treeDepth(count); depth > 0; depth -= 1) {
    const above: PlacedLeaf[] = [];
    for (let at = 0; at < level.length; at += 1) {
      const node = level[at];
      if (node === undefined) return undefined;
      const next = level[at + 1];
      const index = Math.floor(node.index / 2);
      if (node.index % 2 === 0 && next?.index === node.index + 1) {
        above.push({ index, hash: nodeHash(node.hash, next.hash) });
        at += 1;
        continue;
      }
      const sibling = siblings[taken];
      if (sibling === undefined) return undefined;
      taken += 1;
      const isLeft = node.index % 2 === 0;
      const hash = isLeft ? nodeHash(node.hash, sibling) : nodeHash(sibling, node.hash);
      above.push({ index, hash });
    }
    level = above;
  }
  return taken === siblings.length && level.length === 1 ? level[0]?.hash : undefined;
}

function assertRising(indexes: readonly number[], count: number): void {
  let previous = -1;
  for (const index of indexes) {
    assertIndex(index, count);
    if (index <= previous) {
      throw new PathError(
        { code: 'PATH_ORDER', index, previous },
        `leaf ${index} stands after leaf ${previous}: indexes must rise`,
      );
    }
    previous = index;
  }
}
