import { assertNatural, assertPositiveInteger } from '@cairn/primitives';

/** How seats are drawn, and who would break what they promise. */
export interface SeatOdds {
  /** Seats of the group on average. */
  readonly seats: number;
  /** Votes of everyone. */
  readonly votes: number;
  /** Of these, the adversary's. */
  readonly adversaryVotes: number;
  /** The share of seats that it must not exceed: numerator and denominator, 1 / 3 for agreement. */
  readonly limit: { readonly numerator: number; readonly denominator: number };
}

/**
 * log2 of the probability that an adversary wins more than `limit` of a group's seats, where each
 * vote wins one with the chance seats / votes. The exact sum over both binomial laws, all terms of
 * it; logarithms in double precision, so right to about 10^-6. −Infinity where it cannot happen.
 * Takes time in proportion to `votes`.
 *
 * @throws {RangeError} for numbers that are not natural, or an adversary with more votes than there are
 */
export function log2SeatOdds({ seats, votes, adversaryVotes, limit }: SeatOdds): number {
  assertPositiveInteger(seats, 'seats');
  assertPositiveInteger(votes, 'votes');
  assertNatural(adversaryVotes, 'adversaryVotes');
  if (adversaryVotes > votes) throw new RangeError('an adversary has at most all votes');
  const { numerator, denominator } = limit;
  const honestVotes = votes - adversaryVotes;
  if (seats >= votes) {
    return adversaryVotes * denominator > numerator * votes ? 0 : Number.NEGATIVE_INFINITY;
  }
  const chance = seats / votes;
  const honest = logBinomial(honestVotes, chance);
  const tail = logTails(logBinomial(adversaryVotes, chance));
  let sum = Number.NEGATIVE_INFINITY;
  for (let won = 0; won <= honestVotes; won += 1) {
    // a / (a + h) > n / d where a · (d − n) > n · h
    const least = Math.floor((numerator * won) / (denominator - numerator)) + 1;
    if (least > adversaryVotes) break;
    const term = (honest[won] ?? 0) + (tail[least] ?? Number.NEGATIVE_INFINITY);
    sum = addLogs(sum, term);
  }
  return sum / Math.LN2;
}

/** What a committee is asked to withstand. */
export type ShareQuestion = Pick<SeatOdds, 'seats' | 'votes' | 'limit'> & {
  /** The probability that is still taken, as log2: −40. */
  readonly log2Risk: number;
};

/**
 * The most votes an adversary may have so that it wins more than `limit` of the seats with a
 * probability of at most 2^log2Risk.
 */
export function largestAdversary({ seats, votes, limit, log2Risk }: ShareQuestion): number {
  let safe = 0;
  let unsafe = votes + 1;
  while (unsafe - safe > 1) {
    const adversaryVotes = Math.floor((safe + unsafe) / 2);
    const isSafe = log2SeatOdds({ seats, votes, adversaryVotes, limit }) <= log2Risk;
    if (isSafe) safe = adversaryVotes;
    else unsafe = adversaryVotes;
  }
  return safe;
}

/** Natural logarithms of the probability of 0 … `trials` successes. */
function logBinomial(trials: number, chance: number): Float64Array {
  const logs = new Float64Array(trials + 1);
  const ratio = Math.log(chance) - Math.log1p(-chance);
  let log = trials * Math.log1p(-chance);
  logs[0] = log;
  for (let successes = 1; successes <= trials; successes += 1) {
    log += Math.log((trials - successes + 1) / successes) + ratio;
    logs[successes] = log;
  }
  return logs;
}

/** Logarithms of the probability of at least 0, 1, … successes. */
function logTails(logs: Float64Array): Float64Array {
  const tails = new Float64Array(logs.length);
  let sum = Number.NEGATIVE_INFINITY;
  for (let successes = logs.length - 1; successes >= 0; successes -= 1) {
    sum = addLogs(sum, logs[successes] ?? Number.NEGATIVE_INFINITY);
    tails[successes] = sum;
  }
  return tails;
}

/** log(e^a + e^b). */
function addLogs(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY) return b;
  if (b === Number.NEGATIVE_INFINITY) return a;
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}
