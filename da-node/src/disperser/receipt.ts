import { type ChainId, isHexOf, rootOf } from '@cairn/primitives';
import type {
  BlobReceipt,
  ReceiptArchive,
  ReceiptStage,
  ReceiptTrouble,
} from '@cairn/wire-protocol/da';
import { type BlobRecord, type BlobStage, type BlobTrouble, stageOf } from './blob-record.ts';
import type { ArchiveState } from './disperser.ts';

/** The stages that those who posted a blob wait for. */
const RECEIPT_STAGE: Readonly<Record<BlobStage, ReceiptStage>> = {
  accepted: 'accepted',
  committed: 'accepted',
  ordered: 'accepted',
  delivered: 'accepted',
  dispersed: 'dispersed',
  confirmed: 'confirmed',
  final: 'final',
};

/** What is told of a blob. */
export function receiptOf(
  record: BlobRecord,
  place: { readonly chainId: ChainId; readonly shardId: number },
  archive?: ArchiveState,
): BlobReceipt {
  const { id, sizeBytes, commitment, order, batch, confirmation, trouble } = record;
  const transaction = confirmation?.transaction;
  return {
    id,
    ...place,
    sizeBytes,
    stage: RECEIPT_STAGE[stageOf(record)],
    ...(commitment === undefined ? {} : { commitment: rootOf(commitment) }),
    ...(order === undefined
      ? {}
      : {
          epoch: order.epoch,
          quorumId: order.quorumId,
          expirySeconds: order.header.expirySeconds,
        }),
    ...(batch === undefined ? {} : { batchRoot: rootOf(batch.root), leafIndex: batch.leafIndex }),
    ...(isHexOf(transaction, 32) ? { transaction } : {}),
    ...(archive === undefined ? {} : { archive: receiptArchiveOf(archive) }),
    ...(trouble === undefined ? {} : { trouble: troubleOf(trouble) }),
  };
}

function receiptArchiveOf(archive: ArchiveState): ReceiptArchive {
  if (archive.stage === 'wanted') return { stage: 'wanted' };
  const { root, sequence } = archive.file;
  return { stage: 'stored', root, sequence };
}

function troubleOf(trouble: BlobTrouble): ReceiptTrouble {
  const { code } = trouble;
  switch (code) {
    case 'INSUFFICIENT_SIGNATURES': {
      const { haveSeats, totalSeats } = trouble;
      return { code, detail: `signers with ${haveSeats} of ${totalSeats} seats answer` };
    }
    case 'STALLED': {
      const detail = `it came to nothing in epoch ${trouble.epoch}, and is dispersed in a later one`;
      return { code, detail };
    }
    case 'STEP_FAILED':
      return { code, detail: 'a step failed and is tried again' };
  }
}
