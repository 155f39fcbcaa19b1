import type { RowSuite } from '@cairn/commitments/rows';
import { isZeroBytes, viewOf } from '@cairn/primitives';
import { SliceError } from './errors.ts';
import { type BlobLayout, layoutOf } from './layout.ts';
import {
  CODEC_VERSION,
  COMBINATION_SYMBOLS,
  MAX_PARITY_COSETS,
  MAX_PAYLOAD_BYTES,
} from './params.ts';

/** What a commitment says about its blob beside the bytes. */
export interface BlobParams {
  /** The hash suite's number. */
  readonly suite: RowSuite['id'];
  readonly layout: BlobLayout;
}

/** Bytes of encoded parameters. */
export const BLOB_PARAMS_BYTES = 24;

const SMALLEST_LOG2K = 6;
const LARGEST_LOG2K = 12;

/**
 * Parameters as a commitment covers them, little-endian: version u8, suite u8, parity cosets u8,
 * log2 K u8, combination symbols u16, row bytes u32, payload bytes u64, six zero bytes.
 */
export function encodeParams({ suite, layout }: BlobParams): Uint8Array {
  const bytes = new Uint8Array(BLOB_PARAMS_BYTES);
  bytes.set([CODEC_VERSION, suite, layout.cosets, layout.log2K]);
  const view = viewOf(bytes);
  view.setUint16(4, COMBINATION_SYMBOLS, true);
  view.setUint32(6, layout.rowBytes, true);
  view.setBigUint64(10, BigInt(layout.payloadBytes), true);
  return bytes;
}

/**
 * Parameters from outside: those of this version that some network has for a payload of that
 * length. Whether it is the reader's network, the comparison with its own layout decides.
 *
 * @param bytes - 24 of them
 * @throws {SliceError} SLICE_LENGTH; SLICE_HEADER naming the first field that no blob has
 */
export function parseParams(bytes: Uint8Array): BlobParams {
  if (bytes.length !== BLOB_PARAMS_BYTES) {
    throw new SliceError(
      { code: 'SLICE_LENGTH', expectedBytes: BLOB_PARAMS_BYTES, actualBytes: bytes.length },
      `parameters of a blob have ${BLOB_PARAMS_BYTES} bytes, not ${bytes.length}`,
    );
  }
  const view = viewOf(bytes);
  const suite = view.getUint8(1);
  const cosets = view.getUint8(2);
  const log2K = view.getUint8(3);
  const payloadBytes = view.getBigUint64(10, true);
  if (view.getUint8(0) !== CODEC_VERSION) refuseHeader('version');
  if (suite !== 0 && suite !== 1) return refuseHeader('suite');
  if (cosets < 1 || cosets > MAX_PARITY_COSETS) refuseHeader('cosets');
  if (log2K < SMALLEST_LOG2K || log2K > LARGEST_LOG2K) refuseHeader('log2K');
  if (view.getUint16(4, true) !== COMBINATION_SYMBOLS) refuseHeader('combinationSymbols');
  if (payloadBytes > BigInt(MAX_PAYLOAD_BYTES)) refuseHeader('payloadBytes');
  const layout = layoutOf(Number(payloadBytes), { cosets, minLog2K: log2K });
  if (layout.log2K !== log2K) refuseHeader('log2K');
  if (layout.rowBytes !== view.getUint32(6, true)) refuseHeader('rowBytes');
  if (!isZeroBytes(bytes.subarray(18))) refuseHeader('padding');
  return { suite, layout };
}

/** @throws {SliceError} SLICE_HEADER, always */
export function refuseHeader(field: string): never {
  throw new SliceError(
    { code: 'SLICE_HEADER', field },
    `the ${field} of a blob is not what it has to be`,
  );
}
