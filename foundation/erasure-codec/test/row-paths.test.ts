import assert from 'node:assert/strict';
import { plainBlake3Suite, type RowSuite, RowTree, rowPathRoot } from '@cairn/commitments/rows';
import { concatBytes, equalBytes, seededRng } from '@cairn/primitives';
import { pathRoots } from '../src/row-paths.ts';
import { bytesOf } from './support.ts';

const LOG2K = 5;
const LEAVES = bytesOf(32 * 2 ** LOG2K, 1);
const TREE = RowTree.fromLeaves(plainBlake3Suite, LEAVES);

interface Row {
  readonly index: number;
  readonly leaf: Uint8Array;
  readonly path: Uint8Array;
}

function rowAt(index: number): Row {
  const leaf = LEAVES.subarray(index * 32, (index + 1) * 32);
  return { index, leaf, path: concatBytes(...TREE.pathAt(index)) };
}

/** The roots, and how many hashes they took. */
function rootsOf(rows: readonly Row[]): { readonly roots: Uint8Array[]; readonly hashes: number } {
  let hashes = 0;
  const counting: Pick<RowSuite, 'parents'> = {
    parents(pairs) {
      hashes += pairs.length / 64;
      return plainBlake3Suite.parents(pairs);
    },
  };
  const roots = pathRoots(counting, concatBytes(...rows.map(({ leaf }) => leaf)), rows);
  assert.equal(roots.length, 32 * rows.length);
  return { roots: rows.map((_, at) => roots.subarray(at * 32, (at + 1) * 32)), hashes };
}

/** Each row's root from its own leaf, index and path alone. */
function assertOwnRoots(rows: readonly Row[], what: string): void {
  const { roots } = rootsOf(rows);
  for (const [at, { leaf, index, path }] of rows.entries()) {
    const siblings = Array.from({ length: LOG2K }, (_, level) =>
      path.subarray(level * 32, (level + 1) * 32),
    );
    const expected = rowPathRoot(plainBlake3Suite, leaf, index, siblings);
    assert.ok(equalBytes(roots[at] ?? new Uint8Array(), expected), `${what}, row ${at}`);
  }
}

describe('the roots of rows and their paths', () => {
  it("are the tree's for every arc, with about a hash a row", () => {
    for (let from = 0; from < 32; from += 1) {
      for (let count = 1; from + count <= 32; count += 1) {
        const arc = Array.from({ length: count }, (_, at) => rowAt(from + at));
        const { roots, hashes } = rootsOf(arc);
        for (const root of roots) assert.ok(equalBytes(root, TREE.root));
        assert.ok(hashes <= count + 2 * LOG2K, `${hashes} hashes for ${count} rows`);
      }
    }
  });

  it('are each row’s own, whatever its neighbours say', () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const rng = seededRng(seed);
      let index = rng.below(4);
      const rows: Row[] = [];
      while (index < 32) {
        const row = rowAt(index);
        const isForged = rng.below(4) === 0;
        const place = isForged && rng.below(8) === 0 ? rng.below(32) : index;
        const path = row.path.slice();
        if (isForged) path[rng.below(path.length)] = rng.below(256);
        const leaf = row.leaf.slice();
        if (rng.below(8) === 0) leaf[rng.below(32)] = rng.below(256);
        rows.push({ index: place, leaf, path });
        index += rng.below(3); // 0: the same row once more
      }
      assertOwnRoots(rows, `seed ${seed}`);
    }
  });

  it('tell apart neighbours that only differ above where they meet', () => {
    for (let level = 1; level < LOG2K; level += 1) {
      const left = rowAt(6);
      const right = rowAt(7);
      const path = right.path.slice();
      path[level * 32] = (path[level * 32] ?? 0) ^ 1;
      assertOwnRoots([left, { ...right, path }], `level ${level}`);
      assertOwnRoots([{ ...left, path }, right], `level ${level}`);
    }
  });

  it('tell apart the same pair of nodes at two places', () => {
    const left = rowAt(6);
    for (const index of [2, 14, 22]) assertOwnRoots([left, { ...left, index }], `place ${index}`);
  });

  it('are none for no rows, and the leaves where there are no levels', () => {
    assert.equal(pathRoots(plainBlake3Suite, new Uint8Array(0), []).length, 0);
    const leaf = bytesOf(32, 3);
    const root = pathRoots(plainBlake3Suite, leaf, [{ index: 0, path: new Uint8Array(0) }]);
    assert.deepEqual(root, leaf);
  });
});
