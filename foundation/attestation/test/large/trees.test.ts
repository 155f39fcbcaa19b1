import assert from 'node:assert/strict';
import { equalBytes, isFault, keccak256 } from '@cairn/primitives';
import fc from 'fast-check';
import {
  emptyRoot,
  leafHash,
  nodeHash,
  rootOfPath,
  treeDepth,
  treePath,
  treeRoot,
} from '../../src/merkle-tree.ts';
import { multiproof, rootOfMultiproof } from '../../src/multiproof.ts';
import { flipBit, SEED } from '../support.ts';

const leafAt = (index: number): Uint8Array => leafHash(Uint8Array.of(index & 255, index >> 8));

/** The definition: zero leaves up to a power of two, then pairs. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let level = [...leaves];
  while (level.length === 0 || Math.log2(level.length) % 1 !== 0) level.push(new Uint8Array(32));
  while (level.length > 1) {
    level = level
      .filter((_, index) => index % 2 === 0)
      .map((left, pair) =>
        keccak256(Uint8Array.of(1), left, level[2 * pair + 1] ?? new Uint8Array()),
      );
  }
  return level[0] ?? new Uint8Array();
}

describe('trees', () => {
  it('have the defined root and depth at every count', () => {
    for (let count = 0; count <= 70; count += 1) {
      const leaves = Array.from({ length: count }, (_, index) => leafAt(index));
      assert.deepEqual(treeRoot(leaves), naiveRoot(leaves), `${count} leaves`);
      assert.equal(treeDepth(count), count < 2 ? 0 : Math.ceil(Math.log2(count)));
    }
    assert.deepEqual(emptyRoot(3), naiveRoot(Array.from({ length: 8 }, () => new Uint8Array(32))));
  });

  it('prove each leaf by exactly as many hashes as they have levels', () => {
    for (let count = 1; count <= 40; count += 1) {
      const leaves = Array.from({ length: count }, (_, index) => leafAt(index));
      const root = treeRoot(leaves);
      for (const [index, leaf] of leaves.entries()) {
        const path = treePath(leaves, index);
        const claim = { leaf, index, count, path };
        assert.deepEqual(rootOfPath(claim), root);
        for (const wrong of [path.slice(1), [...path, root]]) {
          if (wrong.length === path.length) continue;
          assert.throws(
            () => rootOfPath({ ...claim, path: wrong }),
            (error) => isFault(error, 'PATH_LENGTH'),
          );
        }
        for (const wrong of [count, -1, 0.5, Number.NaN]) {
          assert.throws(
            () => rootOfPath({ ...claim, index: wrong }),
            (error) => isFault(error, 'PATH_INDEX'),
          );
        }
        if (path[0] !== undefined) {
          const forged = [flipBit(path[0], 5), ...path.slice(1)];
          assert.notDeepEqual(rootOfPath({ ...claim, path: forged }), root);
        }
      }
    }
  });

  it('never take a node for a leaf, nor a body of 64 bytes for two nodes', () => {
    const [left, right] = [leafAt(0), leafAt(1)];
    const body = new Uint8Array([...left, ...right]);
    assert.ok(!equalBytes(leafHash(body), nodeHash(left, right)));
  });

  it('prove several leaves at once, with the siblings of that set and no other', () => {
    const sets = fc
      .integer({ min: 1, max: 60 })
      .chain((count) =>
        fc.tuple(
          fc.constant(count),
          fc.uniqueArray(fc.nat(count - 1), { minLength: 1, maxLength: count }),
        ),
      );
    fc.assert(
      fc.property(sets, fc.nat(255), ([count, chosen], bit) => {
        const leaves = Array.from({ length: count }, (_, index) => leafAt(index));
        const indexes = [...chosen].sort((a, b) => a - b);
        const siblings = multiproof(leaves, indexes);
        const placed = indexes.map((index) => ({ index, hash: leafAt(index) }));
        const root = treeRoot(leaves);
        const claim = { leaves: placed, count, siblings };
        assert.deepEqual(rootOfMultiproof(claim), root);
        assert.equal(rootOfMultiproof({ ...claim, siblings: [...siblings, root] }), undefined);
        if (siblings.length > 0) {
          assert.equal(rootOfMultiproof({ ...claim, siblings: siblings.slice(1) }), undefined);
          const forged = siblings.map((hash, at) => (at === 0 ? flipBit(hash, bit) : hash));
          assert.notDeepEqual(rootOfMultiproof({ ...claim, siblings: forged }), root);
        }
        const damaged = placed.map((leaf, at) =>
          at === 0 ? { ...leaf, hash: flipBit(leaf.hash, bit) } : leaf,
        );
        assert.notDeepEqual(rootOfMultiproof({ ...claim, leaves: damaged }), root);
        for (const order of [[...placed].reverse(), [...placed, ...placed]]) {
          if (order.length === 1) continue;
          assert.throws(
            () => rootOfMultiproof({ ...claim, leaves: order }),
            (error) => isFault(error, 'PATH_ORDER'),
          );
        }
      }),
      { seed: SEED, numRuns: 150 },
    );
  });

  it('need no siblings for all leaves of a full tree, and prove nothing for none', () => {
    const leaves = Array.from({ length: 16 }, (_, index) => leafAt(index));
    assert.deepEqual(
      multiproof(
        leaves,
        leaves.map((_, index) => index),
      ),
      [],
    );
    assert.equal(rootOfMultiproof({ leaves: [], count: 16, siblings: [] }), undefined);
    assert.equal(rootOfMultiproof({ leaves: [], count: 1, siblings: [] }), undefined);
  });
});
