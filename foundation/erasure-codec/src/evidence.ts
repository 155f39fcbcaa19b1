import { concatBytes, isFault } from '@cairn/primitives';
import { SliceError } from './errors.ts';
import type { BlobLayout } from './layout.ts';
import {
  encodeProvenRow,
  encodeProving,
  encodeStart,
  MESSAGE_START_BYTES,
  MessageReader,
  provenRowBytes,
  provingBytes,
  refuseForm,
} from './message-bytes.ts';
import {
  type BlobHeader,
  type VerifiedHeader,
  type VerifyOptions,
  verifyHeader,
} from './verified-header.ts';
import { type ProvenRow, verifyRow } from './verify-row.ts';

declare const verified: unique symbol;

/** What shows that a blob's maker committed to a row that is not of the codeword; not proven. */
export interface BadRow {
  readonly header: BlobHeader;
  readonly row: ProvenRow;
}

/**
 * Proof that a commitment is bad: its value is null, whatever rows a reader has. Only
 * `badRowEvidence` and `verifyBadRow` make one.
 */
export type VerifiedBadRow = BadRow & { readonly [verified]: true };

/**
 * Evidence about a row that `verifyRow` refused with ROW_COMBINATION. A row that only misses its
 * path was never committed to, and proves nothing.
 *
 * @throws {SliceError} EVIDENCE_GOOD_ROW for a row of the codeword; as `verifyMembership`
 */
export function badRowEvidence(
  row: ProvenRow,
  header: VerifiedHeader,
  options: VerifyOptions,
): VerifiedBadRow {
  assertBad(row, header, options);
  const { suite, layout, cosetRoots, combinations } = header;
  return { header: { suite, layout, cosetRoots, combinations }, row } as VerifiedBadRow;
}

/**
 * Checks evidence, knowing nothing but the commitment it is about: whoever parses it takes no
 * layout on trust, because the commitment covers it.
 *
 * @param evidence - from `parseBadRow`
 * @param commitment - 32 bytes
 * @throws {SliceError} as `verifyHeader`, as `badRowEvidence`
 */
export function verifyBadRow(
  evidence: BadRow,
  commitment: Uint8Array,
  options: VerifyOptions,
): VerifiedBadRow {
  const { header, row } = evidence;
  assertBad(row, verifyHeader(header, { commitment, layout: header.layout }, options), options);
  return { header, row } as VerifiedBadRow;
}

function assertBad(row: ProvenRow, header: VerifiedHeader, options: VerifyOptions): void {
  try {
    verifyRow(row, header, options);
  } catch (error) {
    if (isFault(error, 'ROW_COMBINATION')) return;
    throw error;
  }
  throw new SliceError(
    { code: 'EVIDENCE_GOOD_ROW', index: row.index },
    `row ${row.index} is of the codeword: it is evidence of nothing`,
  );
}

const KIND = { magic: 'CBAD', form: 0 } as const;

/** Bytes of evidence. */
export function badRowBytes(layout: BlobLayout): number {
  return MESSAGE_START_BYTES + provingBytes(layout) + provenRowBytes(layout);
}

/**
 * Evidence as bytes.
 *
 * @throws {SliceError} SLICE_FORM, SLICE_LENGTH if it could not be parsed back
 * @see docs/spec/codec.md, "Evidence"
 */
export function encodeBadRow({ header, row }: BadRow): Uint8Array {
  return concatBytes(
    encodeStart(KIND, header),
    encodeProving(header),
    encodeProvenRow(row, header.layout),
  );
}

/**
 * Evidence from outside: exact length, one form only. It shares memory with `bytes`.
 *
 * @throws {SliceError} SLICE_FORM, SLICE_LENGTH, SLICE_HEADER
 */
export function parseBadRow(bytes: Uint8Array): BadRow {
  const reader = new MessageReader(bytes);
  const params = reader.start(KIND.magic);
  if (params.form !== KIND.form) refuseForm('form', params.form);
  reader.expectLength(badRowBytes(params.layout));
  return { header: reader.proving(params), row: reader.provenRow(params.layout) };
}
