import { concatBytes } from '@cairn/primitives';
import type { BlobParams } from './blob-params.ts';
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
  rootsBytes,
} from './message-bytes.ts';
import { COMBINATION_BYTES } from './params.ts';
import { HASH_BYTES } from './transcript.ts';
import { assertCosetRoots, assertLength, type BlobHeader } from './verified-header.ts';
import { assertDataIndex, type DataRow, type ProvenRow } from './verify-row.ts';

/** A row for whoever has the header already: `verifyHeader` once, then `verifyRow` for each. */
export interface BareRow extends BlobParams {
  readonly kind: 'bare';
  readonly row: ProvenRow;
}
/** A row with its blob's header. */
export interface FullRow {
  readonly kind: 'full';
  readonly header: BlobHeader;
  readonly row: ProvenRow;
}
/** A data row with the path of its combination: `verifyDataRow`. */
export interface DataRowMessage extends DataRow {
  readonly kind: 'data';
}
/** One row as it travels; nothing is proven. */
export type RowMessage = BareRow | FullRow | DataRowMessage;

const MAGIC = 'CROW';
const FORMS = { bare: 1, full: 2, data: 3 } as const;

/** Bytes of a row message: what a transport that knows the blob has to let through. */
export function rowMessageBytes(layout: BlobLayout, kind: RowMessage['kind']): number {
  return MESSAGE_START_BYTES + provenRowBytes(layout) + PROOF_BYTES[kind](layout);
}

const PROOF_BYTES: Readonly<Record<RowMessage['kind'], (layout: BlobLayout) => number>> = {
  bare: () => 0,
  full: provingBytes,
  data: (layout) => rootsBytes(layout) + COMBINATION_BYTES + layout.log2K * HASH_BYTES,
};

/**
 * A row message as bytes.
 *
 * @throws {SliceError} SLICE_FORM, SLICE_LENGTH if it could not be parsed back
 * @see docs/spec/codec.md, "Row message"
 */
export function encodeRow(message: RowMessage): Uint8Array {
  const params = message.kind === 'full' ? message.header : message;
  const row = encodeProvenRow(message.row, params.layout);
  const start = encodeStart({ magic: MAGIC, form: FORMS[message.kind] }, params);
  switch (message.kind) {
    case 'bare':
      return concatBytes(start, row);
    case 'full':
      return concatBytes(start, encodeProving(message.header), row);
    case 'data':
      return concatBytes(start, encodeDataProof(message), row);
  }
}

function encodeDataProof(message: DataRow): Uint8Array {
  const { layout, cosetRoots, combination, combinationPath } = message;
  assertDataIndex(message.row.index, layout);
  assertCosetRoots(cosetRoots, layout);
  assertLength(combination, COMBINATION_BYTES, 'a combination');
  assertLength(combinationPath, layout.log2K * HASH_BYTES, 'the path of a combination');
  return concatBytes(...cosetRoots, combination, combinationPath);
}

/**
 * The row of a message: exact length, one form only. It shares memory with `bytes`. Nothing is
 * proven yet.
 *
 * @throws {SliceError} SLICE_FORM, SLICE_LENGTH, SLICE_HEADER
 */
export function parseRow(bytes: Uint8Array): RowMessage {
  const reader = new MessageReader(bytes);
  const { form, suite, layout } = reader.start(MAGIC);
  const params = { suite, layout };
  switch (form) {
    case FORMS.bare:
      reader.expectLength(rowMessageBytes(layout, 'bare'));
      return { kind: 'bare', ...params, row: reader.provenRow(layout) };
    case FORMS.full:
      reader.expectLength(rowMessageBytes(layout, 'full'));
      return { kind: 'full', header: reader.proving(params), row: reader.provenRow(layout) };
    case FORMS.data: {
      reader.expectLength(rowMessageBytes(layout, 'data'));
      const cosetRoots = reader.cosetRoots(layout);
      const combination = reader.take(COMBINATION_BYTES);
      const combinationPath = reader.take(layout.log2K * HASH_BYTES);
      const row = reader.provenRow(layout);
      assertDataIndex(row.index, layout);
      return { kind: 'data', ...params, cosetRoots, combination, combinationPath, row };
    }
    default:
      return refuseForm('form', form);
  }
}
