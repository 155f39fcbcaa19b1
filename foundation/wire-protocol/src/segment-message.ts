import {
  type ChainId,
  chainIdOf,
  concatBytes,
  MAX_PROOF_DEPTH,
  SECTOR_BYTES,
  SEGMENT_BYTES,
  type Sequence,
  sequenceOf,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import { assertBound, refuseField } from './check.ts';
import { WireError } from './errors.ts';

/** Content type of a segment message. */
export const SEGMENT_MESSAGE_TYPE = 'application/vnd.cairn.segment';
/** Version this build writes and reads. */
export const SEGMENT_MESSAGE_VERSION = 1;
/** Bytes before the siblings. */
const SEGMENT_MESSAGE_HEADER_BYTES = 80;
/**
 * Segments one reply carries at most: two mebibytes, which spreads the cost of a request over eight
 * segments and is still little to lose or to hold.
 */
export const MAX_SEGMENTS_PER_REPLY = 8;
/** Bytes of the longest segment message. */
export const MAX_SEGMENT_MESSAGE_BYTES: number =
  SEGMENT_MESSAGE_HEADER_BYTES + MAX_PROOF_DEPTH * 32 + SEGMENT_BYTES;

const MAGIC = 0x43534547; // "CSEG"
const NO_SEQUENCE = 0xffffffff;
const WHAT = 'segment message';

/** The fields of a segment as they travel: claimed, not proven. */
export interface SegmentFields {
  /** Root of the file, 32 bytes. */
  readonly root: Uint8Array;
  /** Length of the file, from 1. */
  readonly sizeBytes: number;
  /** File-relative number of the segment. */
  readonly index: number;
  /** Whole sectors: 256 … 262,144 bytes, as many as the segment carries of the file. */
  readonly data: Uint8Array;
  /** Siblings from the segment up to below the root, 32 bytes each, at most 40. */
  readonly proof: { readonly siblings: readonly Uint8Array[] };
}

/** A segment with its proof and the place it is meant for, as sent and served by our nodes. */
export interface SegmentMessage {
  readonly chainId: ChainId;
  /** The log entry meant; `undefined`: whichever entry has the root. */
  readonly sequence: Sequence | undefined;
  readonly segment: SegmentFields;
}

/** Bytes that segment `index` of a file carries on the wire: whole sectors, padding left out. */
export function segmentWireBytes(sizeBytes: number, index: number): number {
  const rest = sizeBytes - index * SEGMENT_BYTES;
  return Math.min(SEGMENT_BYTES, Math.ceil(rest / SECTOR_BYTES) * SECTOR_BYTES);
}

/**
 * The message as bytes: what stands before the data, and the data. One copy of the data.
 *
 * @throws as `encodeSegmentHead`
 */
export function encodeSegmentMessage(message: SegmentMessage): Uint8Array {
  return concatBytes(encodeSegmentHead(message), message.segment.data);
}

/**
 * What stands before the data of a message: a header of 80 bytes and the siblings, bottom-up. Who
 * sends the data after it copies nothing.
 *
 * @throws {WireError} WIRE_FIELD, WIRE_LENGTH, WIRE_TOO_LONG if the segment could not be parsed back
 */
export function encodeSegmentHead({ chainId, sequence, segment }: SegmentMessage): Uint8Array {
  const { root, sizeBytes, index, data, proof } = segment;
  assertBound(proof.siblings.length, MAX_PROOF_DEPTH, `${WHAT}.siblings`);
  assertHashes([root, ...proof.siblings]);
  assertGeometry(sizeBytes, index, data.length);
  const header = new Uint8Array(SEGMENT_MESSAGE_HEADER_BYTES);
  const view = viewOf(header);
  view.setUint32(0, MAGIC);
  view.setUint8(4, SEGMENT_MESSAGE_VERSION);
  view.setUint8(5, proof.siblings.length);
  writeSafeU64(view, 8, chainId);
  if (sequence === undefined) header.fill(255, 16, 24);
  else writeSafeU64(view, 16, sequence);
  header.set(root, 24);
  writeSafeU64(view, 56, sizeBytes);
  writeSafeU64(view, 64, index);
  view.setUint32(72, data.length);
  return concatBytes(header, ...proof.siblings);
}

/**
 * Several messages that stand one after another, each as its own part of `bytes`. Only lengths are
 * read here: `parseSegmentMessage` checks the rest.
 *
 * @throws {WireError} WIRE_LENGTH if a message is cut short; WIRE_TOO_LONG for more than `max`
 */
export function splitSegmentMessages(bytes: Uint8Array, max: number): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    assertBound(messages.length + 1, max, 'segment messages');
    const rest = bytes.subarray(at);
    if (rest.length < SEGMENT_MESSAGE_HEADER_BYTES) {
      refuseLength(SEGMENT_MESSAGE_HEADER_BYTES, rest.length);
    }
    const view = viewOf(rest);
    const length = SEGMENT_MESSAGE_HEADER_BYTES + view.getUint8(5) * 32 + view.getUint32(72);
    if (rest.length < length) refuseLength(length, rest.length);
    messages.push(rest.subarray(0, length));
    at += length;
  }
  return messages;
}

