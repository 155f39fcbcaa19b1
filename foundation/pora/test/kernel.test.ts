import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PoraKernel, WinningPiece } from '../src/kernel.ts';
import { loadPoraKernel } from '../src/load-kernel.ts';
import { numberOf } from '../src/range.ts';
import { pieceHash, prepareAttempt, sealPiece } from '../src/reference.ts';
import { limitBytes } from '../src/target.ts';
import { SEED, seededBytes } from './support.ts';

const RUNS = { numRuns: process.env['CAIRN_SOAK'] === '1' ? 60 : 6, seed: SEED };

for (const name of ['simd', 'scalar'] as const) {
  describe(`the ${name} kernel`, () => {
    let kernel: PoraKernel;
    before(async () => {
      kernel = await loadPoraKernel({ kernel: name });
    });

    it('prepares each nonce of a batch as the reference does, odd counts too', () => {
      fc.assert(
        fc.property(fc.nat(), fc.integer({ min: 1, max: 4 }), (seed, count) => {
          const puzzle = puzzleOf(seed);
          const nonces = seededBytes(seed + 1, count * 32);
          kernel.setPuzzle(puzzle, new Uint8Array(32));
          kernel.prepare(nonces);
          for (let at = 0; at < count; at += 1) {
            const expected = prepareAttempt(nonces.subarray(at * 32, at * 32 + 32), puzzle);
            const { seed: ours, pad } = kernel.attempt(at);
            assert.deepEqual(
              [ours.slice(), pad.slice(), kernel.recall(at).slice()],
              [expected.seed, expected.pad, expected.recall],
            );
          }
        }),
        RUNS,
      );
    });

    it('seals and unseals pieces of several contexts as the reference does', () => {
      fc.assert(
        fc.property(fc.nat(), fc.integer({ min: 1, max: 3 }), (seed, count) => {
          const [minerId, ...contexts] = words(seed, count + 1);
          if (minerId === undefined) throw new Error('there is a first word');
          const position = (seed % 2 ** 26) * 16;
          const plain = seededBytes(seed + 1, count * 4096);
          kernel.segment.fill(0xab).set(plain);
          kernel.seal({ minerId, position, contexts });
          for (const [piece, context] of contexts.entries()) {
            const start = piece * 4096;
            const at = position + piece * 16;
            assert.deepEqual(
              kernel.segment.slice(start, start + 4096),
              sealPiece(plain.subarray(start, start + 4096), { minerId, context, position: at }),
            );
          }
          kernel.unseal({ minerId, position, contexts });
          assert.deepEqual(kernel.segment.slice(0, plain.length), plain);
          assert.ok(kernel.segment.subarray(plain.length).every((byte) => byte === 0xab));
        }),
        RUNS,
      );
    });

    it('finds exactly the held pieces whose hash is not above the limit', () => {
      fc.assert(
        fc.property(fc.nat(), fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), (seed, heldBits) => {
          const puzzle = puzzleOf(seed);
          const nonce = seededBytes(seed + 1, 32);
          const segment = seededBytes(seed + 2, 262_144);
          const attempt = prepareAttempt(nonce, puzzle);
          const hashes = Array.from({ length: 64 }, (_, index) =>
            pieceHash(segment.subarray(index * 4096, index * 4096 + 4096), index, attempt),
          );
          const held = heldPieces(heldBits);
          const limit = hashes.map(numberOf).sort((a, b) => (a < b ? -1 : 1))[20] ?? 0n;
          kernel.setPuzzle(puzzle, limitBytes(limit));
          kernel.prepare(nonce);
          kernel.segment.set(segment);
          const expected = hashes.flatMap((hash, index) =>
            held(index) && numberOf(hash) <= limit ? [{ index, hash }] : [],
          );
          assert.deepEqual(allWins(kernel, heldBits), expected);
        }),
        RUNS,
      );
    });

    it('says which pieces are zeros only', () => {
      kernel.segment.fill(0);
      kernel.segment[4096 * 9 + 4095] = 1;
      assert.deepEqual(kernel.zeroPieces(), Uint8Array.of(255, 0xfd, 255, 255, 255, 255, 255, 255));
    });

    it('refuses more nonces than a batch, and pieces beyond a segment', () => {
      assert.throws(() => kernel.prepare(new Uint8Array((kernel.batch + 1) * 32)), RangeError);
      assert.throws(() => kernel.prepare(new Uint8Array(33)), RangeError);
      const contexts = Array.from({ length: 65 }, () => new Uint8Array(32));
      assert.throws(
        () => kernel.seal({ minerId: new Uint8Array(32), position: 0, contexts }),
        RangeError,
      );
    });
  });
}

function allWins(kernel: PoraKernel, heldBits: bigint): WinningPiece[] {
  const held = new Uint8Array(8);
  new DataView(held.buffer).setBigUint64(0, heldBits, true);
  const wins: WinningPiece[] = [];
  for (let first = 0; first < 64; ) {
    const win = kernel.find(0, held, first);
    if (win === undefined) break;
    wins.push(win);
    first = win.index + 1;
  }
  return wins;
}

function heldPieces(bits: bigint): (index: number) => boolean {
  return (index) => ((bits >> BigInt(index)) & 1n) === 1n;
}

function words(seed: number, count: number): Uint8Array[] {
  const bytes = seededBytes(seed, count * 32);
  return Array.from({ length: count }, (_, at) => bytes.slice(at * 32, at * 32 + 32));
}

function puzzleOf(seed: number): {
  readonly minerId: Uint8Array;
  readonly subtask: Uint8Array;
  readonly range: Uint8Array;
} {
  const [minerId, subtask, range] = words(seed, 3);
  if (minerId === undefined || subtask === undefined || range === undefined) {
    throw new Error('three words are there');
  }
  return { minerId, subtask, range };
}
