import { type Clock, nextPowerOfTwo, systemClock } from '@cairn/primitives';
import { exponentialOf, FIELD_ORDER, logarithmOf } from './field.ts';
import { locatorLogarithms } from './locator.ts';
import { SYMBOL_BYTES } from './params.ts';
import {
  assertDataLength,
  chooseRows,
  dataMemory,
  parityMemory,
  type RowChoice,
} from './row-choice.ts';
import type { MatrixShape, RowCodec } from './row-codec.ts';
import { readSymbol, writeSymbol } from './symbols.ts';
import { differentiate, evaluate, interpolate } from './transform.ts';

/** Symbols after which others get their turn: tens of milliseconds. */
const SYMBOLS_PER_TURN = 2 ** 18;

/**
 * The codec in plain TypeScript, one column after another: what the fast ones are checked against,
 * and what runs where they cannot. Beside its result it holds less than 8 MiB.
 *
 * @param clock - gives others their turn
 */
export function referenceCodec(clock: Pick<Clock, 'sleep'> = systemClock()): RowCodec {
  return {
    name: 'reference',
    async encode(data, shape, { signal, into }) {
      signal.throwIfAborted();
      assertDataLength(data, shape);
      const { dataRows, cosets, rowBytes } = shape;
      const dataList = splitRows(data, rowBytes);
      const parity = parityMemory(into, shape);
      const cosetLists = Array.from({ length: cosets }, (_, coset) =>
        splitRows(parity.subarray(coset * data.length, (coset + 1) * data.length), rowBytes),
      );
      const coefficients = new Uint16Array(dataRows);
      const values = new Uint16Array(dataRows);
      await forEachColumn(clock, shape, signal, (column) => {
        readColumn(dataList, column, coefficients);
        interpolate(coefficients, 0);
        for (const [coset, cosetList] of cosetLists.entries()) {
          values.set(coefficients);
          evaluate(values, (1 + coset) * dataRows);
          writeColumn(cosetList, column, values);
        }
      });
      return parity;
    },
    async decode(rows, shape, { signal, into }) {
      signal.throwIfAborted();
      const choice = chooseRows(rows, shape);
      const data = dataMemory(into, shape);
      for (const { index, bytes } of choice.rows) {
        if (index < shape.dataRows) data.set(bytes, index * shape.rowBytes);
      }
      if (choice.coset === 0) return data;
      const dataList = splitRows(data, shape.rowBytes);
      const visit =
        choice.coset === undefined
          ? fromAnyRows(choice, shape, dataList)
          : fromCoset(choice, choice.coset * shape.dataRows, dataList);
      await forEachColumn(clock, shape, signal, visit);
      return data;
    },
    close: () => Promise.resolve(),
  };
}

/** Writes data columns from a whole coset: its polynomial, evaluated at the data rows' points. */
function fromCoset(
  { rows }: RowChoice,
  offset: number,
  dataList: readonly Uint8Array[],
): (column: number) => void {
  const cosetList = rows.map(({ bytes }) => bytes);
  const elements = new Uint16Array(rows.length);
  return (column) => {
    readColumn(cosetList, column, elements);
    interpolate(elements, offset);
    evaluate(elements, 0);
    writeColumn(dataList, column, elements);
  };
}

/**
 * Writes the missing symbols of data columns from any K rows. With e zero at the erased points, f·e
 * is known at all points and has degree below their number; its derivative is f·e′ where e is zero.
 */
function fromAnyRows(
  { rows }: RowChoice,
  shape: MatrixShape,
  dataList: readonly Uint8Array[],
): (column: number) => void {
  const erased = new Array<boolean>(nextPowerOfTwo(shape.rows)).fill(true);
  for (const { index } of rows) erased[index] = false;
  const locator = locatorLogarithms(erased);
  const missing = [...dataList.entries()].filter(([index]) => erased[index]);
  const elements = new Uint16Array(erased.length);
  return (column) => {
    elements.fill(0);
    for (const { index, bytes } of rows) {
      elements[index] = shifted(readSymbol(bytes, column), locator[index] ?? 0);
    }
    interpolate(elements, 0);
    differentiate(elements);
    evaluate(elements, 0);
    for (const [index, row] of missing) {
      const symbol = shifted(elements[index] ?? 0, FIELD_ORDER - (locator[index] ?? 0));
      writeSymbol(row, column, symbol);
    }
  };
}

/** An element times the one that has a logarithm. */
function shifted(element: number, logarithm: number): number {
  return element === 0 ? 0 : exponentialOf(logarithmOf(element) + logarithm);
}

/** Visits every column of a shape in order. @throws the signal's reason */
async function forEachColumn(
  clock: Pick<Clock, 'sleep'>,
  { rows, rowBytes }: MatrixShape,
  signal: AbortSignal,
  visit: (column: number) => void,
): Promise<void> {
  const columnsPerTurn = Math.ceil(SYMBOLS_PER_TURN / rows);
  for (let column = 0; column < rowBytes / SYMBOL_BYTES; column += 1) {
    if (column > 0 && column % columnsPerTurn === 0) await clock.sleep(0, signal);
    visit(column);
  }
}

function splitRows(matrix: Uint8Array, rowBytes: number): Uint8Array[] {
  return Array.from({ length: matrix.length / rowBytes }, (_, index) =>
    matrix.subarray(index * rowBytes, (index + 1) * rowBytes),
  );
}

function readColumn(rows: readonly Uint8Array[], column: number, elements: Uint16Array): void {
  for (const [index, row] of rows.entries()) elements[index] = readSymbol(row, column);
}

function writeColumn(rows: readonly Uint8Array[], column: number, elements: Uint16Array): void {
  for (const [index, row] of rows.entries()) writeSymbol(row, column, elements[index] ?? 0);
}
