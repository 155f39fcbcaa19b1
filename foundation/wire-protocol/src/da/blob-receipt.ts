import { type ChainId, type Hex, isRecord, type Json, type Root } from '@cairn/primitives';
import {
  chainIdField,
  type Fields,
  fieldsOf,
  hexOf,
  naturalField,
  refuseField,
  rootField,
  textField,
} from '../check.ts';

/** How far a blob is, as whoever posted it needs to know. */
export const RECEIPT_STAGES = [
  /** On the disperser's disk: it will be dispersed. */
  'accepted',
  /** More than two thirds of its quorum's seats signed for it: the certificate is there. */
  'dispersed',
  /** The chain took its batch. */
  'confirmed',
  /** The chain does not take that back any more. */
  'final',
] as const;

/** One of `RECEIPT_STAGES`. */
export type ReceiptStage = (typeof RECEIPT_STAGES)[number];

/** How far the log has a blob. */
export const ARCHIVE_STAGES = [
  /** It is to be written once it is final. */
  'wanted',
  /** Storage nodes have all of it. */
  'stored',
] as const;

/** Where in the log a blob is, or that it is to be there. */
export interface ReceiptArchive {
  readonly stage: (typeof ARCHIVE_STAGES)[number];
  /** Root and sequence of the file, whose bytes are the payload's; once it is stored. */
  readonly root?: Root;
  readonly sequence?: number;
}

/** Why a blob does not get on; its disperser tries again all the same. */
export interface ReceiptTrouble {
  /** INSUFFICIENT_SIGNATURES, STALLED or STEP_FAILED. */
  readonly code: string;
  /** One sentence. */
  readonly detail: string;
}

/** What a disperser says of a blob. */
export interface BlobReceipt {
  /** SHA-256 of the payload. */
  readonly id: Root;
  /** Chain of the entrance. */
  readonly chainId: ChainId;
  readonly shardId: number;
  readonly sizeBytes: number;
  readonly stage: ReceiptStage;
  /** Once it is encoded. */
  readonly commitment?: Root;
  /** Whose quorum keeps it, once that is known. */
  readonly epoch?: number;
  readonly quorumId?: number;
  /** Unix seconds until when its signers keep it. */
  readonly expirySeconds?: number;
  /** Root of the batch that was signed, and the blob's place in it. */
  readonly batchRoot?: Root;
  readonly leafIndex?: number;
  /** Hash of the transaction that confirmed it. */
  readonly transaction?: Hex;
  /** Of a blob that is meant for the log. */
  readonly archive?: ReceiptArchive;
  readonly trouble?: ReceiptTrouble;
}

const WHAT = 'receipt';

/** A receipt as JSON. */
export function blobReceiptJson({ archive, trouble, ...receipt }: BlobReceipt): Json {
  return { ...receipt, archive: archive && { ...archive }, trouble: trouble && { ...trouble } };
}

/** @throws {WireError} WIRE_NOT_AN_OBJECT, WIRE_FIELD, WIRE_TOO_LONG */
export function parseBlobReceipt(value: unknown): BlobReceipt {
  const fields = fieldsOf(value, WHAT);
  const { stage: named, archive, trouble } = fields;
  const stage = RECEIPT_STAGES.find((known) => known === named);
  if (stage === undefined) refuseField(WHAT, 'stage', RECEIPT_STAGES.join(' or '), named);
  return {
    id: rootField(fields, 'id', WHAT),
    chainId: chainIdField(fields, 'chainId', WHAT),
    shardId: naturalField(fields, 'shardId', WHAT, { max: 2 ** 32 - 1 }),
    sizeBytes: naturalField(fields, 'sizeBytes', WHAT),
    stage,
    ...optional(fields, 'commitment', rootField),
    ...optional(fields, 'epoch', naturalField),
    ...optional(fields, 'quorumId', naturalField),
    ...optional(fields, 'expirySeconds', naturalField),
    ...optional(fields, 'batchRoot', rootField),
    ...optional(fields, 'leafIndex', naturalField),
    ...optional(fields, 'transaction', (all, field) => hexOf(all[field], 32, WHAT, field)),
    ...(isRecord(archive) ? { archive: parseArchive(archive) } : {}),
    ...(isRecord(trouble)
      ? {
          trouble: {
            code: textField(trouble, 'code', 'trouble', 100),
            detail: textField(trouble, 'detail', 'trouble', 4000),
          },
        }
      : {}),
  };
}

function parseArchive(fields: Fields): ReceiptArchive {
  const what = 'archive';
  const stage = ARCHIVE_STAGES.find((known) => known === fields['stage']);
  if (stage === undefined) refuseField(what, 'stage', ARCHIVE_STAGES.join(' or '), fields['stage']);
  if (stage === 'wanted') return { stage };
  const sequence = naturalField(fields, 'sequence', what);
  return { stage, root: rootField(fields, 'root', what), sequence };
}

function optional<Name extends keyof BlobReceipt, Value>(
  fields: Fields,
  field: Name,
  read: (fields: Fields, field: Name, what: string) => Value,
): { readonly [Key in Name]?: Value } {
  if (fields[field] === undefined) return {};
  return { [field]: read(fields, field, WHAT) } as { readonly [Key in Name]?: Value };
}
