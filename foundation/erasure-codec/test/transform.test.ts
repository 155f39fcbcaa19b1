import assert from 'node:assert/strict';
import { seededRng } from '@cairn/primitives';
import { exponentialOf, inverse, multiply, pointOf } from '../src/field.ts';
import { locatorLogarithms } from '../src/locator.ts';
import { differentiate, evaluate, interpolate } from '../src/transform.ts';
import { lagrange } from './support.ts';

describe('the transform', () => {
  const rng = seededRng(3);
  const elementsOf = (size: number): Uint16Array =>
    Uint16Array.from({ length: size }, () => rng.below(65_536));

  for (const size of [1, 2, 4, 16, 256, 4_096, 65_536]) {
    it(`of ${size} elements is undone by its inverse, at every offset`, () => {
      for (const offset of [0, size, 3 * size].filter((start) => start + size <= 65_536)) {
        const elements = elementsOf(size);
        const changed = elements.slice();
        evaluate(changed, offset);
        interpolate(changed, offset);
        assert.deepEqual(changed, elements);
        interpolate(changed, offset);
        evaluate(changed, offset);
        assert.deepEqual(changed, elements);
      }
    });
  }

  for (const size of [1, 2, 4, 8, 16, 32]) {
    it(`of ${size} coefficients gives the values that the basis polynomials sum up to`, () => {
      for (const offset of [0, size, 2 * size, 7 * size, 65_536 - size]) {
        const coefficients = elementsOf(size);
        const values = coefficients.slice();
        evaluate(values, offset);
        for (const [index, value] of values.entries()) {
          assert.equal(value, valueAt(coefficients, pointOf(offset + index)));
        }
      }
    });
  }

  for (const size of [4, 8, 16]) {
    it(`extends ${size} values as Lagrange's formula does`, () => {
      const values = elementsOf(size);
      const coefficients = values.slice();
      interpolate(coefficients, 0);
      for (const offset of [size, 2 * size, 3 * size, 65_536 - size]) {
        const extended = coefficients.slice();
        evaluate(extended, offset);
        for (const [index, value] of extended.entries()) {
          assert.equal(value, lagrange(values, pointOf(offset + index)));
        }
      }
    });
  }

  it('derives as the rule for products says', () => {
    const [left, right] = [elementsOf(16), elementsOf(16)]; // coefficients; the product fits in 32
    const product = pointwise(values(left), values(right));
    interpolate(product, 0);
    differentiate(product);
    evaluate(product, 0);
    const [first, second] = [derived(left), derived(right)];
    const expected = pointwise(values(first), values(right)).map(
      (value, index) => value ^ (pointwise(values(left), values(second))[index] ?? 0),
    );
    assert.deepEqual(product, expected);
  });

  it('derives x to one and a constant to zero', () => {
    assert.deepEqual([...derived(Uint16Array.of(5, 0, 0, 0))], [0, 0, 0, 0]);
    assert.deepEqual([...derived(Uint16Array.of(0, 1, 0, 0))], [1, 0, 0, 0]);
  });
});

describe('the locator', () => {
  it('is the product over the erased points, itself left out', () => {
    const rng = seededRng(4);
    for (const size of [2, 8, 64, 256]) {
      for (const share of [0, 30, 70, 100]) {
        const erased = Array.from({ length: size }, () => rng.below(100) < share);
        for (const [index, logarithm] of locatorLogarithms(erased).entries()) {
          let product = pointOf(1);
          for (const [other, isErased] of erased.entries()) {
            if (isErased && other !== index) {
              product = multiply(product, pointOf(index) ^ pointOf(other));
            }
          }
          assert.equal(exponentialOf(logarithm), product);
        }
      }
    }
  });

  it('is exact where all of the most points are erased', () => {
    const erased = new Array<boolean>(65_536).fill(true);
    // e is then x^65536 + x, whose derivative is one everywhere.
    assert.ok(locatorLogarithms(erased).every((logarithm) => logarithm === 0));
  });
});

/** The sum of coefficients times basis polynomials at a point, from the definition of the basis. */
function valueAt(coefficients: Uint16Array, point: number): number {
  let sum = 0;
  for (const [index, coefficient] of coefficients.entries()) {
    let term = coefficient;
    for (let bit = 1; bit <= index; bit *= 2) {
      if (index & bit) {
        const scale = inverse(vanishing(bit, pointOf(bit)));
        term = multiply(term, multiply(vanishing(bit, point), scale));
      }
    }
    sum ^= term;
  }
  return sum;
}

/** The product of `point` less each of the first `count` points. */
function vanishing(count: number, point: number): number {
  let product = pointOf(1);
  for (let index = 0; index < count; index += 1) {
    product = multiply(product, point ^ pointOf(index));
  }
  return product;
}

/** Values at the first 32 points of a polynomial of degree below 16. */
function values(coefficients: Uint16Array): Uint16Array {
  const elements = new Uint16Array(32);
  elements.set(coefficients);
  evaluate(elements, 0);
  return elements;
}

function derived(coefficients: Uint16Array): Uint16Array {
  const elements = coefficients.slice();
  differentiate(elements);
  return elements;
}

function pointwise(left: Uint16Array, right: Uint16Array): Uint16Array {
  return left.map((value, index) => multiply(value, right[index] ?? 0));
}
