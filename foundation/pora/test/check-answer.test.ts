import assert from 'node:assert/strict';
import { fromHex, isFault, keccak256, toHex } from '@cairn/primitives';
import { type AnswerTerms, checkAnswer, type PoraAnswer } from '../src/check-answer.ts';
import {
  contextDigest,
  EMPTY_DIGEST,
  minerIdOf,
  subtaskDigest,
  subtaskIndex,
} from '../src/digests.ts';
import { numberOf } from '../src/range.ts';
import { sealPiece } from '../src/reference.ts';
import { scaleX64, targetOf } from '../src/target.ts';
import { vectorAnswer, vectorPiece, vectorSeal, vectors } from './support.ts';

const context = new Uint8Array(32).fill(0x55);

/** A flow of 65,536 sectors whose siblings on the way from the piece are made up. */
const siblings = Array.from({ length: 12 }, (_, level) => new Uint8Array(32).fill(level + 1));

function flowRootOver(piece: string, position: number): Uint8Array {
  let node = fromHex(piece);
  let index = position / 16;
  for (const sibling of siblings) {
    node = index % 2 === 0 ? keccak256(node, sibling) : keccak256(sibling, node);
    index = Math.floor(index / 2);
  }
  return node;
}

const answer: PoraAnswer = {
  ...vectorAnswer(sealPiece(vectorPiece, vectorSeal), context),
  siblings,
};
const poraTarget = ((numberOf(fromHex(vectors.poraHash)) >> 64n) + 1n) * scaleX64(65_536, 4);
const terms: AnswerTerms = {
  contextDigest: context,
  flowRoot: flowRootOver(vectors.pieceRoot, vectors.recallPosition),
  flowLength: 65_536,
  subtaskDigest: fromHex(vectors.subtaskDigest),
  // A full range would win always: the vectors' hash is large.
  poraTarget,
  maxShards: 4,
  sealedRange: { start: 0, end: 65_536 },
};

function codeOf(change: Partial<PoraAnswer>, on: Partial<AnswerTerms> = {}): string {
  try {
    checkAnswer({ ...answer, ...change }, { ...terms, ...on });
  } catch (error) {
    if (isFault(error)) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('an answer', () => {
  it('is accepted with everything in its place, and its hash told', () => {
    assert.equal(toHex(checkAnswer(answer, terms)), vectors.poraHash);
  });

  it('is refused by name for whatever the contract would refuse', () => {
    const empty = fromHex(EMPTY_DIGEST);
    const wrong = (bytes: Uint8Array): Uint8Array =>
      bytes.map((byte, at) => (at === 9 ? byte ^ 1 : byte));
    assert.equal(codeOf({ contextDigest: wrong(context) }), 'PORA_STALE_CONTEXT');
    assert.equal(codeOf({ contextDigest: empty }, { contextDigest: empty }), 'PORA_EMPTY_CONTEXT');
    assert.equal(codeOf({}, { maxShards: 2 }), 'PORA_SHARD_COUNT');
    assert.equal(codeOf({}, { flowLength: 65_535 }), 'PORA_RANGE_END');
    assert.equal(codeOf({}, { flowLength: 70_000 }), 'PORA_RANGE_LENGTH');
    assert.equal(codeOf({ nonce: wrong(answer.nonce) }), 'PORA_WRONG_POSITION');
    assert.equal(codeOf({ minerId: wrong(answer.minerId) }), 'PORA_WRONG_POSITION');
    assert.equal(codeOf({}, { subtaskDigest: wrong(terms.subtaskDigest) }), 'PORA_WRONG_POSITION');
    assert.equal(codeOf({ recallPosition: vectors.recallPosition + 16 }), 'PORA_WRONG_POSITION');
    assert.equal(codeOf({ pieceIndex: 7 }), 'PORA_WRONG_POSITION');
    assert.equal(codeOf({ pieceIndex: 64 }), 'PORA_PIECE_INDEX');
    assert.equal(codeOf({ sealed: wrong(answer.sealed) }), 'PORA_WRONG_ROOT');
    assert.equal(codeOf({ sealedContextDigest: wrong(context) }), 'PORA_WRONG_ROOT');
    assert.equal(codeOf({ siblings: siblings.slice(1) }), 'PORA_WRONG_ROOT');
    assert.equal(codeOf({}, { flowRoot: wrong(terms.flowRoot) }), 'PORA_WRONG_ROOT');
    assert.equal(codeOf({}, { poraTarget: targetOf(1000n) }), 'PORA_QUALITY');
  });

  it('needs the context that holds the piece’s last sector', () => {
    const last = vectors.recallPosition + 16;
    assert.equal(codeOf({}, { sealedRange: { start: last - 1, end: last } }), 'accepted');
    assert.equal(codeOf({}, { sealedRange: { start: last, end: last + 9 } }), 'PORA_SEAL_CONTEXT');
    assert.equal(codeOf({}, { sealedRange: { start: 0, end: last - 1 } }), 'PORA_SEAL_CONTEXT');
  });

  it('does not pass with a piece of zeros, which anyone can seal', () => {
    const sealed = sealPiece(new Uint8Array(4096), vectorSeal);
    const zeroRoot = '0x09c7082879180d28c789c05fafe7030871c76cedbe82c948b165d6a1d66ac15b';
    const flowRoot = flowRootOver(zeroRoot, vectors.recallPosition);
    assert.equal(codeOf({ sealed }, { flowRoot }), 'PORA_ZERO_PIECE');
  });

  it('wins by a hash at the limit and not by one above it', () => {
    const hash = numberOf(fromHex(vectors.poraHash));
    const limited = (limit: bigint): string =>
      codeOf({}, { poraTarget: (limit >> 64n) * scaleX64(65_536, 4) });
    assert.equal(limited(hash + (1n << 64n)), 'accepted');
    assert.equal(limited(hash), 'PORA_QUALITY'); // its last 64 bits are not zeros
  });
});

describe('digests', () => {
  it('are keccak-256 of their parts as contracts pack them', () => {
    const a = new Uint8Array(32).fill(1);
    const b = new Uint8Array(32).fill(2);
    const length = new Uint8Array(32);
    length[31] = 77;
    assert.deepEqual(contextDigest(a, b, 77), keccak256(a, b, length));
    assert.deepEqual(subtaskDigest(a, b), keccak256(a, b));
    assert.equal(BigInt(subtaskIndex(a, b, 7)), numberOf(keccak256(a, b)) % 7n);
    const sender = `0x${'ab'.repeat(20)}`;
    const seed = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2);
    const id = minerIdOf({ parentHash: a, sender, seed: 258 });
    assert.deepEqual(id, keccak256(a, fromHex(sender), seed));
    assert.equal(toHex(keccak256(new Uint8Array(0))), EMPTY_DIGEST);
  });
});
