import type { RowSuite } from '@cairn/commitments/rows';
import { equalBytes } from '@cairn/primitives';
import { type BlobParams, refuseHeader } from './blob-params.ts';
import type { RowCombiner } from './combination.ts';
import { SliceError } from './errors.ts';
import { scalarCombiner } from './kernels/scalar-combiner.ts';
import type { BlobLayout } from './layout.ts';
import { COMBINATION_BYTES } from './params.ts';
import type { PlacedRow } from './row-codec.ts';
import { pathRoots } from './row-paths.ts';
import { HASH_BYTES } from './transcript.ts';
import {
  assertCommitment,
  assertCosetRoots,
  assertLength,
  assertParams,
  type BlobHeader,
  type ExpectedBlob,
  type VerifiedHeader,
  type VerifyOptions,
} from './verified-header.ts';

declare const member: unique symbol;
declare const verified: unique symbol;

/** A row as it comes from outside, with what ties it to its coset's root. */
export interface ProvenRow extends PlacedRow {
  /** Siblings from the leaf up, 32 bytes each: log2 K of them. */
  readonly path: Uint8Array;
}

/**
 * A row proven to be one of those that were committed to, at its place. It need not be of a
 * codeword. Only `verifyMembership` and `verifyDataRow` make one, and what verifies more.
 */
export type MemberRow = ProvenRow & {
  /** The blob it is of. */
  readonly blob: ExpectedBlob & BlobParams;
  readonly [member]: true;
};

/** A member whose combination is what the codeword's has to be. Only `verifyRows` makes one. */
export type VerifiedRow = MemberRow & { readonly [verified]: true };

/**
 * Proves that a row was committed to.
 *
 * @throws {SliceError} SLICE_FORM, SLICE_LENGTH, SLICE_HEADER, ROW_PATH
 */
export function verifyMembership(
  row: ProvenRow,
  header: VerifiedHeader,
  { suite }: Pick<VerifyOptions, 'suite'>,
): MemberRow {
  return verifyMembers([row], header, suite)[0] as MemberRow;
}

/**
 * Proves that a row was committed to and, by its combination, that it is of the codeword: the full
 * check that a holder or a light client makes.
 *
 * @throws {SliceError} as `verifyMembership`; ROW_COMBINATION, which is evidence: `badRowEvidence`
 */
export function verifyRow(
  row: ProvenRow,
  header: VerifiedHeader,
  options: VerifyOptions,
): VerifiedRow {
  return verifyRows([row], header, options)[0] as VerifiedRow;
}

/** Bytes of rows that are checked together: enough that combining them all at once pays. */
const BATCH_BYTES = 2 ** 22;

/**
 * `verifyRow` for many, faster; the first fault refuses all.
 *
 * Memory: less than 1 MiB beside the rows.
 *
 * @throws {SliceError} as `verifyRow`
 */
export function verifyRows(
  rows: readonly ProvenRow[],
  header: VerifiedHeader,
  { suite, combiner = scalarCombiner() }: VerifyOptions,
): VerifiedRow[] {
  const membersOf = (some: readonly ProvenRow[]): MemberRow[] => verifyMembers(some, header, suite);
  return inBatches(rows, membersOf, header, combiner);
}

/** Rows whose paths were made from what they hold, and the root that all of them lead to. */
export interface RootedRows {
  /** All of one coset; one at least. */
  readonly rows: readonly ProvenRow[];
  readonly root: Uint8Array;
}

/**
 * `verifyRows` for rows that are hashed already: their root has only to be that of their coset.
 *
 * @throws {SliceError} as `verifyRow`
 */
export function verifyRooted(
  { rows, root }: RootedRows,
  header: VerifiedHeader,
  { suite, combiner = scalarCombiner() }: VerifyOptions,
): VerifiedRow[] {
  const { layout, commitment, cosetRoots } = header;
  if (header.suite !== suite.id) refuseHeader('suite');
  const blob = { commitment, layout, suite: suite.id };
  for (const row of rows) assertRowForm(row, layout);
  const members = rows.map((row) => memberOf(row, root, cosetRoots, blob));
  return inBatches(members, (some) => some, header, combiner);
}

/** Proves rows so many at a time, with what `membersOf` makes of them. */
function inBatches<Row>(
  rows: readonly Row[],
  membersOf: (rows: readonly Row[]) => readonly MemberRow[],
  header: VerifiedHeader,
  combiner: RowCombiner,
): VerifiedRow[] {
  const perBatch = Math.ceil(BATCH_BYTES / header.layout.rowBytes);
  const results: VerifiedRow[] = [];
  for (let from = 0; from < rows.length; from += perBatch) {
    const members = membersOf(rows.slice(from, from + perBatch));
    for (const row of verifyCombinations(members, header, combiner)) results.push(row);
  }
  return results;
}

