import { type Hasher, nobleHasher, zeroSubtreeRoot } from '@cairn/commitments';
import { equalBytes, fromHex, SECTOR_BYTES, toHex } from '@cairn/primitives';
import { EMPTY_DIGEST, rangeDigest } from './digests.ts';
import { PoraError } from './errors.ts';
import { PIECE_HEIGHT, PIECE_SECTORS, RECALL_SECTORS, SEGMENT_PIECES } from './params.ts';
import { checkRange, numberOf, type RecallRange, requireRecalled } from './range.ts';
import { pieceHash, prepareAttempt, unsealPiece } from './reference.ts';
import { hashLimit, limitBytes, scaleX64 } from './target.ts';

/** A hash that won and what proves it: what is sent to the mining contract. Digests are 32 bytes. */
export interface PoraAnswer {
  readonly contextDigest: Uint8Array;
  readonly nonce: Uint8Array;
  readonly minerId: Uint8Array;
  readonly range: RecallRange;
  /** First sector of the piece. */
  readonly recallPosition: number;
  /** The piece's place in its segment, 0 … 63. */
  readonly pieceIndex: number;
  /** The context that the piece was sealed with. */
  readonly sealedContextDigest: Uint8Array;
  /** The sealed piece: 4,096 bytes. */
  readonly sealed: Uint8Array;
  /** Siblings from the piece's tree up to the flow's root, 32 bytes each. */
  readonly siblings: readonly Uint8Array[];
}

/** What an answer is checked against, as the contract has it now. */
export interface AnswerTerms {
  readonly contextDigest: Uint8Array;
  readonly flowRoot: Uint8Array;
  /** Sectors. */
  readonly flowLength: number;
  readonly subtaskDigest: Uint8Array;
  readonly poraTarget: bigint;
  readonly maxShards: number;
  /** Sectors whose last seal context is the answer's: from `start`, before `end`. */
  readonly sealedRange: { readonly start: number; readonly end: number };
}

/**
 * Checks an answer as the contract would and gives its hash: 32 bytes. What only the chain knows is
 * not checked: whether the window is open, the id is registered and the hash was answered before.
 *
 * Takes about 10 ms: a pad and two hundred hashes in plain JavaScript.
 *
 * @throws {PoraError} the first of its codes that holds
 */
export function checkAnswer(
  answer: PoraAnswer,
  terms: AnswerTerms,
  hasher: Pick<Hasher, 'hashMany'> = nobleHasher,
): Uint8Array {
  checkContext(answer, terms);
  const shards = checkRange(answer.range, terms);
  checkSealContext(answer, terms);
  const attempt = prepareAttempt(answer.nonce, {
    minerId: answer.minerId,
    subtask: terms.subtaskDigest,
    range: rangeDigest(answer.range),
  });
  checkPosition(answer, requireRecalled(attempt.recall, answer.range));
  checkContent(answer, terms, hasher);
  const hash = pieceHash(answer.sealed, answer.pieceIndex, attempt);
  const limit = hashLimit(terms.poraTarget, scaleX64(terms.flowLength, shards));
  if (numberOf(hash) > limit) {
    const facts = {
      code: 'PORA_QUALITY',
      hash: toHex(hash),
      limit: toHex(limitBytes(limit)),
    } as const;
    throw new PoraError(facts, `the hash ${facts.hash} is above ${facts.limit}`);
  }
  return hash;
}

function checkContext({ contextDigest }: PoraAnswer, terms: AnswerTerms): void {
  if (equalBytes(terms.contextDigest, fromHex(EMPTY_DIGEST))) {
    throw new PoraError({ code: 'PORA_EMPTY_CONTEXT' }, 'this epoch cannot be mined');
  }
  if (equalBytes(contextDigest, terms.contextDigest)) return;
  const expected = toHex(terms.contextDigest);
  const actual = toHex(contextDigest);
  const text = `the answer is to context ${actual}, the epoch's is ${expected}`;
  throw new PoraError({ code: 'PORA_STALE_CONTEXT', expected, actual }, text);
}

function checkSealContext(answer: PoraAnswer, { sealedRange: { start, end } }: AnswerTerms): void {
  const position = answer.recallPosition;
  const after = position + PIECE_SECTORS;
  if (start < after && end >= after) return;
  const text = `the piece at sector ${position} was sealed with a context of sectors ${start} to ${end}`;
  throw new PoraError({ code: 'PORA_SEAL_CONTEXT', position, start, end }, text);
}

function checkPosition({ pieceIndex, recallPosition }: PoraAnswer, segment: number): void {
  if (!Number.isInteger(pieceIndex) || pieceIndex < 0 || pieceIndex >= SEGMENT_PIECES) {
    const text = `a segment has ${SEGMENT_PIECES} pieces, none of index ${pieceIndex}`;
    const facts = { code: 'PORA_PIECE_INDEX', index: pieceIndex, pieces: SEGMENT_PIECES } as const;
    throw new PoraError(facts, text);
  }
  const expected = segment * RECALL_SECTORS + pieceIndex * PIECE_SECTORS;
  if (recallPosition === expected) return;
  const text = `the nonce recalls sector ${expected}, the answer shows sector ${recallPosition}`;
  throw new PoraError({ code: 'PORA_WRONG_POSITION', expected, actual: recallPosition }, text);
}

/** That the piece is what lies there in the flow, and not zeros. */
function checkContent(
  answer: PoraAnswer,
  terms: AnswerTerms,
  hasher: Pick<Hasher, 'hashMany'>,
): void {
  const plain = unsealPiece(answer.sealed, {
    minerId: answer.minerId,
    context: answer.sealedContextDigest,
    position: answer.recallPosition,
  });
  const piece = pieceRoot(plain, hasher);
  if (equalBytes(piece, zeroSubtreeRoot(PIECE_HEIGHT))) {
    const text = `the piece at sector ${answer.recallPosition} is zeros`;
    throw new PoraError({ code: 'PORA_ZERO_PIECE', position: answer.recallPosition }, text);
  }
  let node = piece;
  let index = answer.recallPosition / PIECE_SECTORS;
  for (const sibling of answer.siblings) {
    const pair = index % 2 === 0 ? [node, sibling] : [sibling, node];
    node = hashPair(pair, hasher);
    index = Math.floor(index / 2);
  }
  if (equalBytes(node, terms.flowRoot)) return;
  const expected = toHex(terms.flowRoot);
  const actual = toHex(node);
  const text = `the piece leads to the flow root ${actual}, the epoch's is ${expected}`;
  throw new PoraError({ code: 'PORA_WRONG_ROOT', expected, actual }, text);
}

/** Root over a piece's 16 sectors: 32 bytes. */
export function pieceRoot(
  plain: Uint8Array,
  hasher: Pick<Hasher, 'hashMany'> = nobleHasher,
): Uint8Array {
  let nodes = hasher.hashMany(plain, SECTOR_BYTES);
  while (nodes.length > 32) nodes = hasher.hashMany(nodes, 64);
  return nodes;
}

function hashPair(pair: readonly Uint8Array[], hasher: Pick<Hasher, 'hashMany'>): Uint8Array {
  const both = new Uint8Array(64);
  for (const [place, hash] of pair.entries()) both.set(hash, place * 32);
  return hasher.hashMany(both, 64);
}
