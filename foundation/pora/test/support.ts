import { readFileSync } from 'node:fs';
import { fromHex, seededRng } from '@cairn/primitives';
import type { PoraAnswer } from '../src/check-answer.ts';
import { PIECE_BYTES } from '../src/params.ts';
import type { RecallRange } from '../src/range.ts';

/** Known answers; the file says whose. */
export const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/pora.json', import.meta.url), 'utf8'),
) as Readonly<Record<VectorText, string>> & {
  readonly range: {
    readonly startPosition: number;
    readonly mineLength: number;
    readonly shardId: number;
    readonly shardMask: string;
  };
  readonly pieceIndex: number;
  readonly chunkStart: number;
  readonly recallPosition: number;
};

type VectorText =
  | 'minerId'
  | 'nonce'
  | 'subtaskDigest'
  | 'sealContext'
  | 'rangeDigest'
  | 'padSeed'
  | 'padFirst64'
  | 'padLast64'
  | 'padKeccak'
  | 'recallSeed'
  | 'sealedFirst32'
  | 'sealedLast32'
  | 'sealedKeccak'
  | 'plainKeccak'
  | 'pieceRoot'
  | 'poraHash'
  | 'scaleX64';

/** The vectors' range. */
export const vectorRange: RecallRange = {
  startPosition: vectors.range.startPosition,
  mineLength: vectors.range.mineLength,
  shardId: BigInt(vectors.range.shardId),
  shardMask: BigInt(vectors.range.shardMask),
};

/** The vectors' piece: byte i is (31·i + ⌊i / 256⌋) mod 256. */
export const vectorPiece: Uint8Array = Uint8Array.from(
  { length: PIECE_BYTES },
  (_, index) => (31 * index + Math.floor(index / 256)) & 255,
);

/** What the vectors' hashes of attempts share. */
export const vectorPuzzle = {
  minerId: fromHex(vectors.minerId),
  subtask: fromHex(vectors.subtaskDigest),
  range: fromHex(vectors.rangeDigest),
};

/** What the vectors' piece is sealed for. */
export const vectorSeal = {
  minerId: fromHex(vectors.minerId),
  context: fromHex(vectors.sealContext),
  position: vectors.recallPosition,
};

/** The vectors' answer, without the way up the flow. */
export function vectorAnswer(sealed: Uint8Array, contextDigest: Uint8Array): PoraAnswer {
  return {
    contextDigest,
    nonce: fromHex(vectors.nonce),
    minerId: fromHex(vectors.minerId),
    range: vectorRange,
    recallPosition: vectors.recallPosition,
    pieceIndex: vectors.pieceIndex,
    sealedContextDigest: fromHex(vectors.sealContext),
    sealed,
    siblings: [],
  };
}

/** Seed of all random cases; fast-check prints it when one fails. */
export const SEED = 20_261_122;

/** `count` bytes that follow from a seed. */
export function seededBytes(seed: number, count: number): Uint8Array {
  return seededRng(seed).fill(new Uint8Array(count));
}
