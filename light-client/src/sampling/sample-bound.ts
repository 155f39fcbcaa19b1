import { SampleError } from '../errors.ts';

/** Rows that one sample asks for at most. */
export const MAX_DRAWN_ROWS = 512;

/** What a draw is made from. */
export interface RowOdds {
  /** Rows that give the blob back: K. */
  readonly needed: number;
  /** Rows that the draw is made from. */
  readonly rows: number;
}

/** A part of a whole, in whole numbers: 4 / 5. */
export interface Fraction {
  readonly part: number;
  readonly whole: number;
}

/** What a sample has to show. */
export interface SampleTarget {
  /** A blob of which too few rows are served passes with a probability of at most 2^-bits; 1 … 128. */
  readonly bits: number;
  /** The part of the rows that is served on a day that shall not raise an alarm. */
  readonly served: Fraction;
  /** On such a day one sample in so many fails, or fewer. */
  readonly oneFalseAlarmIn: number;
}

/** 2^-40, and less than one false alarm in a million while four fifths of the rows are served. */
export const DEFAULT_TARGET: SampleTarget = {
  bits: 40,
  served: { part: 4, whole: 5 },
  oneFalseAlarmIn: 1_000_000,
};

/** How many rows to draw, and how many of them have to be answered. */
export interface SamplePlan {
  readonly drawn: number;
  readonly answers: number;
}

/**
 * What so many answers show: if fewer than `needed` of the rows were served, then so many of a
 * private draw would be answered with a probability of at most 2^-bits. Exact, rounded down to whole
 * bits; drawing different rows only makes it smaller.
 *
 * @throws {RangeError} for more answers than draws, or odds that are none
 * @see README.md, "The threshold test": P[Bin(drawn, needed / rows) ≥ answers]
 */
export function sampleBound(sample: SamplePlan, odds: RowOdds): number {
  const { drawn, answers } = sample;
  assertOdds(odds);
  assertDrawn(drawn);
  if (!Number.isInteger(answers) || answers < 0 || answers > drawn) {
    throw new RangeError(`of ${drawn} rows 0 to ${drawn} are answered, not ${answers}`);
  }
  const tries = new Tries({ part: odds.needed, whole: odds.rows });
  for (let draw = 0; draw < drawn; draw += 1) tries.addOne();
  return log2Floor(tries.total / tries.atLeast(answers));
}

/**
 * The least number of answers of `drawn` rows that shows what `bits` asks; `undefined` where all of
 * them together do not.
 *
 * @throws {RangeError} for bits or rows beyond their bounds
 */
export function requiredAnswers(drawn: number, bits: number, odds: RowOdds): number | undefined {
  assertOdds(odds);
  assertDrawn(drawn);
  assertBits(bits);
  const tries = new Tries({ part: odds.needed, whole: odds.rows });
  for (let draw = 0; draw < drawn; draw += 1) tries.addOne();
  return tries.leastWithin(bits);
}

/**
 * The smallest sample that shows what a target asks and raises few enough false alarms.
 *
 * Cost: under 20 ms for a hundred rows, a second at the bound.
 *
 * @throws {SampleError} SAMPLE_TARGET if no sample of up to 512 rows does, as where hardly more rows
 *   are served than give the blob back
 */
export function planSample(odds: RowOdds, target: SampleTarget = DEFAULT_TARGET): SamplePlan {
  assertOdds(odds);
  const { bits, served, oneFalseAlarmIn } = target;
  assertTarget(target);
  const withheld = new Tries({ part: odds.needed, whole: odds.rows });
  const usual = new Tries(served);
  const most = Math.min(MAX_DRAWN_ROWS, odds.rows);
  for (let drawn = 1; drawn <= most; drawn += 1) {
    withheld.addOne();
    usual.addOne();
    const answers = withheld.leastWithin(bits);
    if (answers === undefined) continue;
    const alarms = usual.total - usual.atLeast(answers);
    if (alarms * BigInt(oneFalseAlarmIn) <= usual.total) return { drawn, answers };
  }
  throw new SampleError(
    { code: 'SAMPLE_TARGET', bits, served, maxRows: most },
    `no sample of up to ${most} rows shows 2^-${bits} while ${served.part}/${served.whole} of them are served`,
  );
}

/** Tries that succeed alike and apart from each other: how often how many do, in whole numbers. */
class Tries {
  readonly #part: bigint;
  readonly #rest: bigint;
  /** Ways to so many successes, all of them `#whole` to the number of tries. */
  #ways: bigint[] = [1n];
  #total = 1n;

  constructor({ part, whole }: Fraction) {
    const shared = greatestDivisor(part, whole);
    this.#part = BigInt(part / shared);
    this.#rest = BigInt((whole - part) / shared);
  }

  get total(): bigint {
    return this.#total;
  }

  addOne(): void {
    const before = this.#ways;
    this.#ways = Array.from({ length: before.length + 1 }, (_, successes) => {
      const failed = (before[successes] ?? 0n) * this.#rest;
      return failed + (before[successes - 1] ?? 0n) * this.#part;
    });
    this.#total *= this.#part + this.#rest;
  }

  /** Ways to at least so many successes. */
  atLeast(successes: number): bigint {
    return this.#ways.slice(successes).reduce((sum, ways) => sum + ways, 0n);
  }

  /** The least number of successes that as many or more are seen with a probability up to 2^-bits. */
  leastWithin(bits: number): number | undefined {
    let tail = 0n;
    let least: number | undefined;
    for (let successes = this.#ways.length - 1; successes >= 0; successes -= 1) {
      tail += this.#ways[successes] ?? 0n;
      if (tail << BigInt(bits) > this.#total) break;
      least = successes;
    }
    return least;
  }
}

function greatestDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestDivisor(right, left % right);
}

/** Whole bits of a number from 1 up. */
function log2Floor(value: bigint): number {
  return value.toString(2).length - 1;
}

function assertOdds({ needed, rows }: RowOdds): void {
  if (Number.isSafeInteger(needed) && Number.isSafeInteger(rows) && needed > 0 && needed < rows) {
    return;
  }
  throw new RangeError(`${needed} of ${rows} rows are no odds`);
}

function assertDrawn(drawn: number): void {
  if (Number.isInteger(drawn) && drawn >= 0 && drawn <= MAX_DRAWN_ROWS) return;
  throw new RangeError(`a sample draws 0 to ${MAX_DRAWN_ROWS} rows, not ${drawn}`);
}

function assertBits(bits: number): void {
  if (Number.isInteger(bits) && bits >= 1 && bits <= 128) return;
  throw new RangeError(`a sample shows 1 to 128 bits, not ${bits}`);
}

function assertTarget({ bits, served, oneFalseAlarmIn }: SampleTarget): void {
  assertBits(bits);
  const { part, whole } = served;
  if (!Number.isInteger(part) || !Number.isInteger(whole) || part < 1 || part > whole) {
    throw new RangeError(`${part}/${whole} is no part of the rows`);
  }
  if (!Number.isSafeInteger(oneFalseAlarmIn) || oneFalseAlarmIn < 1) {
    throw new RangeError(`one false alarm in ${oneFalseAlarmIn} is none`);
  }
}
