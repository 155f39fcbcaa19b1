import {
  CHECKPOINT_BYTES,
  type Checkpoint,
  encodeCheckpoint,
  parseCheckpoint,
} from '@cairn/attestation';
import { bigEndianBytes, concatBytes, viewOf } from '@cairn/primitives';
import { refuseField } from '../check.ts';
import {
  assertWireLength,
  encodePreamble,
  PREAMBLE_BYTES,
  parsePreamble,
  readWireNumber,
  refuseLength,
} from '../wire-fields.ts';

/** Content type of the checkpoints that a signer would sign for. */
export const CHECKPOINT_OFFER_TYPE = 'application/vnd.cairn.checkpoint-offer';
/** Content type of a request to sign for a bundle of checkpoints. */
export const CHECKPOINT_REQUEST_TYPE = 'application/vnd.cairn.checkpoint-request';

/** Checkpoints of one bundle at most: some 1.5 million gas. */
export const MAX_BUNDLE_CHECKPOINTS = 64;
/** Checkpoints that a signer offers at most: the newest of 64 shards, 16 of each. */
export const MAX_OFFERED_CHECKPOINTS = 1024;

const OFFER = { what: 'checkpoint offer', magic: 'CCPO', version: 1 } as const;
const REQUEST = { what: 'checkpoint request', magic: 'CCPQ', version: 1 } as const;
const OFFER_AT: number = PREAMBLE_BYTES + 4;
const REQUEST_AT: number = PREAMBLE_BYTES + 12;

/** Bytes of the longest offer. */
export const MAX_CHECKPOINT_OFFER_BYTES: number =
  OFFER_AT + MAX_OFFERED_CHECKPOINTS * CHECKPOINT_BYTES;
/** Bytes of the longest request. */
export const MAX_CHECKPOINT_REQUEST_BYTES: number =
  REQUEST_AT + MAX_BUNDLE_CHECKPOINTS * CHECKPOINT_BYTES;

/** Asks a signer to sign for a bundle: the leaves of its tree, in order. */
export interface CheckpointRequest {
  /** The epoch of the committee's office. */
  readonly epoch: number;
  /** 1 to 64. */
  readonly checkpoints: readonly Checkpoint[];
}

/**
 * What a signer would sign for, big-endian: "CCPO", version u8 = 1, three zero bytes, count u32, then the
 * checkpoints of 212 bytes each.
 *
 * @throws {WireError} WIRE_FIELD for more than 1,024
 */
export function encodeCheckpointOffer(checkpoints: readonly Checkpoint[]): Uint8Array {
  assertCount(checkpoints.length, 0, MAX_OFFERED_CHECKPOINTS, OFFER.what);
  return concatBytes(
    encodePreamble({ ...OFFER, form: 0 }),
    bigEndianBytes(checkpoints.length, 4),
    ...checkpoints.map(encodeCheckpoint),
  );
}

/** @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD; {MessageError} */
export function parseCheckpointOffer(bytes: Uint8Array): readonly Checkpoint[] {
  assertForm(bytes, OFFER);
  if (bytes.length < OFFER_AT) refuseLength(OFFER.what, OFFER_AT, bytes.length);
  const count = viewOf(bytes).getUint32(PREAMBLE_BYTES);
  assertCount(count, 0, MAX_OFFERED_CHECKPOINTS, OFFER.what);
  return checkpointsIn(bytes, { at: OFFER_AT, count, what: OFFER.what });
}

/**
 * A request as bytes, big-endian: "CCPQ", version u8 = 1, three zero bytes, epoch u64, count u32, then the
 * checkpoints of 212 bytes each.
 *
 * @throws {WireError} WIRE_FIELD for none or more than 64; {RangeError} if a number does not fit
 */
export function encodeCheckpointRequest({ epoch, checkpoints }: CheckpointRequest): Uint8Array {
  assertCount(checkpoints.length, 1, MAX_BUNDLE_CHECKPOINTS, REQUEST.what);
  return concatBytes(
    encodePreamble({ ...REQUEST, form: 0 }),
    bigEndianBytes(epoch, 8),
    bigEndianBytes(checkpoints.length, 4),
    ...checkpoints.map(encodeCheckpoint),
  );
}

/** @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD; {MessageError} */
export function parseCheckpointRequest(bytes: Uint8Array): CheckpointRequest {
  const { what } = REQUEST;
  assertForm(bytes, REQUEST);
  if (bytes.length < REQUEST_AT) refuseLength(what, REQUEST_AT, bytes.length);
  const view = viewOf(bytes);
  const epoch = readWireNumber(view, PREAMBLE_BYTES, what, 'epoch');
  const count = view.getUint32(PREAMBLE_BYTES + 8);
  assertCount(count, 1, MAX_BUNDLE_CHECKPOINTS, what);
  return { epoch, checkpoints: checkpointsIn(bytes, { at: REQUEST_AT, count, what }) };
}

function checkpointsIn(
  bytes: Uint8Array,
  { at, count, what }: { readonly at: number; readonly count: number; readonly what: string },
): readonly Checkpoint[] {
  assertWireLength(bytes, at + count * CHECKPOINT_BYTES, what);
  return Array.from({ length: count }, (_, index) => {
    const start = at + index * CHECKPOINT_BYTES;
    return parseCheckpoint(bytes.subarray(start, start + CHECKPOINT_BYTES));
  });
}

function assertForm(bytes: Uint8Array, message: typeof OFFER | typeof REQUEST): void {
  const form = parsePreamble(bytes, message);
  if (form !== 0) refuseField(message.what, 'form', '0', form);
}

function assertCount(count: number, least: number, most: number, what: string): void {
  if (Number.isInteger(count) && count >= least && count <= most) return;
  refuseField(what, 'count', `${least} to ${most}`, count);
}
