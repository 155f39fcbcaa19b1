import { type CommittedBlob, headerOf, rowsOf } from './commitment.ts';
import { SliceError } from './errors.ts';
import {
  type BlobHeader,
  type ExpectedBlob,
  type VerifiedHeader,
  type VerifyOptions,
  verifyHeader,
} from './verified-header.ts';
import {
  type ProvenRow,
  type RootedRows,
  type VerifiedRow,
  verifyRooted,
  verifyRows,
} from './verify-row.ts';

declare const verified: unique symbol;

/** The rows of one holder and what proves them; not proven itself. */
export interface Slice {
  readonly header: BlobHeader;
  /** In the order of the holder's arc. */
  readonly rows: readonly ProvenRow[];
}

/**
 * A slice of which every row is the holder's, was committed to and fits the codeword. Only
 * `verifySlice` makes one, and only whole ones.
 */
export type VerifiedSlice = {
  readonly header: VerifiedHeader;
  readonly rows: readonly VerifiedRow[];
  readonly [verified]: true;
};

/** What a holder knows of its slice beforehand. */
export interface ExpectedSlice extends ExpectedBlob {
  /** The holder's rows in the order of its arc: `arcRows`. */
  readonly rows: readonly number[];
}

/**
 * A holder's slice of a blob; bytes of rows in memory are views of it.
 *
 * @throws {CodecError} ROW_INDEX; as `HeldRows.read`
 */
export async function sliceOf(
  blob: CommittedBlob,
  rows: readonly number[],
  options: { readonly signal: AbortSignal },
): Promise<Slice> {
  return { header: headerOf(blob), rows: await rowsOf(blob, rows, options) };
}

/**
 * Checks a slice as its holder does before it stores and signs: header against layout, rows against
 * assignment, coset roots and combinations against the commitment, every row against its path,
 * every row against its combination. Anything wrong refuses the whole slice.
 *
 * @throws {SliceError} SLICE_ROWS; as `verifyHeader`, as `verifyRows`
 * @see docs/spec/codec.md, "Slice"
 */
export function verifySlice(
  slice: Slice,
  expected: ExpectedSlice,
  options: VerifyOptions,
): VerifiedSlice {
  assertRows(
    expected.rows,
    slice.rows.map(({ index }) => index),
  );
  const header = verifyHeader(slice.header, expected, options);
  const rows: readonly VerifiedRow[] = verifyRows(slice.rows, header, options);
  return { header, rows } as VerifiedSlice;
}

/** `verifySlice` for rows that are hashed already. @throws as `verifySlice` */
export function verifyRuns(
  unproven: BlobHeader,
  runs: readonly RootedRows[],
  expected: ExpectedSlice,
  options: VerifyOptions,
): VerifiedSlice {
  assertRows(
    expected.rows,
    runs.flatMap((run) => run.rows.map(({ index }) => index)),
  );
  const header = verifyHeader(unproven, expected, options);
  const rows: readonly VerifiedRow[] = runs.flatMap((run) => verifyRooted(run, header, options));
  return { header, rows } as VerifiedSlice;
}

function assertRows(expected: readonly number[], actual: readonly number[]): void {
  const at = expected.findIndex((index, place) => actual[place] !== index);
  if (at < 0 && actual.length === expected.length) return;
  throw new SliceError(
    { code: 'SLICE_ROWS', expected, actual },
    `the slice has ${actual.length} rows of ${expected.length}, ` +
      `the first that differs at place ${at < 0 ? expected.length : at}`,
  );
}
