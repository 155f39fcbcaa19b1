import { bigEndianBytes, fromHex, type Hex, keccak256, toHex } from '@cairn/primitives';
import type { RecallRange } from './range.ts';

const WORD = 32;

/** Keccak-256 of nothing: what a contract gives as the digest of an epoch that cannot be mined. */
export const EMPTY_DIGEST: Hex =
  '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470';

/** A number as the 32 bytes that contracts hash. @throws {RangeError} if it does not fit */
export function word(value: number | bigint): Uint8Array {
  return bigEndianBytes(value, WORD);
}

/** Digest of the range that an answer mined: 32 bytes. The shard's id stands before its mask. */
export function rangeDigest({
  startPosition,
  mineLength,
  shardId,
  shardMask,
}: RecallRange): Uint8Array {
  return keccak256(word(startPosition), word(mineLength), word(shardId), word(shardMask));
}

/** Digest of an epoch's context: of its block, the flow's root and the flow's length in sectors. */
export function contextDigest(
  blockDigest: Uint8Array,
  flowRoot: Uint8Array,
  flowLength: number,
): Uint8Array {
  return keccak256(blockDigest, flowRoot, word(flowLength));
}

/** Which of an epoch's windows a miner has. */
export function subtaskIndex(context: Uint8Array, minerId: Uint8Array, subtasks: number): number {
  const drawn = BigInt(toHex(keccak256(context, minerId)));
  return Number(drawn % BigInt(subtasks));
}

/** What a miner's attempts of an epoch hash: the context and the hash of its window's first block. */
export function subtaskDigest(context: Uint8Array, startBlockHash: Uint8Array): Uint8Array {
  return keccak256(context, startBlockHash);
}

/** The id that a contract gives to who asks for one: 32 bytes. */
export function minerIdOf(request: {
  /** Hash of the block before the request's, 32 bytes. */
  readonly parentHash: Uint8Array;
  /** Who sends the request: `0x` and 40 digits. */
  readonly sender: string;
  /** Tells the ids of one sender apart. */
  readonly seed: number;
}): Uint8Array {
  return keccak256(request.parentHash, fromHex(request.sender), bigEndianBytes(request.seed, 8));
}
