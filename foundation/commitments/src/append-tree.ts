import { viewOf, writeSafeU64 } from '@cairn/primitives';
import { CommitmentError } from './errors.ts';
import { HASH_BYTES } from './hasher.ts';

/** How a kind of tree hashes. */
export interface TreeRule {
  /** The parent of two nodes. */
  join(left: Uint8Array, right: Uint8Array): Uint8Array;
  /** Root of an empty subtree of 2^level leaves. */
  empty(level: number): Uint8Array;
}

/** A complete subtree: leaves `index · 2^level` up to, not including, `(index + 1) · 2^level`. */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
  /** 32 bytes. */
  readonly hash: Uint8Array;
}

/** Finds a complete subtree that was kept; `undefined` if it was not. */
export type NodeLookup = (level: number, index: number) => Promise<Uint8Array | undefined>;

const SNAPSHOT_VERSION = 1;
const SNAPSHOT_HEAD_BYTES = 9;
/** Above every level a tree of 2^53 leaves can have. */
const MAX_LEVELS = 54;

/** Levels from the leaves to the root of a tree of `length` leaves: the least k, 2^k ≥ length. */
export function depthOf(length: number): number {
  let depth = 0;
  for (let span = 1; span < length; span *= 2) depth += 1;
  return depth;
}

/**
 * A perfect tree that only grows at its right end. It remembers one hash for each bit of its
 * length: the roots of the complete subtrees that make it up.
 */
export class AppendTree {
  readonly #rule: TreeRule;
  /** Root of the complete subtree of 2^level leaves, where that bit of the length is set. */
  readonly #peaks: (Uint8Array | undefined)[] = [];
  #length = 0;

  constructor(rule: TreeRule) {
    this.#rule = rule;
  }

  /** Leaves so far. */
  get length(): number {
    return this.#length;
  }

