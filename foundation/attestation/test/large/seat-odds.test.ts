import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { largestAdversary, log2SeatOdds } from '../../src/seat-odds.ts';

const VOTES = 100_000;
const THIRD = { numerator: 1, denominator: 3 };
const FIVE_TWELFTHS = { numerator: 5, denominator: 12 };
/** By seats: log2 of the odds at .15, .20, .25, .28 and .30 of the stake, for a third and for 5/12. */
type Figures = readonly (number | undefined)[];
const TABLE: readonly (readonly [seats: number, third: Figures, twelfths: Figures])[] = [
  [64, [-12.7, -7.5, -4.0, -2.6, -1.9], [-21.0, -14.0, -9.0, -6.7, -5.4, -3.8]],
  [128, [-22.3, -12.3, -6.0, -3.5, -2.4], [-38.7, -25.1, -15.3, -11.0, -8.6, -5.6]],
  [256, [-41.2, -21.5, -9.5, -5.1, -3.1], [-73.7, -46.8, -27.7, -19.2, -14.6, -9.0]],
  [384, [-59.9, -30.6, -13.0, -6.6, -3.7], [-108.6, -68.3, -39.9, -27.3, -20.4, -12.3]],
  [512, [-78.5, -39.7, -16.4, -8.0, -4.3], [-143.6, -89.9, -52.0, -35.3, -26.2, -15.5]],
  [768, [-115.9, -57.8, -23.1, -10.8, -5.5], [-213.6, -133.0, -76.3, -51.2, -37.7, -21.9]],
  [1024, [-153.4, -75.9, -29.8, -13.5, -6.7], [-283.9, -176.3, -100.6, -67.2, -49.3, -28.2]],
  [2048, [-305.3, -149.1, -56.6, -24.4, -11.0], [-569.0, -351.6, -199.0, -131.7, -95.6, -53.4]],
  [
    4096,
    [-619.7, -300.0, -111.4, -46.2, -19.6],
    [undefined, -713.6, -401.6, -264.4, -190.8, -105.0],
  ],
];
const SHARES = [0.15, 0.2, 0.25, 0.28, 0.3, 0.33];

/** The definition, with probabilities as fractions of whole numbers. */
function exactOdds(seats: number, votes: number, adversary: number): number {
  const choose = (n: number, k: number): bigint => {
    let result = 1n;
    for (let i = 0; i < k; i += 1) result = (result * BigInt(n - i)) / BigInt(i + 1);
    return result;
  };
  const [hit, miss] = [BigInt(seats), BigInt(votes - seats)];
  let sum = 0n;
  for (let a = 0; a <= adversary; a += 1) {
    for (let h = 0; h <= votes - adversary; h += 1) {
      if (3 * a <= a + h) continue;
      const ways = choose(adversary, a) * choose(votes - adversary, h);
      sum += ways * hit ** BigInt(a + h) * miss ** BigInt(votes - a - h);
    }
  }
  // 2^200 keeps sixty digits before the quotient becomes a number
  return Math.log2(Number((sum << 200n) / BigInt(votes) ** BigInt(votes))) - 200;
}

describe('seat odds', () => {
  it('are the exact sum over both binomial laws', () => {
    for (const [seats, votes, adversaryVotes] of [
      [5, 20, 6],
      [12, 30, 7],
      [3, 40, 13],
    ] as const) {
      const odds = log2SeatOdds({ seats, votes, adversaryVotes, limit: THIRD });
      assert.ok(Math.abs(odds - exactOdds(seats, votes, adversaryVotes)) < 1e-9, `${odds}`);
    }
  });

  it('are those that the network was dimensioned by', () => {
    for (const [seats, third, twelfths] of TABLE) {
      for (const [limit, figures] of [
        [THIRD, third],
        [FIVE_TWELFTHS, twelfths],
      ] as const) {
        for (const [place, figure] of figures.entries()) {
          const adversaryVotes = Math.round((SHARES[place] ?? 0) * VOTES);
          if (figure === undefined) continue;
          const odds = log2SeatOdds({ seats, votes: VOTES, adversaryVotes, limit });
          assert.ok(Math.abs(odds - figure) <= 0.051, `${seats} seats: ${odds}, not ${figure}`);
        }
      }
    }
  });

  it('fall to 2^-40 and 2^-64 at the sizes that were computed for it', () => {
    for (const [share, forty, sixtyFour] of [
      [0.15, 249, 414],
      [0.2, 518, 860],
      [0.25, 1427, 2360],
      [0.28, 3584, 5882],
    ] as const) {
      for (const [seats, log2Risk] of [
        [forty, -40],
        [sixtyFour, -64],
      ] as const) {
        const adversaryVotes = Math.round(share * VOTES);
        const odds = log2SeatOdds({ seats, votes: VOTES, adversaryVotes, limit: THIRD });
        assert.ok(odds <= log2Risk && odds > log2Risk - 2, `${seats} seats: ${odds}`);
      }
    }
  });

  it('are certain where everyone is seated', () => {
    const odds = { seats: 2048, votes: 12, limit: THIRD };
    assert.equal(log2SeatOdds({ ...odds, adversaryVotes: 4 }), Number.NEGATIVE_INFINITY);
    assert.equal(log2SeatOdds({ ...odds, adversaryVotes: 5 }), 0);
    assert.equal(largestAdversary({ ...odds, log2Risk: -40 }), 4);
    assert.throws(() => log2SeatOdds({ ...odds, adversaryVotes: 13 }), RangeError);
  });

  it('make the table of the README', () => {
    const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const rows = [...text.matchAll(/^\| (\d[\d,]*) \| ([\d.]+) % \| ([\d.]+) % \|$/gm)];
    assert.equal(rows.length, 7);
    for (const [, seatText = '', third = '', twelfths = ''] of rows) {
      const seats = Number(seatText.replace(',', ''));
      for (const [limit, stated] of [
        [THIRD, third],
        [FIVE_TWELFTHS, twelfths],
      ] as const) {
        const votes = largestAdversary({ seats, votes: VOTES, limit, log2Risk: -40 });
        const share = Math.floor((votes / VOTES) * 1000) / 10; // never rounded up
        assert.equal(share.toFixed(1), stated, `${seats} seats`);
      }
    }
  });
});
