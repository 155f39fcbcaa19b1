import { crc32 } from 'node:zlib';
import {
  BLOB_HEADER_BYTES,
  type BlobHeader,
  encodeBlobHeader,
  parseBlobHeader,
} from '@cairn/attestation';
import {
  type BlobLayout,
  encodeSlice,
  layoutOf,
  sliceMessageBytes,
  type VerifiedSlice,
} from '@cairn/erasure-codec';
import { bigEndianBytes, concatBytes, viewOf } from '@cairn/primitives';
import {
  encodePromiseTerms,
  PROMISE_TERMS_BYTES,
  type PromiseTerms,
  parsePromiseTerms,
} from '@cairn/wire-protocol/da';

/** A promise that a signer relies on, with the fee that its epoch's prices make. */
export interface HeldPromise {
  readonly terms: PromiseTerms;
  readonly feeWei: bigint;
}

/** Which rows of which blob a slice has, and why they are kept. */
export interface SliceClaim {
  readonly header: BlobHeader;
  readonly epoch: number;
  readonly quorumId: number;
  /** The first row of the arc. */
  readonly firstRow: number;
  readonly promise: HeldPromise | undefined;
}

/** What the head of a slice's file says. */
export interface SliceFileHead extends SliceClaim {
  readonly rows: number;
  /** Bytes before the slice message. */
  readonly headBytes: number;
}

/** Where parts of a stored slice lie in its file. */
export interface SlicePlaces {
  readonly fileBytes: number;
  /** Where coset roots and combinations begin. */
  readonly provingAt: number;
  readonly provingBytes: number;
  /** Where the first row begins: its index, its bytes, its path. */
  readonly rowsAt: number;
  readonly rowBytes: number;
  /** Where the checksums of rows begin, 4 bytes each. */
  readonly checksAt: number;
  readonly provingCheckAt: number;
}

const MAGIC = 0x4353544f; // "CSTO"
const VERSION = 1;
const FIXED_BYTES: number = 32 + BLOB_HEADER_BYTES;
const PROMISE_BYTES: number = PROMISE_TERMS_BYTES + 32;
/** Bytes of a slice message before coset roots: preamble and parameters. */
const MESSAGE_START_BYTES = 32;
/** Bytes of the longest head: that of a slice with every row there can be. */
export const MAX_SLICE_HEAD_BYTES: number = FIXED_BYTES + PROMISE_BYTES + 16_384 * 4 + 8;
/** Bytes by which a reader knows how long a head is. */
export const SLICE_HEAD_START_BYTES = 16;

/** The layout of a blob whose header was checked before it was stored. */
export function layoutOfHeld({ sizeBytes, cosets, log2K }: BlobHeader): BlobLayout {
  return layoutOf(sizeBytes, { cosets, minLog2K: log2K });
}

/** Bytes of the file of a slice. */
export function sliceFileBytes(claim: SliceClaim, rows: number): number {
  return headBytesOf(claim, rows) + sliceMessageBytes(layoutOfHeld(claim.header), rows);
}

/** Where everything is in the file of a slice. */
export function slicePlaces({ header, headBytes, rows }: SliceFileHead): SlicePlaces {
  const layout = layoutOfHeld(header);
  const beforeRows = sliceMessageBytes(layout, 0);
  const provingAt = headBytes + MESSAGE_START_BYTES;
  const rowsAt = headBytes + beforeRows;
  return {
    fileBytes: headBytes + sliceMessageBytes(layout, rows),
    provingAt,
    provingBytes: rowsAt - 4 - provingAt,
    rowsAt,
    rowBytes: sliceMessageBytes(layout, 1) - beforeRows,
    checksAt: headBytes - 8 - rows * 4,
    provingCheckAt: headBytes - 8,
  };
}

