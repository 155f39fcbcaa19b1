import type { RowSuite } from '@cairn/commitments/rows';
import { equalBytes } from '@cairn/primitives';
import { type BlobParams, encodeParams, refuseHeader } from './blob-params.ts';
import { combinationCoefficients, type RowCombiner } from './combination.ts';
import { SliceError } from './errors.ts';
import { scalarCombiner } from './kernels/scalar-combiner.ts';
import type { BlobLayout } from './layout.ts';
import { COMBINATION_BYTES } from './params.ts';
import { challengeOf, combinationTree, commitmentOf, HASH_BYTES, rowRootOf } from './transcript.ts';

declare const verified: unique symbol;

/** What checks rows. */
export interface VerifyOptions {
  /** The suite the commitment names. */
  readonly suite: RowSuite;
  /** The one in plain TypeScript unless told. */
  readonly combiner?: RowCombiner;
}

/** What a verifier knows of a blob beforehand. */
export interface ExpectedBlob {
  /** 32 bytes. */
  readonly commitment: Uint8Array;
  /** `layoutOf` the payload's length and the verifier's own network. */
  readonly layout: BlobLayout;
}

/** What proves rows, the same for all rows of a blob; not proven itself. */
export interface BlobHeader extends BlobParams {
  /** Roots of the cosets, 32 bytes each, data first: 1 + cosets of them. */
  readonly cosetRoots: readonly Uint8Array[];
  /** y: 32 bytes for each data row. */
  readonly combinations: Uint8Array;
}

/** A header proven to be the one behind a commitment. Only `verifyHeader` makes one. */
export type VerifiedHeader = BlobHeader &
  ExpectedBlob & {
    /** What the columns of rows are multiplied with: 32 bytes for each. */
    readonly coefficients: Uint8Array;
    /** What the combination of each row has to be: 32 bytes for each of all rows. */
    readonly expectedCombinations: Uint8Array;
    readonly [verified]: true;
  };

/**
 * Proves a header and extends its combinations to all rows.
 *
 * Cost: 2 · K hashes and a transform of 32 bytes a row, once for all rows that are checked with it.
 *
 * @throws {SliceError} SLICE_HEADER if it is of another suite or layout; SLICE_LENGTH;
 *   SLICE_COMMITMENT
 */
export function verifyHeader(
  header: BlobHeader,
  expected: ExpectedBlob,
  { suite, combiner = scalarCombiner() }: VerifyOptions,
): VerifiedHeader {
  const { layout, combinations, cosetRoots } = header;
  assertParams(header, expected.layout, suite);
  assertCosetRoots(cosetRoots, layout);
  assertLength(combinations, layout.dataRows * COMBINATION_BYTES, 'combinations');
  const { root } = combinationTree(suite, combinations);
  const rowRoot = assertCommitment(header, root, expected.commitment, suite);
  const seed = challengeOf(suite, rowRoot, encodeParams(header));
  return {
    suite: suite.id,
    layout,
    cosetRoots,
    combinations,
    commitment: expected.commitment,
    coefficients: combinationCoefficients(suite, seed, layout.rowBytes),
    expectedCombinations: combiner.extend(combinations, layout),
  } as VerifiedHeader;
}

/** @throws {SliceError} SLICE_HEADER unless the parameters are the suite's and the layout's */
export function assertParams(
  { suite: id, layout }: BlobParams,
  expected: BlobLayout,
  suite: Pick<RowSuite, 'id'>,
): void {
  if (id !== suite.id) refuseHeader('suite');
  const fields = ['payloadBytes', 'log2K', 'dataRows', 'cosets', 'rows', 'rowBytes'] as const;
  for (const field of fields) {
    if (layout[field] !== expected[field]) refuseHeader(field);
  }
}

/** @throws {SliceError} SLICE_FORM, SLICE_LENGTH unless there is one root for each coset */
export function assertCosetRoots(
  cosetRoots: readonly Uint8Array[],
  { cosets }: Pick<BlobLayout, 'cosets'>,
): void {
  if (cosetRoots.length !== 1 + cosets) {
    throw new SliceError(
      { code: 'SLICE_FORM', field: 'cosetRoots', actual: cosetRoots.length },
      `a blob with ${cosets} parity cosets has ${1 + cosets} roots, not ${cosetRoots.length}`,
    );
  }
  for (const root of cosetRoots) assertLength(root, HASH_BYTES, 'a coset root');
}

/**
 * @returns the root over all rows
 * @throws {SliceError} SLICE_COMMITMENT unless the parts make up the commitment
 */
export function assertCommitment(
  params: BlobParams & Pick<BlobHeader, 'cosetRoots'>,
  combinationRoot: Uint8Array,
  commitment: Uint8Array,
  suite: Pick<RowSuite, 'digest'>,
): Uint8Array {
  const rowRoot = rowRootOf(suite, params.cosetRoots);
  const actual = commitmentOf(suite, rowRoot, combinationRoot, encodeParams(params));
  if (!equalBytes(actual, commitment)) {
    throw new SliceError(
      { code: 'SLICE_COMMITMENT' },
      'coset roots, combinations and parameters do not make up the commitment',
    );
  }
  return rowRoot;
}

/** @throws {SliceError} SLICE_LENGTH */
export function assertLength(bytes: Uint8Array, expectedBytes: number, what: string): void {
  if (bytes.length !== expectedBytes) {
    throw new SliceError(
      { code: 'SLICE_LENGTH', expectedBytes, actualBytes: bytes.length },
      `${what} has ${expectedBytes} bytes, not ${bytes.length}`,
    );
  }
}
