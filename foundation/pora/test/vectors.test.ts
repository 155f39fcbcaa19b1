import assert from 'node:assert/strict';
import { fromHex, keccak256, toHex } from '@cairn/primitives';
import { pieceRoot } from '../src/check-answer.ts';
import { rangeDigest } from '../src/digests.ts';
import type { PoraKernel } from '../src/kernel.ts';
import { loadPoraKernel } from '../src/load-kernel.ts';
import { recalledSegment } from '../src/range.ts';
import { pieceHash, prepareAttempt, sealPiece, unsealPiece } from '../src/reference.ts';
import { scaleX64 } from '../src/target.ts';
import { vectorPiece, vectorPuzzle, vectorRange, vectorSeal, vectors } from './support.ts';

describe('known answers of 0G’s mining contracts', () => {
  it('are those of the digests, the recalled piece and the scale', () => {
    assert.equal(toHex(rangeDigest(vectorRange)), vectors.rangeDigest);
    const segment = recalledSegment(fromHex(vectors.recallSeed), vectorRange);
    assert.equal((segment ?? 0) * 1024, vectors.chunkStart);
    assert.equal(vectors.chunkStart + vectors.pieceIndex * 16, vectors.recallPosition);
    assert.equal(scaleX64(65_536, 4), BigInt(vectors.scaleX64));
    assert.equal(toHex(pieceRoot(vectorPiece)), vectors.pieceRoot);
  });

  it('are those of the reference', () => {
    const sealed = sealPiece(vectorPiece, vectorSeal);
    const attempt = prepareAttempt(fromHex(vectors.nonce), vectorPuzzle);
    assert.equal(toHex(keccak256(vectorPiece)), vectors.plainKeccak);
    assertSealed(sealed);
    assert.deepEqual(unsealPiece(sealed, vectorSeal), vectorPiece);
    assertAttempt(attempt, attempt.recall);
    assert.equal(toHex(pieceHash(sealed, vectors.pieceIndex, attempt)), vectors.poraHash);
  });

  for (const name of ['simd', 'scalar'] as const) {
    it(`are those of the ${name} kernel`, async () => {
      const kernel = await loadPoraKernel({ kernel: name });
      assert.equal(kernel.name, name);
      kernel.segment.set(vectorPiece);
      const seals = { ...vectorSeal, contexts: [vectorSeal.context] };
      kernel.seal(seals);
      const sealed = kernel.segment.slice(0, 4096);
      assertSealed(sealed);
      kernel.unseal(seals);
      assert.deepEqual(kernel.segment.slice(0, 4096), vectorPiece);
      assertWins(kernel, sealed);
    });
  }
});

function assertSealed(sealed: Uint8Array): void {
  assert.equal(toHex(sealed.subarray(0, 32)), vectors.sealedFirst32);
  assert.equal(toHex(sealed.subarray(-32)), vectors.sealedLast32);
  assert.equal(toHex(keccak256(sealed)), vectors.sealedKeccak);
}

function assertAttempt(
  { seed, pad }: { readonly seed: Uint8Array; readonly pad: Uint8Array },
  recall: Uint8Array,
): void {
  assert.equal(toHex(seed), vectors.padSeed);
  assert.equal(toHex(pad.subarray(0, 64)), vectors.padFirst64);
  assert.equal(toHex(pad.subarray(-64)), vectors.padLast64);
  assert.equal(toHex(keccak256(pad)), vectors.padKeccak);
  assert.equal(toHex(recall), vectors.recallSeed);
}

/** The vectors' piece wins where the limit is its own hash, and not below. */
function assertWins(kernel: PoraKernel, sealed: Uint8Array): void {
  const hash = fromHex(vectors.poraHash);
  const held = Uint8Array.of(1 << vectors.pieceIndex, 0, 0, 0, 0, 0, 0, 0);
  kernel.setPuzzle(vectorPuzzle, hash);
  kernel.prepare(fromHex(vectors.nonce));
  assertAttempt(kernel.attempt(0), kernel.recall(0));
  kernel.segment.set(sealed, vectors.pieceIndex * 4096);
  assert.deepEqual(kernel.find(0, held), { index: vectors.pieceIndex, hash });
  assert.equal(kernel.find(0, held, vectors.pieceIndex + 1), undefined);
  assert.equal(kernel.find(0, new Uint8Array(8)), undefined);
  hash[31] = (hash[31] ?? 0) - 1;
  kernel.setPuzzle(vectorPuzzle, hash);
  kernel.prepare(fromHex(vectors.nonce));
  assert.equal(kernel.find(0, held), undefined);
}
