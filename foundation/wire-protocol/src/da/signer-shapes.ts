import {
  type Address,
  type ChainId,
  fromHex,
  type Json,
  type Root,
  toHex,
} from '@cairn/primitives';
import {
  addressField,
  assertBound,
  chainIdField,
  fieldsOf,
  hexOf,
  listField,
  naturalField,
  refuseField,
  rootField,
  textField,
} from '../check.ts';
import { MAX_ROWS_PER_REQUEST } from './row-reply.ts';
import { ROW_FORMS, type RowForm } from './signer-routes.ts';

/** Deliveries of one blob that a signer lists at most: one for each epoch it was dispersed in. */
export const MAX_HELD_SLICES = 256;

/** The entrance of a consensus shard. */
export interface ServedEntrance {
  readonly shardId: number;
  readonly chainId: ChainId;
  readonly entrance: Address;
}

/** Shards whose entrances a signer lists at most: as many as a registry holds. */
const MAX_SERVED = 4096;

/** Reply of `GET /v1/da/status`. */
export interface SignerStatus {
  readonly version: string;
  /** The signer's account: the one in its quorums' member lists. */
  readonly address: Address;
  /** 48 bytes. */
  readonly blsPublicKey: Uint8Array;
  /** Chain of the entrance. */
  readonly chainId: ChainId;
  readonly entrance: Address;
  readonly shardId: number;
  /** Entrances of other consensus shards whose blobs it keeps and signs for too. */
  readonly others: readonly ServedEntrance[];
  /** Of all of them. */
  readonly heldBlobs: number;
  readonly heldBytes: number;
  readonly capacityBytes: number;
}

/** A signer's status as JSON. */
export function signerStatusJson(status: SignerStatus): Json {
  const others = status.others.map((other) => ({ ...other }));
  return { ...status, others, blsPublicKey: toHex(status.blsPublicKey) };
}

/** @throws {WireError} WIRE_NOT_AN_OBJECT, WIRE_FIELD, WIRE_TOO_LONG */
export function parseSignerStatus(value: unknown): SignerStatus {
  const what = 'signer status';
  const fields = fieldsOf(value, what);
  return {
    version: textField(fields, 'version', what, 100),
    address: addressField(fields, 'address', what),
    blsPublicKey: fromHex(hexOf(fields['blsPublicKey'], 48, what, 'blsPublicKey')),
    chainId: chainIdField(fields, 'chainId', what),
    entrance: addressField(fields, 'entrance', what),
    shardId: naturalField(fields, 'shardId', what, { max: 2 ** 32 - 1 }),
    others: listField(fields, 'others', what, MAX_SERVED, (item) => {
      const entry = fieldsOf(item, what);
      return {
        shardId: naturalField(entry, 'shardId', what, { max: 2 ** 32 - 1 }),
        chainId: chainIdField(entry, 'chainId', what),
        entrance: addressField(entry, 'entrance', what),
      };
    }),
    heldBlobs: naturalField(fields, 'heldBlobs', what),
    heldBytes: naturalField(fields, 'heldBytes', what),
    capacityBytes: naturalField(fields, 'capacityBytes', what),
  };
}

/** Rows of one dispersal of a blob that a signer holds. */
export interface HeldSlice {
  readonly epoch: number;
  readonly quorumId: number;
  /** The first of its rows; the others follow round the circle of all rows. */
  readonly firstRow: number;
  readonly rows: number;
  /** Unix seconds until when they are kept. */
  readonly expirySeconds: number;
}

/** Reply of `GET /v1/da/blobs/{commitment}`. */
export interface HeldBlob {
  readonly commitment: Root;
  /** Bytes of the payload, from which its layout follows. */
  readonly sizeBytes: number;
  /** Hash suite of its rows. */
  readonly suite: number;
  readonly slices: readonly HeldSlice[];
}

/** What is held of a blob as JSON. */
export function heldBlobJson({ slices, ...blob }: HeldBlob): Json {
  return { ...blob, slices: slices.map((slice) => ({ ...slice })) };
}

/** @throws {WireError} WIRE_NOT_AN_OBJECT, WIRE_FIELD, WIRE_TOO_LONG */
export function parseHeldBlob(value: unknown): HeldBlob {
  const what = 'held blob';
  const fields = fieldsOf(value, what);
  return {
    commitment: rootField(fields, 'commitment', what),
    sizeBytes: naturalField(fields, 'sizeBytes', what),
    suite: naturalField(fields, 'suite', what, { max: 1 }),
    slices: listField(fields, 'slices', what, MAX_HELD_SLICES, parseHeldSlice),
  };
}

function parseHeldSlice(value: unknown): HeldSlice {
  const what = 'held slice';
  const fields = fieldsOf(value, what);
  return {
    epoch: naturalField(fields, 'epoch', what),
    quorumId: naturalField(fields, 'quorumId', what, { max: 2 ** 32 - 1 }),
    firstRow: naturalField(fields, 'firstRow', what),
    rows: naturalField(fields, 'rows', what, { min: 1 }),
    expirySeconds: naturalField(fields, 'expirySeconds', what),
  };
}

/** Which rows a request asks for. */
export interface RowQuery {
  /** 1 … 256 of them, all different. */
  readonly indexes: readonly number[];
  readonly form: RowForm;
}

/** The query of a request for rows. @throws {WireError} WIRE_FIELD, WIRE_TOO_LONG */
export function parseRowQuery(index: unknown, form: unknown = 'full'): RowQuery {
  const what = 'row query';
  if (typeof index !== 'string') refuseField(what, 'index', 'numbers with commas between', index);
  assertBound(index.length, MAX_ROWS_PER_REQUEST * 6, `${what}.index`);
  const indexes = index.split(',').map((text) => {
    if (!/^(0|[1-9]\d{0,4})$/.test(text)) refuseField(what, 'index', 'numbers below 100000', text);
    return Number(text);
  });
  assertBound(indexes.length, MAX_ROWS_PER_REQUEST, `${what}.index`);
  if (new Set(indexes).size !== indexes.length) {
    refuseField(what, 'index', 'different numbers', index);
  }
  const found = ROW_FORMS.find((known) => known === form);
  if (found === undefined) return refuseField(what, 'form', ROW_FORMS.join(' or '), form);
  return { indexes, form: found };
}
