import assert from 'node:assert/strict';
import { type Rng, seededRng } from '@cairn/primitives';
import { MAX_TARGET } from '../src/params.ts';
import { hashLimit, nextTarget, scaleX64, targetOf } from '../src/target.ts';
import { SEED } from './support.ts';

const TERMS = { targetSubmissions: 50, adjustRatio: 20, minDifficulty: 1n };
/** A flow of 16 GiB; nobody declares a shard. */
const SCALE = scaleX64(2 ** 26, 1);

/**
 * An epoch in which miners hash so often: whose hashes win, in the order in which they are found, as
 * many as the contract takes. Gaps between wins are drawn from their distribution, hash by hash.
 */
function epoch(rng: Rng, poraTarget: bigint, hashes: readonly number[]): number[] {
  const chance = Number(hashLimit(poraTarget, SCALE) >> 192n) / Number(MAX_TARGET >> 192n);
  const all = hashes.reduce((sum, count) => sum + count, 0);
  const wins = hashes.map(() => 0);
  let taken = 0;
  for (let at = gap(rng, chance); at <= all; at += gap(rng, chance)) {
    let place = rng.below(all);
    const winner = hashes.findIndex((count) => {
      place -= count;
      return place < 0;
    });
    wins[winner] = (wins[winner] ?? 0) + 1;
    taken += 1;
    if (taken === 2 * TERMS.targetSubmissions) break;
  }
  return wins;
}

/** Hashes up to the next one that wins. */
function gap(rng: Rng, chance: number): number {
  const uniform = (rng.below(2 ** 32) + 1) / (2 ** 32 + 1);
  return 1 + Math.floor(Math.log(uniform) / Math.log1p(-chance));
}

describe('mining over many epochs', () => {
  it('pays two miners of speeds 3 to 1 as 3 to 1', () => {
    const rng = seededRng(SEED);
    const earned = [0, 0];
    let target = targetOf(8000n);
    for (let count = 0; count < 200; count += 1) {
      const wins = epoch(rng, target, [300_000, 100_000]);
      for (const [miner, won] of wins.entries()) earned[miner] = (earned[miner] ?? 0) + won;
      target = nextTarget(target, sum(wins), TERMS);
    }
    const [fast = 0, slow = 0] = earned;
    const answers = fast + slow;
    // Four standard deviations of a binomial: wrong once in 15,000 seeds.
    const deviation = Math.sqrt(answers * 0.75 * 0.25);
    assert.ok(answers > 9000, `${answers} answers`);
    assert.ok(Math.abs(fast - answers * 0.75) < 4 * deviation, `${fast} of ${answers}`);
  });

  for (const { name, factor, epochs } of [
    // Twice the answers are taken at most: 28 epochs of a fortieth from 4 to 2 times, then a twentieth
    // of the rest in each, to within a tenth after 46 more.
    { name: '4 times', factor: 4, epochs: 74 },
    // A twentieth of the rest in each, from a quarter to nine tenths.
    { name: 'a quarter', factor: 0.25, epochs: 42 },
  ]) {
    it(`follows ${name} of the hash rate within ${epochs} epochs, and not before half of them`, () => {
      const rng = seededRng(SEED + epochs);
      const rate = 400_000;
      let target = targetOf(8000n);
      const difficulty = (): number => Number(MAX_TARGET / target);
      const run = (count: number, hashes: number): void => {
        for (let at = 0; at < count; at += 1) {
          target = nextTarget(target, sum(epoch(rng, target, [hashes])), TERMS);
        }
      };
      run(60, rate);
      const before = difficulty();
      assert.ok(Math.abs(before / 8000 - 1) < 0.15, `${before}`);
      run(epochs / 2, rate * factor);
      const halfway = Math.abs(Math.log(difficulty() / before / factor));
      assert.ok(halfway > 0.15, `${difficulty()} after half of it`);
      run(epochs / 2, rate * factor);
      const error = Math.abs(difficulty() / before / factor - 1);
      assert.ok(error < 0.2, `${difficulty()} where ${before * factor} is right`);
    });
  }
});

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
