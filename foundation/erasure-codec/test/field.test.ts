import assert from 'node:assert/strict';
import { seededRng } from '@cairn/primitives';
import { inverse, multiply, pointOf } from '../src/field.ts';

describe('the field', () => {
  const rng = seededRng(16);
  const any = (): number => rng.below(65_536);

  it('adds, multiplies and divides as a field does', () => {
    for (let run = 0; run < 2_000; run += 1) {
      const [a, b, c] = [any(), any(), any()];
      assert.equal(multiply(a, b), multiply(b, a));
      assert.equal(multiply(a, multiply(b, c)), multiply(multiply(a, b), c));
      assert.equal(multiply(a, b ^ c), multiply(a, b) ^ multiply(a, c));
      assert.equal(multiply(a, pointOf(1)), a, 'point 1 is one');
      if (a !== 0) assert.equal(multiply(a, inverse(a)), pointOf(1));
    }
    assert.throws(() => inverse(0), RangeError);
  });

  it('has a Cantor basis: each element solves x² + x for the one before', () => {
    for (let bit = 1; bit < 16; bit += 1) {
      const element = pointOf(1 << bit);
      assert.equal(multiply(element, element) ^ element, pointOf(1 << (bit - 1)));
    }
  });

  it('multiplies bytes separately where a factor lies in the subfield', () => {
    for (let factor = 0; factor < 256; factor += 1) {
      const element = pointOf(factor);
      assert.ok(element < 256);
      const value = any();
      const low = multiply(element, value & 255);
      const high = multiply(element, value >> 8);
      assert.ok(low < 256 && high < 256);
      assert.equal(multiply(element, value), low | (high << 8));
    }
  });

  it('counts every element once among the points', () => {
    const seen = new Set(Array.from({ length: 65_536 }, (_, index) => pointOf(index)));
    assert.equal(seen.size, 65_536);
  });
});
