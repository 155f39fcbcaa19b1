import {
  bigEndianBytes,
  concatBytes,
  KIB,
  type Root,
  rootBytes,
  rootOf,
  viewOf,
} from '@cairn/primitives';
import { refuseField } from '../check.ts';
import {
  assertWireLength,
  encodePreamble,
  PREAMBLE_BYTES,
  parsePreamble,
  refuseLength,
} from '../wire-fields.ts';
import { MAX_ROW_REPLY_BYTES, MAX_ROWS_PER_REQUEST } from './row-reply.ts';
import { ROW_FORMS } from './signer-routes.ts';
import type { RowQuery } from './signer-shapes.ts';

/** A question that signers answer over libp2p: its protocol id and the bytes of both messages at most. */
export interface SignerQuestion {
  readonly id: string;
  readonly maxRequestBytes: number;
  readonly maxReplyBytes: number;
}

const ROOT_BYTES = 32;
const ROW_REQUEST = { what: 'row request', magic: 'CRWQ', version: 1 } as const;
const HELD_REQUEST = { what: 'request for what is held', magic: 'CHLQ', version: 1 } as const;
const ROWS_AT: number = PREAMBLE_BYTES + ROOT_BYTES + 4;

/** Rows of a blob, with their proofs: a row request, answered with a row reply. */
export const ROWS_QUESTION: SignerQuestion = {
  id: '/cairn/da/rows/1',
  maxRequestBytes: ROWS_AT + 4 * MAX_ROWS_PER_REQUEST,
  maxReplyBytes: MAX_ROW_REPLY_BYTES,
};

/** What a signer holds of a blob: a commitment, answered with the JSON of `HeldBlob`. */
export const HELD_QUESTION: SignerQuestion = {
  id: '/cairn/da/held/1',
  maxRequestBytes: PREAMBLE_BYTES + ROOT_BYTES,
  maxReplyBytes: 64 * KIB,
};

/** Which rows of which blob are asked for. */
export interface RowQuestion extends RowQuery {
  readonly commitment: Root;
}

/**
 * A request for rows, big-endian: "CRWQ", version u8 = 1, form u8 (0 full, 1 bare), two zero bytes,
 * commitment 32, count u32, then the rows' indexes, u32 each.
 *
 * @throws {WireError} WIRE_FIELD for none, more than 256, or one twice
 */
export function encodeRowRequest({ commitment, indexes, form }: RowQuestion): Uint8Array {
  assertIndexes(indexes);
  return concatBytes(
    encodePreamble({ ...ROW_REQUEST, form: ROW_FORMS.indexOf(form) }),
    rootBytes(commitment),
    bigEndianBytes(indexes.length, 4),
    ...indexes.map((index) => bigEndianBytes(index, 4)),
  );
}

/** @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD */
export function parseRowRequest(bytes: Uint8Array): RowQuestion {
  const { what } = ROW_REQUEST;
  const form = ROW_FORMS[parsePreamble(bytes, ROW_REQUEST)];
  if (form === undefined) return refuseField(what, 'form', ROW_FORMS.join(' or '), bytes[5]);
  if (bytes.length < ROWS_AT) refuseLength(what, ROWS_AT, bytes.length);
  const view = viewOf(bytes);
  const count = view.getUint32(ROWS_AT - 4);
  if (count > MAX_ROWS_PER_REQUEST) refuseField(what, 'count', countRule(), count);
  assertWireLength(bytes, ROWS_AT + 4 * count, what);
  const indexes = Array.from({ length: count }, (_, row) => view.getUint32(ROWS_AT + 4 * row));
  assertIndexes(indexes);
  return { commitment: commitmentIn(bytes), indexes, form };
}

/** A request for what is held of a blob: "CHLQ", version u8 = 1, three zero bytes, commitment 32. */
export function encodeHeldRequest(commitment: Root): Uint8Array {
  return concatBytes(encodePreamble({ ...HELD_REQUEST, form: 0 }), rootBytes(commitment));
}

/** @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD */
export function parseHeldRequest(bytes: Uint8Array): Root {
  const { what } = HELD_REQUEST;
  const form = parsePreamble(bytes, HELD_REQUEST);
  if (form !== 0) refuseField(what, 'form', 'zero', form);
  assertWireLength(bytes, PREAMBLE_BYTES + ROOT_BYTES, what);
  return commitmentIn(bytes);
}

function commitmentIn(bytes: Uint8Array): Root {
  return rootOf(bytes.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + ROOT_BYTES));
}

function assertIndexes(indexes: readonly number[]): void {
  const { what } = ROW_REQUEST;
  if (indexes.length < 1 || indexes.length > MAX_ROWS_PER_REQUEST) {
    refuseField(what, 'count', countRule(), indexes.length);
  }
  if (new Set(indexes).size !== indexes.length) {
    refuseField(what, 'indexes', 'different numbers', indexes);
  }
}

function countRule(): string {
  return `1 to ${MAX_ROWS_PER_REQUEST}`;
}
