import {
  type BlobHeader,
  encodeBlobHeader,
  parseBlobHeader,
  STATEMENT_KINDS,
} from '@cairn/attestation';
import { type Hex, isRecord, type Json, toHex } from '@cairn/primitives';
import {
  type BatchKind,
  encodePromiseTerms,
  type PromiseTerms,
  parsePromiseTerms,
} from '@cairn/wire-protocol/da';
import { bytesOf, type StoredFields } from './stored-json.ts';

/** How a blob comes to its quorum: its payer promises to pay, or pays the chain first. */
export const ORDER_PATHS = ['promise', 'chain'] as const;

/** One of `ORDER_PATHS`. */
export type OrderPath = (typeof ORDER_PATHS)[number];

/** Which blob of which quorum a blob is: what the quorum signs. */
export interface OrderedPlace {
  /** Names submitter, and epoch and slot or the number that the chain gave. */
  readonly header: BlobHeader;
  readonly epoch: number;
  readonly quorumId: number;
}

/** A blob under a promise: it is charged when its batch is confirmed. */
export interface PromisedOrder extends OrderedPlace {
  /** The payer's terms and its signature. */
  readonly promise: PromiseTerms;
  readonly submitted?: undefined;
}

/** A blob that the chain ordered, and that is paid for. */
export interface SubmittedOrder extends OrderedPlace {
  readonly promise?: undefined;
  readonly submitted: {
    /** Hash of the transaction. */
    readonly transaction: Hex;
    readonly block: number;
    /** Unix seconds until which its quorum is asked; the rest of the grace is for the confirmation. */
    readonly signBySeconds: number;
  };
}

/** What a blob is dispersed under. */
export type BlobOrder = PromisedOrder | SubmittedOrder;

/** Whether a blob is paid for when its batch is confirmed. */
export function isPromised(order: BlobOrder): order is PromisedOrder {
  return order.promise !== undefined;
}

/** The kind of batches that a blob can be in. */
export function batchKindOf(order: BlobOrder): BatchKind {
  return isPromised(order) ? STATEMENT_KINDS.promisedBatch : STATEMENT_KINDS.batch;
}

/** Unix seconds until which a blob's quorum is asked to sign. */
export function signBySecondsOf(order: BlobOrder): number {
  return isPromised(order) ? order.promise.signBySeconds : order.submitted.signBySeconds;
}

/** Unix seconds until which quorums are asked: half of the grace is left for the confirmation. */
export function lastSigningSeconds(endSeconds: number, graceSeconds: number): number {
  return endSeconds + Math.floor(graceSeconds / 2);
}

/** An order as JSON that `orderOf` reads. */
export function orderJson(order: BlobOrder): Json {
  const { header, epoch, quorumId } = order;
  return {
    header: toHex(encodeBlobHeader(header)),
    epoch,
    quorumId,
    ...(isPromised(order)
      ? { promise: toHex(encodePromiseTerms(order.promise)) }
      : { submitted: { ...order.submitted } }),
  };
}

/** The order in JSON of `orderJson`. */
export function orderOf(fields: StoredFields): BlobOrder {
  const { promise, submitted } = fields;
  const place = {
    header: parseBlobHeader(bytesOf(fields['header'])),
    epoch: Number(fields['epoch']),
    quorumId: Number(fields['quorumId']),
  };
  if (!isRecord(submitted)) return { ...place, promise: parsePromiseTerms(bytesOf(promise)) };
  return {
    ...place,
    submitted: {
      transaction: toHex(bytesOf(submitted['transaction'])),
      block: Number(submitted['block']),
      signBySeconds: Number(submitted['signBySeconds']),
    },
  };
}
