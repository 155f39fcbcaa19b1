import { bigEndianBytes } from '@cairn/primitives';
import { MAX_RANGE_SECTORS, MAX_TARGET, MAX_TARGET_STEP } from './params.ts';

/** What a target's adjustment goes by, as the contract was set up. */
export interface AdjustmentTerms {
  /** Answers that an epoch is meant to have. */
  readonly targetSubmissions: number;
  /** Epochs over which the target follows: 20 moves it by a twentieth of the difference. */
  readonly adjustRatio: number;
  /** The target stays above none below this difficulty; 0 for no bound. */
  readonly minDifficulty: bigint;
}

/** Bits that an adjustment leaves out, so that a target times a count of answers fits a contract's word. */
const PRECISION_BITS = 16n;
/** Bits of a scale behind the point. */
const SCALE_BITS = 64n;

/**
 * How much rarer a shard's hashes must be than a full range's, times 2^64: what is minable by what
 * the shard has of it.
 *
 * @param flowLength - sectors of the flow at the epoch's context
 */
export function scaleX64(flowLength: number, shards: number): bigint {
  const most = BigInt(MAX_RANGE_SECTORS);
  const length = BigInt(flowLength);
  const share = length / BigInt(shards);
  return (least(length, most) << SCALE_BITS) / least(share, most);
}

/** The largest hash that wins, as a number. */
export function hashLimit(poraTarget: bigint, scale: bigint): bigint {
  const limit = (poraTarget / scale) << SCALE_BITS;
  return limit > MAX_TARGET ? MAX_TARGET : limit;
}

/** The same as the 32 bytes that a kernel compares with. */
export function limitBytes(limit: bigint): Uint8Array {
  return bigEndianBytes(limit, 32);
}

/** The target of a difficulty: hashes of a full range that one win takes on average. */
export function targetOf(difficulty: bigint): bigint {
  return MAX_TARGET / difficulty;
}

/** Attempts, of a whole segment each, that one win takes on average. */
export function expectedAttempts(poraTarget: bigint, scale: bigint, pieces: number): number {
  const limit = hashLimit(poraTarget, scale);
  return Number(MAX_TARGET / (limit + 1n)) / pieces;
}

/**
 * The target after an epoch with so many answers.
 *
 * It moves by a part of the difference towards the target that would have brought the answers
 * meant, at most to twice or half of what it was, and not beyond the least difficulty. Without any
 * answer it doubles.
 */
export function nextTarget(
  poraTarget: bigint,
  submissions: number,
  terms: AdjustmentTerms,
): bigint {
  return targetAfterEpochs(poraTarget, submissions, 1, terms);
}

/**
 * The target after so many epochs, of which the first had answers and the others none.
 *
 * @param epochs - at least 1
 * @see contracts/src/pora/Difficulty.sol, `afterEpochs`
 */
export function targetAfterEpochs(
  poraTarget: bigint,
  submissions: number,
  epochs: number,
  { targetSubmissions, adjustRatio, minDifficulty }: AdjustmentTerms,
): bigint {
  const coarse = most(poraTarget >> PRECISION_BITS, 1n);
  const ratio = BigInt(adjustRatio);
  const highest = coarse * (ratio + 1n); // leads to twice the target
  const expected =
    submissions > 0
      ? least((coarse * BigInt(targetSubmissions)) / BigInt(submissions), highest)
      : highest;
  const moved = (coarse * (ratio - 1n) + expected) / ratio;
  const bounded = least(
    most(most(moved, coarse / MAX_TARGET_STEP), 1n),
    MAX_TARGET >> PRECISION_BITS,
  );
  const easiest = minDifficulty > 0n ? MAX_TARGET / minDifficulty : MAX_TARGET;
  // More doublings than a target has bits change nothing.
  const doublings = BigInt(Math.min(epochs - 1, 256));
  return least(bounded << (PRECISION_BITS + doublings), easiest);
}

function least(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

function most(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}
