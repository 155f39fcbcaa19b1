import assert from 'node:assert/strict';
import { seededRng, systemRng } from '../src/rng.ts';

describe('rng', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const draw = (seed: number): Uint8Array => seededRng(seed).fill(new Uint8Array(64));
    assert.deepEqual(draw(1), draw(1));
    assert.notDeepEqual(draw(1), draw(2));
    assert.notDeepEqual(draw(5), draw(5 + 2 ** 32));
  });

  it('spreads evenly over a bound that is no power of two', () => {
    const rng = seededRng(42);
    const counts = new Array<number>(7).fill(0);
    for (let draw = 0; draw < 70_000; draw += 1) {
      const value = rng.below(7);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    // The standard deviation of each count is 93; six of them are beyond chance.
    for (const count of counts) assert.ok(Math.abs(count - 10_000) < 560, `${counts}`);
  });

  it('fills more than the machine gives in one call', () => {
    const bytes = systemRng().fill(new Uint8Array(200_001));
    assert.ok(new Set(bytes.subarray(199_000)).size > 50);
    assert.throws(() => systemRng().below(0), RangeError);
  });
});
