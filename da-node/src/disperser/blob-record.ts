import {
  isRecord,
  type Json,
  parseRoot,
  type Root,
  stringifyJson,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import type { SuiteId } from './blob-id.ts';
import { type BlobOrder, ORDER_PATHS, type OrderPath, orderJson, orderOf } from './blob-order.ts';
import { bytesOf, decodeStored, numbersOf, type StoredFields, wordOf } from './stored-json.ts';

/**
 * How far a blob is. What a stage produced is on the disk before the next begins, so a crash goes on
 * where it was.
 */
export const BLOB_STAGES = [
  /** The payload is on the disk. */
  'accepted',
  /** The commitment is known. */
  'committed',
  /** A promise to pay, or the chain, names its epoch, quorum and place. */
  'ordered',
  /** Members with more than two thirds of the seats hold their slices. */
  'delivered',
  /** More than two thirds of the seats signed for it. */
  'dispersed',
  /** The chain took the batch. */
  'confirmed',
  /** The chain does not take that back any more. */
  'final',
] as const;

/** One of `BLOB_STAGES`. */
export type BlobStage = (typeof BLOB_STAGES)[number];

/** Whether `stage` is at `wanted` or past it. */
export function hasReached(stage: BlobStage, wanted: BlobStage): boolean {
  return BLOB_STAGES.indexOf(stage) >= BLOB_STAGES.indexOf(wanted);
}

/** Why a blob does not get on; it is tried again all the same. */
export type BlobTrouble =
  /** Signers with too few seats answer. */
  | {
      readonly code: 'INSUFFICIENT_SIGNATURES';
      readonly haveSeats: number;
      readonly totalSeats: number;
    }
  /** The epoch is over without a quorum's signature, or the promise was void: it gets a new order. */
  | { readonly code: 'STALLED'; readonly epoch: number }
  /** A step failed; the sentence says how. */
  | { readonly code: 'STEP_FAILED'; readonly reason: string };

/** Where a confirmation was seen. */
export interface Confirmation {
  /** Hash of the transaction; absent where somebody else's was seen by its effect. */
  readonly transaction?: string;
  readonly block: number;
}

/** All that a disperser keeps of one blob, payload apart. */
export interface BlobRecord {
  /** Of payload and suite, see `blobIdOf`: the same payload is the same blob while it lives. */
  readonly id: Root;
  readonly sizeBytes: number;
  /** Hash suite of its rows; 0 where there is none. */
  readonly suite?: SuiteId;
  /** Who posted it, as its account is called. */
  readonly account: string;
  /** Counts acceptances. */
  readonly arrival: number;
  readonly acceptedMs: number;
  /** How it is to be ordered; a promise that is not covered gives way to the chain. */
  readonly path: OrderPath;
  readonly stage: BlobStage;
  /** 32 bytes, from `committed` on. */
  readonly commitment?: Uint8Array;
  /** Name of the call that orders it on chain, from before that is made: 32 bytes. */
  readonly submission?: Uint8Array;
  /** The order that counts, from `ordered` on. */
  readonly order?: BlobOrder;
  /** Orders that came to nothing before it. */
  readonly voidOrders: number;
  /** Members that hold their slice, by index. */
  readonly holders: readonly number[];
  /** The batch that was signed, and the blob's place in it. */
  readonly batch?: { readonly root: Uint8Array; readonly leafIndex: number };
  /** Encoded, from `dispersed` on. */
  readonly certificate?: Uint8Array;
  readonly confirmation?: Confirmation;
  readonly trouble?: BlobTrouble;
}

/**
 * How far a blob is for those who wait for it. One that is stalled is not dispersed, whatever was
 * signed for it: its order came to nothing, and it gets another.
 */
export function stageOf({ stage, trouble }: Pick<BlobRecord, 'stage' | 'trouble'>): BlobStage {
  return trouble?.code === 'STALLED' && hasReached(stage, 'dispersed') ? 'delivered' : stage;
}

/** A record as it is stored. */
export function encodeRecord(record: BlobRecord): Uint8Array {
  const { commitment, submission, order, batch, certificate, confirmation, trouble } = record;
  const json: Json = {
    id: record.id,
    sizeBytes: record.sizeBytes,
    suite: record.suite,
    account: record.account,
    arrival: record.arrival,
    acceptedMs: record.acceptedMs,
    path: record.path,
    stage: record.stage,
    voidOrders: record.voidOrders,
    holders: record.holders,
    commitment: hexOrNone(commitment),
    submission: hexOrNone(submission),
    order: order === undefined ? undefined : orderJson(order),
    batch: batch && { root: toHex(batch.root), leafIndex: batch.leafIndex },
    certificate: hexOrNone(certificate),
    confirmation: confirmation && { ...confirmation },
    trouble: trouble && { ...trouble },
  };
  return utf8Bytes(stringifyJson(json));
}

/** A stored record. @throws {DispersalError} DISPERSAL_RECORD */
export function decodeRecord(bytes: Uint8Array): BlobRecord {
  return decodeStored('a blob', bytes, (fields) => {
    const { commitment, submission, order, batch, certificate, confirmation, trouble } = fields;
    return {
      id: parseRoot(String(fields['id'])),
      sizeBytes: Number(fields['sizeBytes']),
      ...(fields['suite'] === 1 ? { suite: 1 } : {}),
      account: String(fields['account']),
      arrival: Number(fields['arrival']),
      acceptedMs: Number(fields['acceptedMs']),
      path: wordOf(fields['path'] ?? 'promise', ORDER_PATHS), // older records have none
      stage: wordOf(fields['stage'], BLOB_STAGES),
      voidOrders: Number(fields['voidOrders']),
      holders: numbersOf(fields['holders']),
      ...(commitment === undefined ? {} : { commitment: bytesOf(commitment) }),
      ...(submission === undefined ? {} : { submission: bytesOf(submission) }),
      ...(isRecord(order) ? { order: orderOf(order) } : {}),
      ...(isRecord(batch)
        ? { batch: { root: bytesOf(batch['root']), leafIndex: Number(batch['leafIndex']) } }
        : {}),
      ...(certificate === undefined ? {} : { certificate: bytesOf(certificate) }),
      ...(isRecord(confirmation) ? { confirmation: confirmationOf(confirmation) } : {}),
      ...(isRecord(trouble) ? { trouble: troubleOf(trouble) } : {}),
    };
  });
}

function hexOrNone(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : toHex(bytes);
}

function confirmationOf(fields: StoredFields): Confirmation {
  const { transaction } = fields;
  const block = Number(fields['block']);
  return transaction === undefined ? { block } : { block, transaction: String(transaction) };
}

function troubleOf(fields: StoredFields): BlobTrouble {
  switch (fields['code']) {
    case 'INSUFFICIENT_SIGNATURES':
      return {
        code: 'INSUFFICIENT_SIGNATURES',
        haveSeats: Number(fields['haveSeats']),
        totalSeats: Number(fields['totalSeats']),
      };
    case 'STALLED':
      return { code: 'STALLED', epoch: Number(fields['epoch']) };
    default:
      return { code: 'STEP_FAILED', reason: String(fields['reason']) };
  }
}