/** @throws {SliceError} ROW_COMBINATION */
function verifyCombinations(
  members: readonly MemberRow[],
  { coefficients, expectedCombinations, layout }: VerifiedHeader,
  combiner: RowCombiner,
): readonly VerifiedRow[] {
  const bytes = members.map((row) => row.bytes);
  const combinations = combiner.combineRows(bytes, layout.rowBytes, coefficients);
  for (const [at, { index }] of members.entries()) {
    const actual = slotOf(combinations, at, COMBINATION_BYTES);
    const expected = slotOf(expectedCombinations, index, COMBINATION_BYTES);
    if (equalBytes(actual, expected)) continue;
    throw new SliceError(
      { code: 'ROW_COMBINATION', index },
      `row ${index} was committed to but is not of the codeword: its combination differs`,
    );
  }
  return members as readonly VerifiedRow[];
}

/** A data row that proves itself without the other rows' combinations; not proven itself. */
export interface DataRow extends BlobParams, Pick<BlobHeader, 'cosetRoots'> {
  /** Its index is below K. */
  readonly row: ProvenRow;
  /** y_index, 32 bytes. */
  readonly combination: Uint8Array;
  /** Siblings of the combination's leaf, as those of the row's. */
  readonly combinationPath: Uint8Array;
}

/**
 * Proves that a data row was committed to, from log2 K hashes instead of all combinations. It says
 * nothing about the codeword: whoever reads the payload encodes again.
 *
 * @throws {SliceError} SLICE_FORM, SLICE_LENGTH, SLICE_HEADER, SLICE_COMMITMENT, ROW_PATH
 */
export function verifyDataRow(
  message: DataRow,
  expected: ExpectedBlob,
  { suite }: Pick<VerifyOptions, 'suite'>,
): MemberRow {
  const { layout, cosetRoots, row, combination, combinationPath } = message;
  assertParams(message, expected.layout, suite);
  assertCosetRoots(cosetRoots, layout);
  assertRowForm(row, layout);
  assertDataIndex(row.index, layout);
  assertLength(combination, COMBINATION_BYTES, 'a combination');
  assertLength(combinationPath, layout.log2K * HASH_BYTES, 'the path of a combination');
  const { commitment } = expected;
  const leaf = suite.leaves(combination, COMBINATION_BYTES);
  const combinationRoot = pathRoots(suite, leaf, [{ index: row.index, path: combinationPath }]);
  assertCommitment(message, combinationRoot, commitment, suite);
  const root = pathRoots(suite, suite.leaves(row.bytes, layout.rowBytes), [row]);
  return memberOf(row, root, cosetRoots, { commitment, layout, suite: suite.id });
}

/** @throws {SliceError} SLICE_FORM, SLICE_LENGTH unless the row fits the layout */
export function assertRowForm(
  { index, bytes, path }: ProvenRow,
  { rows, rowBytes, log2K }: BlobLayout,
): void {
  if (!Number.isInteger(index) || index < 0 || index >= rows) refuseIndex(index, rows);
  assertLength(bytes, rowBytes, `row ${index}`);
  assertLength(path, log2K * HASH_BYTES, `the path of row ${index}`);
}

/** @throws {SliceError} SLICE_FORM for a parity row */
export function assertDataIndex(index: number, { dataRows }: BlobLayout): void {
  if (index >= dataRows) refuseIndex(index, dataRows);
}

function refuseIndex(index: number, rows: number): never {
  throw new SliceError(
    { code: 'SLICE_FORM', field: 'index', actual: index },
    `the row's index is 0 to ${rows - 1}, not ${index}`,
  );
}

function verifyMembers(
  rows: readonly ProvenRow[],
  header: VerifiedHeader,
  suite: RowSuite,
): MemberRow[] {
  const { layout, commitment, cosetRoots } = header;
  if (header.suite !== suite.id) refuseHeader('suite');
  for (const row of rows) assertRowForm(row, layout); // before hashing: a malformed one costs nothing
  const paths = rows.map(({ index, path }) => ({ index: index % layout.dataRows, path }));
  const bytes = rows.map((row) => row.bytes);
  const roots = pathRoots(suite, suite.leaves(bytes, layout.rowBytes), paths);
  const blob = { commitment, layout, suite: suite.id };
  return rows.map((row, at) => memberOf(row, slotOf(roots, at, HASH_BYTES), cosetRoots, blob));
}

/** @throws {SliceError} ROW_PATH unless what the row leads to is its coset's root */
function memberOf(
  { index, bytes, path }: ProvenRow,
  root: Uint8Array,
  cosetRoots: readonly Uint8Array[],
  blob: MemberRow['blob'],
): MemberRow {
  const expected = cosetRoots[Math.floor(index / blob.layout.dataRows)];
  if (expected === undefined || !equalBytes(root, expected)) {
    throw new SliceError(
      { code: 'ROW_PATH', index },
      `row ${index} and its path do not lead to the root of its coset`,
    );
  }
  return { index, bytes, path, blob } as MemberRow;
}

function slotOf(bytes: Uint8Array, at: number, size: number): Uint8Array {
  return bytes.subarray(at * size, (at + 1) * size);
}
