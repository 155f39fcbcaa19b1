import { equalBytes, isFault } from '@cairn/primitives';
import { payloadOf } from './blob-matrix.ts';
import { type CommitOptions, commitMatrix } from './commitment.ts';
import { SliceError } from './errors.ts';
import type { BlobLayout } from './layout.ts';
import type { RowCodec } from './row-codec.ts';
import { assertParams, type ExpectedBlob } from './verified-header.ts';
import type { MemberRow } from './verify-row.ts';

/** What a commitment stands for, as far as the rows at hand tell. */
export type BlobValue =
  | { readonly kind: 'payload'; readonly payload: Uint8Array }
  /** No payload has this commitment: final, and the same for every reader. */
  | { readonly kind: 'null' }
  /** Too few rows; more of them decide. */
  | { readonly kind: 'unavailable'; readonly have: number; readonly need: number };

/** What reading works with. */
export interface ReadOptions extends CommitOptions {
  readonly codec: CommitOptions['codec'] & Pick<RowCodec, 'decode'>;
}

/**
 * The value of a commitment: the payload that has it, or null.
 *
 * From any K rows that were committed to, data rows are decoded, encoded again, and the whole
 * commitment is compared. Equal: everybody's rows decode to this payload, because the commitment
 * fixes them all. Different: no payload has this commitment, or K of its rows would give it. So the
 * answer does not depend on which rows a reader has, given that nobody finds collisions.
 *
 * @param rows - members of the expected blob, in any order; those with one index count once
 * @returns the payload as a view of the reader's own bytes
 * @throws {SliceError} SLICE_COMMITMENT, SLICE_HEADER for rows of another blob; the signal's reason
 */
export async function readValue(
  rows: readonly MemberRow[],
  expected: ExpectedBlob,
  options: ReadOptions,
): Promise<BlobValue> {
  const { layout, commitment } = expected;
  for (const row of rows) assertSameBlob(row, expected, options);
  const need = layout.dataRows;
  const have = new Set(rows.map(({ index }) => index)).size;
  if (have < need) return { kind: 'unavailable', have, need };
  const data = await options.codec.decode(rows, layout, { signal: options.signal });
  const payload = payloadIn(data, layout);
  if (payload === undefined) return { kind: 'null' };
  const committed = await commitMatrix(data, layout, options);
  committed.held.release();
  const isEqual = equalBytes(committed.commitment, commitment);
  return isEqual ? { kind: 'payload', payload } : { kind: 'null' };
}

/** `undefined` if the rows are those of no payload: another header, or bytes after the payload. */
function payloadIn(data: Uint8Array, layout: BlobLayout): Uint8Array | undefined {
  try {
    return payloadOf(data, layout);
  } catch (error) {
    if (isFault(error, 'BLOB_HEADER')) return undefined;
    throw error;
  }
}

/** Rows of another blob would make a null of this one. */
function assertSameBlob(
  { index, blob }: MemberRow,
  expected: ExpectedBlob,
  { suite }: Pick<ReadOptions, 'suite'>,
): void {
  if (!equalBytes(blob.commitment, expected.commitment)) {
    throw new SliceError(
      { code: 'SLICE_COMMITMENT' },
      `row ${index} is proven to be of another commitment`,
    );
  }
  assertParams(blob, expected.layout, suite);
}
