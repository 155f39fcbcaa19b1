import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { concatBytes, equalBytes, seededRng } from '@cairn/primitives';
import {
  plainBlake3Suite,
  type RowDomain,
  RowTree,
  rowPathRoot,
  sha256Suite,
} from '../src/rows.ts';

const DOMAINS: readonly RowDomain[] = ['rows', 'challenge', 'commitment', 'placement'];

for (const suite of [plainBlake3Suite, sha256Suite]) {
  describe(`the ${suite.name} suite`, () => {
    const rng = seededRng(3);

    it('hashes each row and each pair by itself', () => {
      const rows = rng.fill(new Uint8Array(4 * 128));
      const leaves = suite.leaves(rows, 128);
      assert.equal(leaves.length, 4 * 32);
      assert.ok(equalBytes(leaves.subarray(32, 64), suite.leaves(rows.subarray(128, 256), 128)));
      const parents = suite.parents(leaves);
      assert.ok(equalBytes(parents.subarray(32), suite.parents(leaves.subarray(64))));
      assert.throws(() => suite.leaves(rows, 100), RangeError);
      assert.throws(() => suite.parents(leaves.subarray(0, 96)), RangeError);
    });

    it('keeps every use apart from the others', () => {
      const bytes = rng.fill(new Uint8Array(64));
      const all = [
        suite.leaves(bytes, 64),
        suite.parents(bytes),
        suite.expand(bytes, 32),
        ...DOMAINS.map((domain) => suite.digest(domain, [bytes])),
      ].map((hash) => Buffer.from(hash).toString('hex'));
      assert.equal(new Set(all).size, all.length);
    });

    it('expands a seed to any length, each the beginning of the next', () => {
      const seed = rng.fill(new Uint8Array(32));
      const long = suite.expand(seed, 1000);
      assert.equal(long.length, 1000);
      for (const length of [0, 1, 31, 32, 33, 64, 999]) {
        assert.ok(equalBytes(suite.expand(seed, length), long.subarray(0, length)));
      }
    });

    it('proves each row of a tree, at its place only', () => {
      const leaves = suite.leaves(rng.fill(new Uint8Array(8 * 64)), 64);
      const tree = RowTree.fromLeaves(suite, leaves);
      for (let index = 0; index < 8; index += 1) {
        const leaf = leaves.subarray(index * 32, index * 32 + 32);
        assert.ok(equalBytes(rowPathRoot(suite, leaf, index, tree.pathAt(index)), tree.root));
        assert.ok(!equalBytes(rowPathRoot(suite, leaf, index ^ 1, tree.pathAt(index)), tree.root));
      }
      assert.throws(() => tree.pathAt(8), RangeError);
      assert.throws(() => RowTree.fromLeaves(suite, leaves.subarray(0, 96)), RangeError);
    });
  });
}

describe('the SHA-256 suite on a chain', () => {
  it('is plain SHA-256 of a tag byte and the bytes, as contracts compute it', () => {
    const hash = (...parts: readonly Uint8Array[]): Buffer =>
      createHash('sha256')
        .update(concatBytes(...parts))
        .digest();
    const row = seededRng(4).fill(new Uint8Array(256));
    assert.ok(hash(Uint8Array.of(0), row).equals(sha256Suite.leaves(row, 256)));
    assert.ok(
      hash(Uint8Array.of(1), row.subarray(0, 64)).equals(sha256Suite.parents(row.subarray(0, 64))),
    );
    assert.ok(hash(Uint8Array.of(2), row).equals(sha256Suite.digest('rows', [row])));
  });
});
