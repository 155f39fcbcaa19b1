import type { BlobRecord } from '../disperser/blob-record.ts';
import { blobIdOf, type Disperser } from '../disperser/disperser.ts';
import { DispersalError } from '../disperser/errors.ts';
import type { ReadBlob, WantedBlob } from '../retriever/read-blob.ts';

/** Reads blobs from their quorums: `readBlob` with its parts given. */
export type PayloadReader = (
  wanted: WantedBlob,
  options: { readonly signal: AbortSignal },
) => Promise<ReadBlob>;

/** Where payloads come from. */
export interface PayloadSources {
  readonly disperser: Pick<Disperser, 'payload'>;
  readonly reader: PayloadReader;
}

/**
 * The payload of a blob that was accepted here: from the disk while it is there, else from its quorum.
 *
 * @throws {DispersalError} PAYLOAD_DAMAGED; {RetrievalError}; the signal's reason
 */
export async function readPayload(
  { id, order }: Pick<BlobRecord, 'id' | 'order'>,
  { disperser, reader }: PayloadSources,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const kept = await disperser.payload(id);
  if (kept !== undefined && blobIdOf(kept) === id) return kept;
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
