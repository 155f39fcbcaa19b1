import { equalBytes, isZeroBytes } from '@cairn/primitives';
import { CodecError } from './errors.ts';
import type { BlobLayout } from './layout.ts';
import { CODEC_VERSION, HEADER_BYTES } from './params.ts';
import { assertDataLength } from './row-choice.ts';

/** Fields of the header, by their first byte; the last one ends with the header. */
const HEADER_FIELDS = ['version', 'log2K', 'cosets', 'reserved', 'payloadBytes'];

/** Data rows whose payload is still to be written. */
export interface DataMatrix {
  /** `dataRows · rowBytes` bytes: the header, and zeros. */
  readonly data: Uint8Array;
  /** The view of `data` that the payload goes into. */
  readonly payload: Uint8Array;
}

/**
 * Data rows to read a payload into, so that it need not lie in memory twice.
 *
 * @param memory - `dataRows · rowBytes` bytes, all zero: from a codec's `newMatrix`, say
 * @throws {CodecError} ROW_LENGTH unless `memory` fits
 */
export function newDataMatrix(
  layout: BlobLayout,
  memory: Uint8Array = new Uint8Array(layout.dataRows * layout.rowBytes),
): DataMatrix {
  assertDataLength(memory, layout);
  memory.set(headerOf(layout));
  const payload = memory.subarray(HEADER_BYTES, HEADER_BYTES + layout.payloadBytes);
  return { data: memory, payload };
}

/**
 * The data rows of a payload, one after another: header, payload, zeros.
 *
 * @returns `dataRows · rowBytes` bytes, the caller's own
 * @throws {CodecError} LAYOUT if the layout is for a payload of another length
 */
export function dataMatrix(payload: Uint8Array, layout: BlobLayout): Uint8Array {
  if (payload.length !== layout.payloadBytes) {
    throw new CodecError(
      { code: 'LAYOUT', field: 'payloadBytes', actual: layout.payloadBytes },
      `the layout is for ${layout.payloadBytes} bytes, not ${payload.length}`,
    );
  }
  const matrix = newDataMatrix(layout);
  matrix.payload.set(payload);
  return matrix.data;
}

/**
 * The payload in data rows.
 *
 * @param data - `dataRows · rowBytes` bytes
 * @returns a view of `data`
 * @throws {CodecError} ROW_LENGTH; BLOB_HEADER unless the header is the layout's and all after the
 *   payload is zero: else one payload could have several matrices, and so several commitments
 */
export function payloadOf(data: Uint8Array, layout: BlobLayout): Uint8Array {
  assertDataLength(data, layout);
  const header = headerOf(layout);
  for (const [index, field] of HEADER_FIELDS.entries()) {
    const end = field === 'payloadBytes' ? HEADER_BYTES : index + 1;
    if (!equalBytes(data.subarray(index, end), header.subarray(index, end))) {
      throw headerFault(field, `the ${field} in the header is not the layout's`);
    }
  }
  const end = HEADER_BYTES + layout.payloadBytes;
  if (!isZeroBytes(data.subarray(end))) {
    throw headerFault('padding', `the ${data.length - end} bytes after the payload are not zero`);
  }
  return data.subarray(HEADER_BYTES, end);
}

/** Version, log2 K, cosets, zero, length in four bytes, lowest first. */
function headerOf({ log2K, cosets, payloadBytes }: BlobLayout): Uint8Array {
  const header = Uint8Array.of(CODEC_VERSION, log2K, cosets, 0, 0, 0, 0, 0);
  new DataView(header.buffer).setUint32(4, payloadBytes, true);
  return header;
}

function headerFault(field: string, message: string): CodecError {
  return new CodecError({ code: 'BLOB_HEADER', field }, message);
}
