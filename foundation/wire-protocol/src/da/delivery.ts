import {
  BLOB_HEADER_BYTES,
  type BlobHeader,
  encodeBlobHeader,
  parseBlobHeader,
  promiseSlotOf,
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
import {
  encodePromiseTerms,
  PROMISE_TERMS_BYTES,
  type PromiseTerms,
  parsePromiseTerms,
} from './blob-promise.ts';

/** Content type of a delivery. */
export const DELIVERY_TYPE = 'application/vnd.cairn.delivery';
/** Bytes by which a reader knows how long the head is. */
export const DELIVERY_START_BYTES: number = PREAMBLE_BYTES;
/** Bytes of the longest head. */
export const MAX_DELIVERY_HEAD_BYTES: number =
  PREAMBLE_BYTES + 8 + BLOB_HEADER_BYTES + PROMISE_TERMS_BYTES;

/** What stands before the slice: which blob it is of, and why its signer should keep it. */
export interface DeliveryHead {
  /** The epoch whose quorum holds the blob. */
  readonly epoch: number;
  readonly header: BlobHeader;
  /** Of a promised blob; `undefined` for one that was submitted on chain. */
  readonly promise: PromiseTerms | undefined;
}

/** One signer's rows of one blob on their way to it; nothing is proven. */
export interface Delivery extends DeliveryHead {
  /** A slice message of the codec, whole or packed. */
  readonly slice: Uint8Array;
}

const WHAT = 'delivery';
const KIND = { what: WHAT, magic: 'CDLV', version: 1 } as const;
const FORMS = { submitted: 0, promised: 1 } as const;

/**
 * The head as bytes, big-endian: "CDLV", version u8 = 1, form u8 (0 submitted, 1 promised), two zero
 * bytes, epoch u64, blob header 88; then terms 107 for a promised blob. The slice message follows.
 *
 * @throws {WireError} WIRE_FIELD, WIRE_LENGTH; {RangeError} if it could not be parsed back
 */
export function encodeDeliveryHead(head: DeliveryHead): Uint8Array {
  const { epoch, header, promise } = head;
  assertForm(head);
  const form = promise === undefined ? FORMS.submitted : FORMS.promised;
  return concatBytes(
    encodePreamble({ ...KIND, form }),
    bigEndianBytes(epoch, 8),
    encodeBlobHeader(header),
    promise === undefined ? new Uint8Array(0) : encodePromiseTerms(promise),
  );
}

/** Head and slice in one. @throws as `encodeDeliveryHead` */
export function encodeDelivery(delivery: Delivery): Uint8Array {
  return concatBytes(encodeDeliveryHead(delivery), delivery.slice);
}

/**
 * How long the head is that begins with these bytes.
 *
 * @param start - the first `DELIVERY_START_BYTES` or more
 * @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD
 */
export function deliveryHeadBytes(start: Uint8Array): number {
  const form = parsePreamble(start, KIND);
  if (form > FORMS.promised) refuseField(WHAT, 'form', '0 or 1', form);
  const terms = form === FORMS.promised ? PROMISE_TERMS_BYTES : 0;
  return PREAMBLE_BYTES + 8 + BLOB_HEADER_BYTES + terms;
}

/**
 * The head in just these bytes; a copy.
 *
 * @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD; {MessageError} for a header
 *   that is none
 */
export function parseDeliveryHead(bytes: Uint8Array): DeliveryHead {
  const expectedBytes = deliveryHeadBytes(bytes);
  assertWireLength(bytes, expectedBytes, WHAT);
  const headerAt = PREAMBLE_BYTES + 8;
  const termsAt = headerAt + BLOB_HEADER_BYTES;
  const head = {
    epoch: readWireNumber(viewOf(bytes), PREAMBLE_BYTES, WHAT, 'epoch'),
    header: parseBlobHeader(bytes.subarray(headerAt, termsAt)),
    promise: bytes.length > termsAt ? parsePromiseTerms(bytes.subarray(termsAt)) : undefined,
  };
  assertForm(head);
  return head;
}

/**
 * A whole delivery. Head fields are copies; the slice shares memory with `bytes` and has not been
 * looked at: `verifySliceMessage` of the codec does that.
 *
 * @throws as `parseDeliveryHead`; {WireError} WIRE_LENGTH if no slice follows
 */
export function parseDelivery(bytes: Uint8Array): Delivery {
  const headBytes = deliveryHeadBytes(bytes);
  if (bytes.length <= headBytes) refuseLength(WHAT, headBytes + 1, bytes.length);
  return { ...parseDeliveryHead(bytes.subarray(0, headBytes)), slice: bytes.subarray(headBytes) };
}

/** Bit 63 of the index, terms and epoch have to tell the same. @throws {WireError} WIRE_FIELD */
function assertForm({ epoch, header, promise }: DeliveryHead): void {
  const place = promiseSlotOf(header.submissionIndex);
  if ((place === undefined) !== (promise === undefined)) {
    const expected = promise === undefined ? 'one without bit 63' : 'one with bit 63';
    refuseField(WHAT, 'submissionIndex', expected, String(header.submissionIndex));
  }
  if (place !== undefined && place.epoch !== epoch) {
    refuseField(WHAT, 'epoch', `${place.epoch}, as the index says`, epoch);
  }
}
