import assert from 'node:assert/strict';
import { seededRng } from '@cairn/primitives';
import { CodecError, type CodecFault } from '../src/errors.ts';
import { inverse, multiply, pointOf } from '../src/field.ts';
import type { MatrixShape, PlacedRow } from '../src/row-codec.ts';

/** A signal that never aborts. */
export const signal: AbortSignal = new AbortController().signal;

/** Gives nobody else a turn: thousands of small calls would wait a millisecond for each. */
export const NO_TURNS = { sleep: (): Promise<void> => Promise.resolve() };

/** Whether an error is the codec's with just these facts; for `assert.throws` and `assert.rejects`. */
export function isCodecFault(facts: CodecFault): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof CodecError, String(error));
    assert.deepEqual(error.facts, facts);
    return true;
  };
}

/** As `assert.deepEqual`, which takes seconds for megabytes; names the first byte that differs. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (Buffer.compare(actual, expected) === 0) return;
  assert.equal(actual.length, expected.length, what);
  assert.fail(`${what}: byte ${actual.findIndex((byte, at) => byte !== expected[at])} differs`);
}

/** A shape that a code can have, whether or not any payload has it. */
export function shapeOf(log2K: number, cosets: number, rowBytes = 64): MatrixShape {
  const dataRows = 2 ** log2K;
  return { log2K, dataRows, cosets, rows: dataRows * (1 + cosets), rowBytes };
}

/** Bytes of chance that a seed determines. */
export function bytesOf(length: number, seed: number): Uint8Array {
  return seededRng(seed).fill(new Uint8Array(length));
}

/** All rows of a matrix, data and parity, each with its place. */
export function placedRows(data: Uint8Array, parity: Uint8Array, rowBytes: number): PlacedRow[] {
  return [...rowsOf(data, rowBytes), ...rowsOf(parity, rowBytes)].map((bytes, index) => ({
    index,
    bytes,
  }));
}

/** `items` in an order that a seed determines. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const rng = seededRng(seed);
  return items
    .map((item) => ({ item, key: rng.below(2 ** 32) }))
    .sort((left, right) => left.key - right.key)
    .map(({ item }) => item);
}

function rowsOf(matrix: Uint8Array, rowBytes: number): Uint8Array[] {
  return Array.from({ length: matrix.length / rowBytes }, (_, index) =>
    matrix.slice(index * rowBytes, (index + 1) * rowBytes),
  );
}

/**
 * What the polynomial of lowest degree with the given values at points 0, 1, … is at `point`, by
 * Lagrange's formula; shares nothing with the codecs but the field.
 */
export function lagrange(values: Uint16Array, point: number): number {
  let sum = 0;
  for (const [index, value] of values.entries()) {
    let term = value;
    for (const other of values.keys()) {
      if (other === index) continue;
      const difference = pointOf(index) ^ pointOf(other);
      term = multiply(term, multiply(point ^ pointOf(other), inverse(difference)));
    }
    sum ^= term;
  }
  return sum;
}
