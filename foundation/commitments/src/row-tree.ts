import { assertNatural } from '@cairn/primitives';
import { HASH_BYTES } from './hasher.ts';
import type { RowSuite } from './row-suite.ts';

/**
 * A binary tree over a power of two of rows: one coset of a blob, or its combinations.
 *
 * Memory: 64 bytes a row.
 */
export class RowTree {
  /** From the leaves to the root. */
  readonly #levels: readonly Uint8Array[];

  private constructor(levels: readonly Uint8Array[]) {
    this.#levels = levels;
  }

  /**
   * @param leaves - 32 bytes for each of a power of two of rows; kept, not copied
   * @throws {RangeError} for any other number
   */
  static fromLeaves(suite: Pick<RowSuite, 'parents'>, leaves: Uint8Array): RowTree {
    const rows = leaves.length / HASH_BYTES;
    if (!Number.isInteger(rows) || rows < 1 || 2 ** Math.round(Math.log2(rows)) !== rows) {
      throw new RangeError(`a row tree has a power of two of leaves, not ${rows}`);
    }
    const levels = [leaves];
    for (let level = leaves; level.length > HASH_BYTES; ) {
      level = suite.parents(level);
      levels.push(level);
    }
    return new RowTree(levels);
  }

  /** Siblings from a leaf up to the root. */
  get depth(): number {
    return this.#levels.length - 1;
  }

  /** 32 bytes. */
  get root(): Uint8Array {
    return this.#hashAt(this.depth, 0);
  }

  /** The siblings of leaf `index`, bottom-up, 32 bytes each. @throws {RangeError} beyond the leaves */
  pathAt(index: number): readonly Uint8Array[] {
    assertNatural(index, 'index');
    if (index >= 2 ** this.depth) {
      throw new RangeError(`a tree of ${2 ** this.depth} rows has no row ${index}`);
    }
    return Array.from({ length: this.depth }, (_, level) =>
      this.#hashAt(level, Math.floor(index / 2 ** level) ^ 1),
    );
  }

  #hashAt(level: number, index: number): Uint8Array {
    const hashes = this.#levels[level] ?? new Uint8Array(0);
    return hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
  }
}

/** The root that a leaf and its siblings, bottom-up, lead to: one hash for each sibling. */
export function rowPathRoot(
  suite: Pick<RowSuite, 'parents'>,
  leaf: Uint8Array,
  index: number,
  path: readonly Uint8Array[],
): Uint8Array {
  const pair = new Uint8Array(2 * HASH_BYTES);
  let node = leaf;
  for (const [level, sibling] of path.entries()) {
    const isRight = Math.floor(index / 2 ** level) % 2 === 1;
    pair.set(isRight ? sibling : node, 0);
    pair.set(isRight ? node : sibling, HASH_BYTES);
    node = suite.parents(pair);
  }
  return node;
}
