import { CodecError } from './errors.ts';
import type { MatrixShape, PlacedRow } from './row-codec.ts';

/** The rows that a decoder works from: `dataRows` of them, in the order of their places. */
export interface RowChoice {
  /** 0 if they are the data rows, 1 … cosets if they are that parity coset, else `undefined`. */
  readonly coset: number | undefined;
  readonly rows: readonly PlacedRow[];
}

/**
 * The rows to decode from: the first coset that is there whole, for it takes no locator; else those
 * with the lowest indexes, so data before parity. Every codec chooses so, and rows that are of no
 * codeword give the same bytes everywhere.
 *
 * Of rows with one place the first counts. Places and lengths of all rows are checked.
 *
 * @throws {CodecError} ROW_INDEX, ROW_LENGTH, TOO_FEW_ROWS
 */
export function chooseRows(rows: readonly PlacedRow[], shape: MatrixShape): RowChoice {
  const { dataRows } = shape;
  const byIndex = new Map<number, PlacedRow>();
  const perCoset = Array.from({ length: 1 + shape.cosets }, () => 0);
  for (const row of rows) {
    assertRow(row, shape);
    if (byIndex.has(row.index)) continue;
    byIndex.set(row.index, row);
    const coset = Math.floor(row.index / dataRows);
    perCoset[coset] = (perCoset[coset] ?? 0) + 1;
  }
  if (byIndex.size < dataRows) {
    throw new CodecError(
      { code: 'TOO_FEW_ROWS', have: byIndex.size, need: dataRows },
      `decoding takes ${dataRows} different rows, not ${byIndex.size}`,
    );
  }
  const whole = perCoset.indexOf(dataRows);
  const first = whole < 0 ? 0 : whole * dataRows;
  const ordered = [...byIndex.values()]
    .filter(({ index }) => index >= first)
    .sort((left, right) => left.index - right.index);
  return { coset: whole < 0 ? undefined : whole, rows: ordered.slice(0, dataRows) };
}

function assertRow({ index, bytes }: PlacedRow, { rows, rowBytes }: MatrixShape): void {
  assertRowIndexes([index], rows);
  if (bytes.length !== rowBytes) {
    throw new CodecError(
      { code: 'ROW_LENGTH', expectedBytes: rowBytes, actualBytes: bytes.length },
      `row ${index} has ${rowBytes} bytes, not ${bytes.length}`,
    );
  }
}

/** Memory for the shape's parity rows. @throws {CodecError} ROW_LENGTH unless `into` fits */
export function parityMemory(
  into: Uint8Array | undefined,
  { dataRows, cosets, rowBytes }: MatrixShape,
): Uint8Array {
  return memoryOf(cosets * dataRows * rowBytes, into, 'parity');
}

/** Memory for the shape's data rows. @throws {CodecError} ROW_LENGTH unless `into` fits */
export function dataMemory(
  into: Uint8Array | undefined,
  { dataRows, rowBytes }: MatrixShape,
): Uint8Array {
  return memoryOf(dataRows * rowBytes, into, 'data');
}

function memoryOf(expectedBytes: number, into: Uint8Array | undefined, what: string): Uint8Array {
  if (into === undefined) return new Uint8Array(expectedBytes);
  if (into.length !== expectedBytes) {
    throw new CodecError(
      { code: 'ROW_LENGTH', expectedBytes, actualBytes: into.length },
      `the ${what} has ${expectedBytes} bytes; there is room for ${into.length}`,
    );
  }
  return into;
}

/** @throws {CodecError} ROW_INDEX unless all are places of rows */
export function assertRowIndexes(indexes: readonly number[], rows: number): void {
  for (const index of indexes) {
    if (Number.isInteger(index) && index >= 0 && index < rows) continue;
    throw new CodecError(
      { code: 'ROW_INDEX', index, rows },
      `a row's index is 0 to ${rows - 1}, not ${index}`,
    );
  }
}

/** @throws {CodecError} ROW_LENGTH unless `data` is all data rows of the shape */
export function assertDataLength(data: Uint8Array, { dataRows, rowBytes }: MatrixShape): void {
  const expectedBytes = dataRows * rowBytes;
  if (data.length !== expectedBytes) {
    throw new CodecError(
      { code: 'ROW_LENGTH', expectedBytes, actualBytes: data.length },
      `${dataRows} data rows of ${rowBytes} bytes have ${expectedBytes} bytes, not ${data.length}`,
    );
  }
}