/**
 * The message of `bytes`: every field checked, exact length, nothing left over. The result shares
 * memory with `bytes`. Nothing is proven yet: that is `verifySegment`'s work.
 *
 * @throws {WireError} WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD, WIRE_LENGTH, WIRE_TOO_LONG
 */
export function parseSegmentMessage(bytes: Uint8Array): SegmentMessage {
  assertBound(bytes.length, MAX_SEGMENT_MESSAGE_BYTES, WHAT);
  if (bytes.length < SEGMENT_MESSAGE_HEADER_BYTES) {
    refuseLength(SEGMENT_MESSAGE_HEADER_BYTES, bytes.length);
  }
  const view = viewOf(bytes);
  const depth = parsePreamble(view);
  const chainId = readNumber(view, 8, 'chainId');
  if (chainId < 1) refuseField(WHAT, 'chainId', 'an integer from 1', chainId);
  const sizeBytes = readNumber(view, 56, 'fileSize');
  const index = readNumber(view, 64, 'index');
  const dataBytes = view.getUint32(72);
  const dataStart = SEGMENT_MESSAGE_HEADER_BYTES + depth * 32;
  if (bytes.length !== dataStart + dataBytes) refuseLength(dataStart + dataBytes, bytes.length);
  assertGeometry(sizeBytes, index, dataBytes);
  const siblings: Uint8Array[] = [];
  for (let at = SEGMENT_MESSAGE_HEADER_BYTES; at < dataStart; at += 32) {
    siblings.push(bytes.subarray(at, at + 32));
  }
  return {
    chainId: chainIdOf(chainId),
    sequence: readSequence(view),
    segment: {
      root: bytes.subarray(24, 56),
      sizeBytes,
      index,
      data: bytes.subarray(dataStart),
      proof: { siblings },
    },
  };
}

/** Magic, version and reserved bytes; returns the depth. */
function parsePreamble(view: DataView): number {
  if (view.getUint32(0) !== MAGIC) {
    const actual = view.getUint32(0).toString(16).padStart(8, '0');
    throw new WireError(
      { code: 'WIRE_MAGIC', what: WHAT, actual },
      `a segment message begins with "CSEG", not with the bytes ${actual}`,
    );
  }
  const version = view.getUint8(4);
  if (version !== SEGMENT_MESSAGE_VERSION) {
    throw new WireError(
      { code: 'WIRE_VERSION', what: WHAT, version, supported: SEGMENT_MESSAGE_VERSION },
      `segment message version ${version} is not supported, ${SEGMENT_MESSAGE_VERSION} is`,
    );
  }
  if (view.getUint16(6) !== 0) refuseField(WHAT, 'reserved (byte 6)', 'zero', view.getUint16(6));
  if (view.getUint32(76) !== 0) refuseField(WHAT, 'reserved (byte 76)', 'zero', view.getUint32(76));
  const depth = view.getUint8(5);
  assertBound(depth, MAX_PROOF_DEPTH, `${WHAT}.siblings`);
  return depth;
}

function readSequence(view: DataView): Sequence | undefined {
  const isNone = view.getUint32(16) === NO_SEQUENCE && view.getUint32(20) === NO_SEQUENCE;
  return isNone ? undefined : sequenceOf(readNumber(view, 16, 'sequence'));
}

function readNumber(view: DataView, offset: number, field: string): number {
  const value = view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4);
  if (view.getUint32(offset) >= 2 ** 21) refuseField(WHAT, field, 'at most 2^53 - 1', value);
  return value;
}

/** Length of the file, index and length of the data must fit each other. */
function assertGeometry(sizeBytes: number, index: number, dataBytes: number): void {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 1) {
    refuseField(WHAT, 'fileSize', 'an integer from 1 to 2^53 - 1', sizeBytes);
  }
  const segments = Math.ceil(sizeBytes / SEGMENT_BYTES);
  if (!Number.isSafeInteger(index) || index < 0 || index >= segments) {
    refuseField(WHAT, 'index', `below ${segments}, the file's segments`, index);
  }
  const expected = segmentWireBytes(sizeBytes, index);
  if (dataBytes !== expected) {
    refuseField(WHAT, 'dataLength', `${expected}, as the file's length says`, dataBytes);
  }
}

function assertHashes(hashes: readonly Uint8Array[]): void {
  for (const hash of hashes) {
    if (hash.length !== 32) refuseField(WHAT, 'hash', '32 bytes', hash.length);
  }
}

function refuseLength(expectedBytes: number, actualBytes: number): never {
  throw new WireError(
    { code: 'WIRE_LENGTH', what: WHAT, expectedBytes, actualBytes },
    `a segment message of ${actualBytes} bytes should have ${expectedBytes}`,
  );
}