  /**
   * Appends a complete subtree of 2^level leaves; the length must be a multiple of that.
   *
   * @param completed - told of the subtree and of every ancestor it completes, bottom-up
   * @throws {CommitmentError} TREE_FULL beyond 2^53 − 1 leaves
   */
  push(level: number, hash: Uint8Array, completed: (node: TreeNode) => void): void {
    const added = 2 ** level;
    const length = this.#length + added;
    if (!Number.isSafeInteger(length)) {
      throw new CommitmentError(
        { code: 'TREE_FULL', length: this.#length, added },
        `a tree of ${this.#length} leaves cannot take ${added} more: it ends at 2^53 - 1`,
      );
    }
    let node = hash;
    let height = level;
    let index = this.#length / added;
    completed({ level, index, hash });
    while (index % 2 === 1) {
      node = this.#rule.join(this.#peaks[height] ?? this.#rule.empty(height), node);
      this.#peaks[height] = undefined;
      height += 1;
      index = Math.floor(index / 2);
      completed({ level: height, index, hash: node });
    }
    this.#peaks[height] = new Uint8Array(node); // `completed` was given the other one
    this.#length = length;
  }

  /** The root over 2^k leaves, k least; leaves that are not there are empty. 32 bytes. */
  root(): Uint8Array {
    const depth = depthOf(this.#length);
    const whole = this.#peaks[depth];
    if (whole !== undefined) return whole.slice();
    let right: Uint8Array | undefined; // undefined: nothing but empty leaves so far
    for (let level = 0; level < depth; level += 1) {
      const peak = this.#peaks[level];
      if (peak !== undefined) right = this.#rule.join(peak, right ?? this.#rule.empty(level));
      else if (right !== undefined) right = this.#rule.join(right, this.#rule.empty(level));
    }
    return right ?? this.#rule.empty(0);
  }

  /** Everything it remembers: 9 bytes and 32 for each bit set in the length. */
  snapshot(): Uint8Array {
    const peaks = this.#peaks.filter((peak) => peak !== undefined);
    const bytes = new Uint8Array(SNAPSHOT_HEAD_BYTES + peaks.length * HASH_BYTES);
    bytes[0] = SNAPSHOT_VERSION;
    writeSafeU64(viewOf(bytes), 1, this.#length);
    for (const [place, peak] of peaks.entries()) {
      bytes.set(peak, SNAPSHOT_HEAD_BYTES + place * HASH_BYTES);
    }
    return bytes;
  }

  /** The tree a snapshot was taken of. @throws {CommitmentError} SNAPSHOT_MALFORMED */
  static restore(rule: TreeRule, snapshot: Uint8Array): AppendTree {
    const tree = new AppendTree(rule);
    tree.#length = snapshotLength(snapshot);
    let offset = SNAPSHOT_HEAD_BYTES;
    let rest = tree.#length;
    for (let level = 0; rest > 0; level += 1, rest = Math.floor(rest / 2)) {
      if (rest % 2 === 0) continue;
      // A copy, where the `slice` of a Buffer is none.
      tree.#peaks[level] = new Uint8Array(snapshot.subarray(offset, offset + HASH_BYTES));
      offset += HASH_BYTES;
    }
    if (offset !== snapshot.length) throw snapshotFault(snapshot);
    return tree;
  }
}

/**
 * The siblings on the way from a complete subtree to the root of the tree as it was with `length`
 * leaves, bottom-up. Takes at most two lookups for each level of the tree.
 *
 * @throws {CommitmentError} NODE_MISSING if a subtree with content was not kept
 */
export async function siblingsOf(
  rule: TreeRule,
  lookup: NodeLookup,
  { level, index, length }: { level: number; index: number; length: number },
): Promise<Uint8Array[]> {
  const siblings: Uint8Array[] = [];
  const depth = depthOf(length);
  let position = index;
  for (let height = level; height < depth; height += 1) {
    const sibling = position % 2 === 1 ? position - 1 : position + 1;
    siblings.push(await nodeAt(rule, lookup, { level: height, index: sibling, length }));
    position = Math.floor(position / 2);
  }
  return siblings;
}

/** The root that `siblings` lead to from a node. */
export function climb(
  rule: Pick<TreeRule, 'join'>,
  node: TreeNode,
  siblings: readonly Uint8Array[],
): Uint8Array {
  let { hash, index } = node;
  for (const sibling of siblings) {
    hash = index % 2 === 1 ? rule.join(sibling, hash) : rule.join(hash, sibling);
    index = Math.floor(index / 2);
  }
  return hash;
}

/** A node of the tree as it was with `length` leaves. */
async function nodeAt(
  rule: TreeRule,
  lookup: NodeLookup,
  { level, index, length }: { level: number; index: number; length: number },
): Promise<Uint8Array> {
  const span = 2 ** level;
  if (index * span >= length) return rule.empty(level);
  if ((index + 1) * span > length) {
    const child = { level: level - 1, length };
    const left = await nodeAt(rule, lookup, { ...child, index: index * 2 });
    return rule.join(left, await nodeAt(rule, lookup, { ...child, index: index * 2 + 1 }));
  }
  const kept = await lookup(level, index);
  if (kept !== undefined) return kept;
  if (await isInsideEmpty(rule, lookup, { level, index, length })) return rule.empty(level);
  throw new CommitmentError(
    { code: 'NODE_MISSING', level, index },
    `subtree ${index} of level ${level} is needed for a proof but was not kept`,
  );
}

/** Whether the nearest kept ancestor of a node is an empty subtree, so that the node is one too. */
async function isInsideEmpty(
  rule: TreeRule,
  lookup: NodeLookup,
  { level, index, length }: { level: number; index: number; length: number },
): Promise<boolean> {
  let position = Math.floor(index / 2);
  for (let height = level + 1; height < MAX_LEVELS; height += 1) {
    if ((position + 1) * 2 ** height > length) return false;
    const kept = await lookup(height, position);
    if (kept !== undefined) {
      const empty = rule.empty(height);
      return kept.length === HASH_BYTES && kept.every((byte, place) => byte === empty[place]);
    }
    position = Math.floor(position / 2);
  }
  return false;
}

function snapshotLength(snapshot: Uint8Array): number {
  if (snapshot.length < SNAPSHOT_HEAD_BYTES || snapshot[0] !== SNAPSHOT_VERSION) {
    throw snapshotFault(snapshot);
  }
  const view = viewOf(snapshot);
  const high = view.getUint32(1);
  if (high >= 2 ** 21) throw snapshotFault(snapshot);
  return high * 2 ** 32 + view.getUint32(5);
}

function snapshotFault(snapshot: Uint8Array): CommitmentError {
  return new CommitmentError(
    { code: 'SNAPSHOT_MALFORMED', lengthBytes: snapshot.length },
    `${snapshot.length} bytes are not a snapshot of a tree`,
  );
}
