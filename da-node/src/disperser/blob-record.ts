import { type BlobHeader, encodeBlobHeader, parseBlobHeader } from '@cairn/attestation';
import {
  fromHex,
  isRecord,
  type Json,
  parseJson,
  parseRoot,
  type Root,
  stringifyJson,
  toHex,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { encodePromiseTerms, type PromiseTerms, parsePromiseTerms } from '@cairn/wire-protocol/da';
import { DispersalError } from './errors.ts';

/**
 * How far a blob is. What a stage produced is on the disk before the next begins, so a crash goes on
 * where it was.
 */
export const BLOB_STAGES = [
  /** The payload is on the disk. */
  'accepted',
  /** The commitment is known. */
  'committed',
  /** A promise to pay names its epoch, quorum and slot. */
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
  /** The epoch is over without a quorum's signature, or the promise was void: it gets a new one. */
  | { readonly code: 'STALLED'; readonly epoch: number }
  /** A step failed; the sentence says how. */
  | { readonly code: 'STEP_FAILED'; readonly reason: string };

/** Under which promise a blob is dispersed. */
export interface BlobOrder {
  /** Names submitter, epoch and slot: what the quorum signs. */
  readonly header: BlobHeader;
  readonly epoch: number;
  readonly quorumId: number;
  /** The payer's terms and its signature. */
  readonly promise: PromiseTerms;
}

/** Where a confirmation was seen. */
export interface Confirmation {
  /** Hash of the transaction; absent where somebody else's was seen by its effect. */
  readonly transaction?: string;
  readonly block: number;
}

/** All that a disperser keeps of one blob, payload apart. */
export interface BlobRecord {
  /** SHA-256 of the payload: the same payload is the same blob while it lives. */
  readonly id: Root;
  readonly sizeBytes: number;
  /** Who posted it, as its account is called. */
  readonly account: string;
  /** Counts acceptances. */
  readonly arrival: number;
  readonly acceptedMs: number;
  readonly stage: BlobStage;
  /** 32 bytes, from `committed` on. */
  readonly commitment?: Uint8Array;
  /** The promise that counts, from `ordered` on. */
  readonly order?: BlobOrder;
  /** Promises that came to nothing before it. */
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
 * signed for it: its promise came to nothing, and it gets another.
 */
export function stageOf({ stage, trouble }: Pick<BlobRecord, 'stage' | 'trouble'>): BlobStage {
  return trouble?.code === 'STALLED' && hasReached(stage, 'dispersed') ? 'delivered' : stage;
}

/** A record as it is stored. */
export function encodeRecord(record: BlobRecord): Uint8Array {
  const { commitment, order, batch, certificate, confirmation, trouble } = record;
  const json: Json = {
    id: record.id,
    sizeBytes: record.sizeBytes,
    account: record.account,
    arrival: record.arrival,
    acceptedMs: record.acceptedMs,
    stage: record.stage,
    voidOrders: record.voidOrders,
    holders: record.holders,
    commitment: hexOrNone(commitment),
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
    const { commitment, order, batch, certificate, confirmation, trouble } = fields;
    return {
      id: parseRoot(String(fields['id'])),
      sizeBytes: Number(fields['sizeBytes']),
      account: String(fields['account']),
      arrival: Number(fields['arrival']),
      acceptedMs: Number(fields['acceptedMs']),
      stage: storedStage(fields['stage']),
      voidOrders: Number(fields['voidOrders']),
      holders: numbersOf(fields['holders']),
      ...(commitment === undefined ? {} : { commitment: bytesOf(commitment) }),
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

/** An order as JSON that `orderOf` reads. */
export function orderJson({ header, epoch, quorumId, promise }: BlobOrder): Json {
  return {
    header: toHex(encodeBlobHeader(header)),
    epoch,
    quorumId,
    promise: toHex(encodePromiseTerms(promise)),
  };
}

/** The order in JSON of `orderJson`. */
export function orderOf(fields: Readonly<Record<string, unknown>>): BlobOrder {
  return {
    header: parseBlobHeader(bytesOf(fields['header'])),
    epoch: Number(fields['epoch']),
    quorumId: Number(fields['quorumId']),
    promise: parsePromiseTerms(bytesOf(fields['promise'])),
  };
}

/** Reads JSON of the disperser's own. @throws {DispersalError} DISPERSAL_RECORD */
export function decodeStored<Value>(
  what: string,
  bytes: Uint8Array,
  read: (fields: Readonly<Record<string, unknown>>) => Value,
): Value {
  try {
    const fields = parseJson(utf8Text(bytes));
    if (isRecord(fields)) return read(fields);
    throw new TypeError('not an object');
  } catch (cause) {
    throw new DispersalError(
      { code: 'DISPERSAL_RECORD', what },
      `the stored record of ${what} cannot be read`,
      { cause },
    );
  }
}

/** Bytes of stored hex. */
export function bytesOf(value: unknown): Uint8Array {
  return fromHex(String(value));
}

/** Numbers of a stored list. */
export function numbersOf(value: unknown): number[] {
  if (!Array.isArray(value)) throw new TypeError('not a list');
  return value.map(Number);
}

function hexOrNone(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : toHex(bytes);
}

function storedStage(value: unknown): BlobStage {
  const stage = BLOB_STAGES.find((candidate) => candidate === value);
  if (stage === undefined) throw new TypeError('not a stage');
  return stage;
}

function confirmationOf(fields: Readonly<Record<string, unknown>>): Confirmation {
  const { transaction } = fields;
  const block = Number(fields['block']);
  return transaction === undefined ? { block } : { block, transaction: String(transaction) };
}

function troubleOf(fields: Readonly<Record<string, unknown>>): BlobTrouble {
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
