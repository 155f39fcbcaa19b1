import assert from 'node:assert/strict';
import { keccak256, toHex } from '@cairn/primitives';
import { ZERO_HASHES, zeroSubtreeRoot } from '../src/zero-hashes.ts';
import { vectors } from './support.ts';

describe('zero hashes', () => {
  it('are what hashing zeros gives, and what the log contract hard-codes', () => {
    let root = keccak256(new Uint8Array(256));
    for (let height = 0; height < 64; height += 1) {
      assert.equal(toHex(zeroSubtreeRoot(height)), toHex(root));
      root = keccak256(root, root);
    }
    assert.deepEqual(ZERO_HASHES, vectors.constants.zeroHashes);
  });

  it('end at height 63', () => {
    assert.throws(() => zeroSubtreeRoot(64), RangeError);
    assert.throws(() => zeroSubtreeRoot(-1), RangeError);
  });

  it('are copies: a caller cannot change the table', () => {
    zeroSubtreeRoot(3).fill(1);
    assert.equal(toHex(zeroSubtreeRoot(3)), ZERO_HASHES[3]);
  });
});
