import { isPowerOfTwo, toHex } from '@cairn/primitives';
import { word } from './digests.ts';
import { PoraError } from './errors.ts';
import { MAX_RANGE_SECTORS, PRICING_SECTORS, RECALL_SECTORS } from './params.ts';

/** What part of the flow a nonce may recall, as an answer tells it. Lengths in sectors. */
export interface RecallRange {
  readonly startPosition: number;
  readonly mineLength: number;
  /** Bits that recalled segments' indexes have where the mask is zero. */
  readonly shardId: bigint;
  /** 64 bits: zeros where the shard fixes a segment's index. */
  readonly shardMask: bigint;
}

/** What a range is checked against. */
export interface RangeTerms {
  /** Sectors of the flow at the epoch's context. */
  readonly flowLength: number;
  readonly maxShards: number;
}

const ALL_BITS = 2n ** 64n - 1n;

/** Sectors of the flow that can be recalled: its whole segments. */
export function minableLength(flowLength: number): number {
  return Math.floor(flowLength / RECALL_SECTORS) * RECALL_SECTORS;
}

/**
 * The range of a shard: all there is, or, of a longer flow, the most that may be mined from the
 * last place at or before `from` on.
 *
 * @param shard - `count` is a power of two
 * @param from - sector where mining is to begin, if there is a choice
 */
export function rangeOfShard(
  shard: { readonly id: number; readonly count: number },
  flowLength: number,
  from = 0,
): RecallRange {
  if (!isPowerOfTwo(shard.count)) throw new RangeError(`${shard.count} is no power of two`);
  const whole = minableLength(flowLength);
  const mineLength = Math.min(whole, MAX_RANGE_SECTORS * shard.count);
  const latest = Math.min(from, whole - mineLength);
  return {
    startPosition: Math.floor(latest / PRICING_SECTORS) * PRICING_SECTORS,
    mineLength,
    shardId: BigInt(shard.id),
    shardMask: ALL_BITS - BigInt(shard.count - 1),
  };
}

/**
 * Shards that a mask divides the flow into.
 *
 * @throws {PoraError} PORA_SHARD_MASK unless the zero bits are the lowest ones: other masks pick
 * single stretches of the flow
 */
export function shardsOfMask(shardMask: bigint): number {
  const zeros = ALL_BITS - shardMask;
  if (shardMask < 0n || zeros < 0n || (zeros & (zeros + 1n)) !== 0n) {
    const facts = { code: 'PORA_SHARD_MASK', shardMask: toHex(word(shardMask)) } as const;
    throw new PoraError(facts, `the zero bits of the mask ${facts.shardMask} are not the lowest`);
  }
  return Number(zeros + 1n);
}

/**
 * Checks a range as the contract does and gives its number of shards.
 *
 * @throws {PoraError} PORA_SHARD_MASK, PORA_SHARD_ID, PORA_SHARD_COUNT, PORA_RANGE_START,
 * PORA_RANGE_END, PORA_RANGE_LENGTH
 */
export function checkRange(range: RecallRange, { flowLength, maxShards }: RangeTerms): number {
  const { startPosition, mineLength, shardId, shardMask } = range;
  const shards = shardsOfMask(shardMask);
  if (shards > maxShards) {
    const text = `the range is of one of ${shards} shards, ${maxShards} are allowed`;
    throw new PoraError({ code: 'PORA_SHARD_COUNT', shards, maxShards }, text);
  }
  if ((shardId & shardMask) !== 0n) {
    const text = `there is no shard ${shardId} of ${shards}`;
    throw new PoraError({ code: 'PORA_SHARD_ID', shardId, shards }, text);
  }
  if (startPosition % PRICING_SECTORS !== 0) {
    const text = `the range begins at sector ${startPosition}, no multiple of ${PRICING_SECTORS}`;
    const facts = { code: 'PORA_RANGE_START', startPosition, step: PRICING_SECTORS } as const;
    throw new PoraError(facts, text);
  }
  const whole = minableLength(flowLength);
  const end = startPosition + mineLength;
  if (end > whole || mineLength % RECALL_SECTORS !== 0) {
    const text = `the range ends at sector ${end}; the flow has whole segments up to ${whole}`;
    throw new PoraError({ code: 'PORA_RANGE_END', end, minableLength: whole }, text);
  }
  const required = Math.min(whole, MAX_RANGE_SECTORS * shards);
  if (mineLength !== required || required === 0) {
    const text = `the range has ${mineLength} sectors, one of ${shards} shards has ${required}`;
    throw new PoraError({ code: 'PORA_RANGE_LENGTH', mineLength, required }, text);
  }
  return shards;
}

/**
 * Index in the flow of the segment that a nonce recalls; `undefined` where its shard has none
 * there, since the shard's bits lead past the range's end.
 *
 * @param recallSeed - 32 bytes, as the pad leaves them
 */
export function recalledSegment(recallSeed: Uint8Array, range: RecallRange): number | undefined {
  const segments = range.mineLength / RECALL_SECTORS;
  const chunk = recalledChunk(recallSeed, range);
  if (chunk >= BigInt(segments)) return undefined;
  return range.startPosition / RECALL_SECTORS + Number(chunk);
}

/**
 * The same, where there has to be one.
 *
 * @throws {PoraError} PORA_RECALL_OUTSIDE
 */
export function requireRecalled(recallSeed: Uint8Array, range: RecallRange): number {
  const segment = recalledSegment(recallSeed, range);
  if (segment !== undefined) return segment;
  const segments = range.mineLength / RECALL_SECTORS;
  const chunk = recalledChunk(recallSeed, range);
  const text = `the nonce recalls segment ${chunk} of a range of ${segments}`;
  throw new PoraError({ code: 'PORA_RECALL_OUTSIDE', segment: chunk, segments }, text);
}

function recalledChunk(recallSeed: Uint8Array, range: RecallRange): bigint {
  const origin = numberOf(recallSeed) % BigInt(range.mineLength / RECALL_SECTORS);
  return (origin & range.shardMask) | range.shardId;
}

/** The number that 32 bytes are, big-endian. */
export function numberOf(bytes: Uint8Array): bigint {
  return BigInt(toHex(bytes));
}