/**
 * A slice as it lies on disk, big-endian: "CSTO", version u8 = 1, promised u8, two zero bytes, head
 * bytes u32, rows u32, epoch u64, quorum u32, first row u32, blob header 88; for a promised blob terms
 * 107 and fee 32; CRC-32 of every row as it stands below, of coset roots with combinations, and of all
 * that; then the codec's slice message. One copy of the rows.
 *
 * @param file - memory for it, just as long as `sliceFileBytes` says
 */
export function encodeSliceFile(
  claim: SliceClaim,
  slice: VerifiedSlice,
  file: Uint8Array,
): Uint8Array {
  const rows = slice.rows.length;
  const headBytes = headBytesOf(claim, rows);
  const places = slicePlaces({ ...claim, rows, headBytes });
  encodeSlice(slice, file.subarray(headBytes));
  file.set(encodeFixed(claim, { rows, headBytes }));
  const view = viewOf(file);
  for (let row = 0; row < rows; row += 1) {
    const at = places.rowsAt + row * places.rowBytes;
    view.setUint32(places.checksAt + row * 4, crc32(file.subarray(at, at + places.rowBytes)));
  }
  const proving = file.subarray(places.provingAt, places.provingAt + places.provingBytes);
  view.setUint32(places.provingCheckAt, crc32(proving));
  view.setUint32(headBytes - 4, crc32(file.subarray(0, headBytes - 4)));
  return file;
}

/** How long the head is that begins with these 16 bytes; `undefined` if they are of no slice. */
export function sliceHeadBytes(start: Uint8Array): number | undefined {
  if (start.length < SLICE_HEAD_START_BYTES) return undefined;
  const view = viewOf(start);
  if (view.getUint32(0) !== MAGIC || view.getUint8(4) !== VERSION) return undefined;
  const headBytes = view.getUint32(8);
  return headBytes <= MAX_SLICE_HEAD_BYTES && headBytes >= FIXED_BYTES ? headBytes : undefined;
}

/** The head in these bytes; `undefined` if it is not as it was written. */
export function parseSliceHead(bytes: Uint8Array): SliceFileHead | undefined {
  const headBytes = sliceHeadBytes(bytes);
  if (headBytes === undefined || headBytes !== bytes.length) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(headBytes - 4) !== crc32(bytes.subarray(0, headBytes - 4))) return undefined;
  const isPromised = view.getUint8(5) === 1;
  return {
    headBytes,
    rows: view.getUint32(12),
    epoch: Number(view.getBigUint64(16)),
    quorumId: view.getUint32(24),
    firstRow: view.getUint32(28),
    header: parseBlobHeader(bytes.subarray(32, FIXED_BYTES)),
    promise: isPromised ? parsePromise(bytes.subarray(FIXED_BYTES)) : undefined,
  };
}

function headBytesOf({ promise }: SliceClaim, rows: number): number {
  return FIXED_BYTES + (promise === undefined ? 0 : PROMISE_BYTES) + rows * 4 + 8;
}

function encodeFixed(
  { header, epoch, quorumId, firstRow, promise }: SliceClaim,
  { rows, headBytes }: Pick<SliceFileHead, 'rows' | 'headBytes'>,
): Uint8Array {
  return concatBytes(
    bigEndianBytes(MAGIC, 4),
    Uint8Array.of(VERSION, promise === undefined ? 0 : 1, 0, 0),
    bigEndianBytes(headBytes, 4),
    bigEndianBytes(rows, 4),
    bigEndianBytes(epoch, 8),
    bigEndianBytes(quorumId, 4),
    bigEndianBytes(firstRow, 4),
    encodeBlobHeader(header),
    ...(promise === undefined
      ? []
      : [encodePromiseTerms(promise.terms), bigEndianBytes(promise.feeWei, 32)]),
  );
}

function parsePromise(bytes: Uint8Array): HeldPromise {
  let feeWei = 0n;
  for (const byte of bytes.subarray(PROMISE_TERMS_BYTES, PROMISE_BYTES)) {
    feeWei = (feeWei << 8n) | BigInt(byte);
  }
  return { terms: parsePromiseTerms(bytes.subarray(0, PROMISE_TERMS_BYTES)), feeWei };
}
