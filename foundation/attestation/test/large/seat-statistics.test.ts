import assert from 'node:assert/strict';
import { seededRng } from '@cairn/primitives';
import { seedOf } from '../../../../test/support/soak.ts';
import { drawSeats, quorumCount, seatThreshold } from '../../src/sortition.ts';
import { randomBytes } from '../support.ts';

const EPOCHS = 1000;
const SIGNERS = 60;
const VOTES = 32;
const plan = {
  committeeSeats: 256,
  totalVotes: SIGNERS * VOTES,
  maxQuorums: 4,
  seatsPerQuorum: 64,
};

describe('seats over 1,000 epochs', () => {
  const seed = seedOf(20_261_123);
  const quorums = quorumCount(plan);
  const threshold = seatThreshold(plan, quorums);
  const chance = threshold / 2 ** 32;

  it(`are won as the binomial law says (seed ${seed})`, () => {
    assert.equal(quorums, 4);
    const rng = seededRng(seed);
    /** How often a signer won 0, 1, 2, … seats, and every quorum's seats of all epochs. */
    const histogram = new Array<number>(VOTES + 1).fill(0);
    const perQuorum = new Array<number>(quorums).fill(0);
    const perEpoch: number[] = [];
    for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
      let seats = 0;
      for (let signer = 0; signer < SIGNERS; signer += 1) {
        const beta = randomBytes(rng, 32);
        const drawn = drawSeats({ beta, votes: VOTES, threshold, quorums });
        histogram[drawn.total] = (histogram[drawn.total] ?? 0) + 1;
        for (const [quorum, won] of drawn.perQuorum.entries()) {
          perQuorum[quorum] = (perQuorum[quorum] ?? 0) + won;
        }
        seats += drawn.total;
      }
      perEpoch.push(seats);
    }

    // by signer: 0 … 11 seats and "more", 12 degrees of freedom; 52 is passed once in a million
    const pooled = pool(histogram, 12);
    const expected = pool(binomial(VOTES, chance), 12).map((part) => part * EPOCHS * SIGNERS);
    assert.ok(expected.every((count) => count >= 5));
    assert.ok(chiSquare(pooled, expected) < 52, `signers: ${chiSquare(pooled, expected)}`);

    // by quorum: 3 degrees of freedom; 31 is passed once in a million
    const all = perQuorum.reduce((sum, seats) => sum + seats, 0);
    const even = perQuorum.map(() => all / quorums);
    assert.ok(chiSquare(perQuorum, even) < 31, `quorums: ${chiSquare(perQuorum, even)}`);

    // by epoch: the variance of 1,000 epochs; a ratio of 1 ± 0.25 is passed less than once in 10^7
    const mean = all / EPOCHS;
    const trials = SIGNERS * VOTES;
    const deviation = Math.sqrt((trials * chance * (1 - chance)) / EPOCHS);
    assert.ok(Math.abs(mean - trials * chance) < 5.5 * deviation, `${mean} seats an epoch`);
    const variance = perEpoch.reduce((sum, seats) => sum + (seats - mean) ** 2, 0) / (EPOCHS - 1);
    const ratio = variance / (trials * chance * (1 - chance));
    assert.ok(ratio > 0.75 && ratio < 1.25, `variance ${ratio} of the law's`);
  });
});

/** Probabilities of 0 … `trials` successes. */
function binomial(trials: number, success: number): number[] {
  const parts = [(1 - success) ** trials];
  for (let k = 1; k <= trials; k += 1) {
    parts.push(((parts[k - 1] ?? 0) * (trials - k + 1) * success) / (k * (1 - success)));
  }
  return parts;
}

/** The first `bins` entries, and all others in one. */
function pool(counts: readonly number[], bins: number): number[] {
  const rest = counts.slice(bins).reduce((sum, count) => sum + count, 0);
  return [...counts.slice(0, bins), rest];
}

function chiSquare(counts: readonly number[], expected: readonly number[]): number {
  return counts.reduce((sum, count, bin) => {
    const mean = expected[bin] ?? 1;
    return sum + (count - mean) ** 2 / mean;
  }, 0);
}
