import assert from 'node:assert/strict';
import { compareBytes, type Rng, seededRng } from '@cairn/primitives';
import { SUBTREE } from '../../src/store/snapshot-format.ts';
import { type RowGroup, SubtreeCuts } from '../../src/store/subtree-cuts.ts';
import { ascent } from '../../src/tree/sorted-tree.ts';

function drawKeys(rng: Rng, count: number): readonly Uint8Array[] {
  const shapes = [
    () => rng.fill(new Uint8Array(1 + rng.below(8))),
    () => Buffer.from(`key ${rng.below(count)}`),
    () => Buffer.from('b'.repeat(1 + rng.below(count))),
  ];
  const keys = Array.from({ length: count }, () => shapes[rng.below(3)]?.() ?? assert.fail());
  const distinct = new Map(keys.map((key) => [Buffer.from(key).toString('hex'), key]));
  return [...distinct.values()].sort(compareBytes);
}

/** Where a key leaves another, in either order. */
const forkOf = (left: Uint8Array, right: Uint8Array): number =>
  Math.max(ascent(left, right), ascent(right, left));

describe('rows cut into subtrees', () => {
  it('are all there in order, and the groups are whole branches within the bounds, as large as can be', () => {
    const rng = seededRng(4201);
    for (let round = 0; round < 12; round += 1) {
      const keys = drawKeys(rng, [1, 20, 40, 900, 5000][round % 5] ?? 1);
      const rowBytes = round % 3 === 0 ? 20_000 : 100;
      const cuts = new SubtreeCuts<number>();
      const groups: RowGroup<number>[] = [];
      for (const [index, key] of keys.entries()) groups.push(...cuts.add(key, index, rowBytes));
      groups.push(...cuts.end());
      assert.deepEqual(
        groups.flatMap(({ rows }) => rows),
        keys.map((_, index) => index),
      );
      const keyOf = (index: number): Uint8Array | undefined => keys[index];
      /** How deep the keys beside a run of rows leave it: a branch is what its keys share beyond that. */
      const edgeOf = (first: number, last: number): number => {
        const [before, behind] = [keyOf(first - 1), keyOf(last + 1)];
        const low = before === undefined ? -1 : forkOf(before, keyOf(first) ?? before);
        const high = behind === undefined ? -1 : forkOf(behind, keyOf(last) ?? behind);
        return Math.max(low, high);
      };
      for (const { isSubtree, rows } of groups) {
        const [first, last] = [rows[0] ?? assert.fail(), rows.at(-1) ?? assert.fail()];
        const isSmall =
          rows.length <= SUBTREE.maxRows && rows.length * rowBytes <= SUBTREE.maxBytes;
        const keyBytes = Math.max(keys[first]?.length ?? 0, keys[last]?.length ?? 0);
        const isHeld = keyBytes <= SUBTREE.maxKeyBytes;
        assert.equal(isSubtree, isSmall && isHeld && rows.length >= SUBTREE.minRows);
        if (rows.length === 1) continue;
        const edge = edgeOf(first, last);
        assert.ok(isSmall && forkOf(keys[first] as Uint8Array, keys[last] as Uint8Array) > edge);
        // All below the next branch above are too many.
        let [from, to] = [first, last];
        const shares = (index: number): boolean => {
          const key = keyOf(index);
          return key !== undefined && forkOf(key, keys[first] as Uint8Array) >= edge;
        };
        while (shares(from - 1)) from -= 1;
        while (shares(to + 1)) to += 1;
        const count = to - from + 1;
        const isAll = count === keys.length && edge < 0;
        assert.ok(isAll || count > SUBTREE.maxRows || count * rowBytes > SUBTREE.maxBytes);
      }
    }
  });

  it('are none between keys too long to be held until they are read', () => {
    for (const [keyBytes, isSubtree] of [
      [SUBTREE.maxKeyBytes, true],
      [SUBTREE.maxKeyBytes + 1, false],
    ] as const) {
      const cuts = new SubtreeCuts<number>();
      const groups: RowGroup<number>[] = [];
      for (let index = 0; index < 2 * SUBTREE.minRows; index += 1) {
        const key = new Uint8Array(keyBytes).fill(index, 0, 1);
        groups.push(...cuts.add(key, index, keyBytes));
      }
      groups.push(...cuts.end());
      assert.deepEqual(
        groups.map((group) => [group.isSubtree, group.rows.length]),
        [[isSubtree, 2 * SUBTREE.minRows]],
      );
    }
  });
});
