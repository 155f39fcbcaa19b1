import { concatBytes, viewOf } from '@cairn/primitives';
import { BLOB_PARAMS_BYTES, type BlobParams, encodeParams, parseParams } from './blob-params.ts';
import { SliceError } from './errors.ts';
import type { BlobLayout } from './layout.ts';
import { COMBINATION_BYTES } from './params.ts';
import { HASH_BYTES } from './transcript.ts';
import { assertCosetRoots, assertLength, type BlobHeader } from './verified-header.ts';
import { assertRowForm, type ProvenRow } from './verify-row.ts';

/** Version of the messages that this build writes and reads. */
const MESSAGE_VERSION = 1;
/** Bytes before a message's parameters. */
const PREAMBLE_BYTES = 8;

/** What a message is, from its first six bytes. */
export interface MessageKind {
  /** Four ASCII letters. */
  readonly magic: string;
  /** Which of a message's forms it has. */
  readonly form: number;
}

/** Bytes of a message before all that depends on its form. */
export const MESSAGE_START_BYTES: number = PREAMBLE_BYTES + BLOB_PARAMS_BYTES;

/** Bytes of coset roots. */
export function rootsBytes({ cosets }: BlobLayout): number {
  return (1 + cosets) * HASH_BYTES;
}

/** Bytes of coset roots and all combinations. */
export function provingBytes(layout: BlobLayout): number {
  return rootsBytes(layout) + layout.dataRows * COMBINATION_BYTES;
}

/** Bytes of a row with its index and its path. */
export function provenRowBytes({ rowBytes, log2K }: BlobLayout): number {
  return 4 + rowBytes + log2K * HASH_BYTES;
}

/** Magic, version, form, two zero bytes, parameters. */
export function encodeStart({ magic, form }: MessageKind, params: BlobParams): Uint8Array {
  const preamble = new Uint8Array(PREAMBLE_BYTES);
  for (let at = 0; at < 4; at += 1) preamble[at] = magic.charCodeAt(at);
  preamble[4] = MESSAGE_VERSION;
  preamble[5] = form;
  return concatBytes(preamble, encodeParams(params));
}

/** @throws {SliceError} SLICE_FORM, SLICE_LENGTH if the header could not be parsed back */
export function encodeProving({ layout, cosetRoots, combinations }: BlobHeader): Uint8Array {
  assertCosetRoots(cosetRoots, layout);
  assertLength(combinations, layout.dataRows * COMBINATION_BYTES, 'combinations');
  return concatBytes(...cosetRoots, combinations);
}

/** @throws {SliceError} SLICE_FORM, SLICE_LENGTH if the row could not be parsed back */
export function encodeProvenRow(row: ProvenRow, layout: BlobLayout): Uint8Array {
  const bytes = new Uint8Array(provenRowBytes(layout));
  writeProvenRow(bytes, 0, row, layout);
  return bytes;
}

/** `encodeProvenRow` to a place in a message. @throws as `encodeProvenRow` */
export function writeProvenRow(
  message: Uint8Array,
  at: number,
  row: ProvenRow,
  layout: BlobLayout,
): void {
  assertRowForm(row, layout);
  viewOf(message).setUint32(at, row.index, true);
  message.set(row.bytes, at + 4);
  message.set(row.path, at + 4 + row.bytes.length);
}

/** Reads a message part by part; what it gives shares memory with the message. */
export class MessageReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * The start of a message of this magic.
   *
   * @throws {SliceError} SLICE_LENGTH, SLICE_FORM, SLICE_HEADER
   */
  start(magic: string): BlobParams & { readonly form: number } {
    const preamble = this.take(PREAMBLE_BYTES);
    const view = viewOf(preamble);
    for (let at = 0; at < 4; at += 1) {
      if (preamble[at] !== magic.charCodeAt(at)) refuseForm('magic', view.getUint32(0));
    }
    if (view.getUint8(4) !== MESSAGE_VERSION) refuseForm('version', view.getUint8(4));
    if (view.getUint16(6) !== 0) refuseForm('reserved', view.getUint16(6));
    return { ...parseParams(this.take(BLOB_PARAMS_BYTES)), form: view.getUint8(5) };
  }

  /** Says how long the whole message has to be. @throws {SliceError} SLICE_LENGTH */
  expectLength(expectedBytes: number): void {
    assertLength(this.#bytes, expectedBytes, 'the message');
  }

  /** The next bytes. @throws {SliceError} SLICE_LENGTH if there are fewer */
  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      throw new SliceError(
        { code: 'SLICE_LENGTH', expectedBytes: end, actualBytes: this.#bytes.length },
        `the message has at least ${end} bytes, not ${this.#bytes.length}`,
      );
    }
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  /** The next four bytes as a number. */
  number(): number {
    return viewOf(this.take(4)).getUint32(0, true);
  }

  /** Coset roots. */
  cosetRoots({ cosets }: BlobLayout): Uint8Array[] {
    return Array.from({ length: 1 + cosets }, () => this.take(HASH_BYTES));
  }

  /** Coset roots and combinations, as a header of these parameters. */
  proving({ suite, layout }: BlobParams): BlobHeader {
    const cosetRoots = this.cosetRoots(layout);
    const combinations = this.take(layout.dataRows * COMBINATION_BYTES);
    return { suite, layout, cosetRoots, combinations };
  }

  /** A row with its index and its path. @throws {SliceError} SLICE_FORM for an index past the rows */
  provenRow(layout: BlobLayout): ProvenRow {
    const index = this.number();
    const bytes = this.take(layout.rowBytes);
    const row = { index, bytes, path: this.take(layout.log2K * HASH_BYTES) };
    assertRowForm(row, layout);
    return row;
  }
}

/** @throws {SliceError} SLICE_FORM, always */
export function refuseForm(field: string, actual: number): never {
  throw new SliceError(
    { code: 'SLICE_FORM', field, actual },
    `no message of this version has the ${field} ${actual} there`,
  );
}
