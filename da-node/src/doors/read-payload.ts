import { MAX_PAYLOAD_BYTES } from '@cairn/erasure-codec';
import { type HttpReplyOut, onceOver } from '@cairn/node-runtime/http';
import { isFault } from '@cairn/primitives';
import type { ByteBudget } from '../byte-budget.ts';
import type { BlobArchiver } from '../disperser/archive-blob.ts';
import { blobIdOf } from '../disperser/blob-id.ts';
import type { BlobRecord } from '../disperser/blob-record.ts';
import type { Disperser } from '../disperser/disperser.ts';
import { DispersalError } from '../disperser/errors.ts';
import type { AdmitPayload, ReadBlob, WantedBlob } from '../retriever/read-blob.ts';

/** Reads blobs from their quorums: `readBlob` with its parts given. */
export type PayloadReader = (
  wanted: WantedBlob,
  options: { readonly admit?: AdmitPayload; readonly signal: AbortSignal },
) => Promise<ReadBlob>;

/**
 * Memory for payloads that are read for a reply or sent in one: four of the largest. A client that
 * reads slowly keeps its own for as long as the connection lasts, so what it waits for is counted.
 */
export const REPLY_BYTES: number = 4 * MAX_PAYLOAD_BYTES;

/** Where payloads come from. */
export interface PayloadSources {
  readonly disperser: Pick<Disperser, 'find' | 'payload'>;
  readonly reader: PayloadReader;
  /** Reads what is in the log; none where blobs are not written to it. */
  readonly archive?: BlobArchiver['read'];
  /** Of all replies under way. */
  readonly replies: ByteBudget;
}

/** Takes memory for a payload until `reply` is sent or its client is gone. */
export function admitTo(
  { raw }: Pick<HttpReplyOut, 'raw'>,
  { replies }: Pick<PayloadSources, 'replies'>,
  signal: AbortSignal,
): AdmitPayload {
  return async (payloadBytes) => {
    const release = await replies.take(payloadBytes, signal);
    onceOver(raw, release);
  };
}

/** Codes that say that a quorum has too little of a blob now; what it has not, the log may have. */
const NOT_AT_QUORUM = ['BLOB_UNAVAILABLE', 'BLOB_ABSENT', 'QUORUM_UNKNOWN'] as const;

/**
 * The payload of a blob that was accepted here: from the disk while it is there, else from its quorum,
 * else from the log, if it was written to it.
 *
 * @param admit - takes memory for it before it is read
 * @throws {DispersalError} PAYLOAD_DAMAGED, ARCHIVE_MISMATCH, ARCHIVE_UNAVAILABLE; {RetrievalError};
 *   {QueueFullError}; the signal's reason
 */
export async function readPayload(
  record: Pick<BlobRecord, 'id' | 'order' | 'sizeBytes' | 'suite' | 'commitment'>,
  { disperser, reader, archive }: Pick<PayloadSources, 'disperser' | 'reader' | 'archive'>,
  { admit, signal }: { readonly admit: AdmitPayload; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const { id, sizeBytes } = record;
  await admit(sizeBytes);
  const kept = await disperser.payload(id);
  if (kept !== undefined && blobIdOf(kept, record.suite) === id) return kept;
  // It may have gone to its quorum, and from the disk, while memory for it was waited for.
  const current = record.order === undefined ? ((await disperser.find(id)) ?? record) : record;
  try {
    return await readFromQuorum(current, reader, { signal });
  } catch (error) {
    if (!NOT_AT_QUORUM.some((code) => isFault(error, code))) throw error;
    const archived = await archive?.(current, { signal });
    if (archived === undefined) throw error;
    return archived;
  }
}

/** The payload of a blob from its quorum. @throws {DispersalError} PAYLOAD_DAMAGED; as the reader */
export async function readFromQuorum(
  { id, order }: Pick<BlobRecord, 'id' | 'order'>,
  reader: PayloadReader,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  if (order === undefined) {
    throw new DispersalError(
      { code: 'PAYLOAD_DAMAGED', id },
      `the payload of ${id} is not on the disk as it was accepted`,
    );
  }
  const { header, epoch, quorumId } = order;
  const { payload } = await reader({ commitment: header.commitment, epoch, quorumId }, { signal });
  return payload;
}
