import { type Address, equalBytes } from '@cairn/primitives';
import { type BlobHeader, parseBlobHeader, promiseSlotOf } from './blob-header.ts';
import { BodyReader } from './body-reader.ts';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import { DA_LOG_TYPES } from './da-log-leaf.ts';
import { type EpochHeader, quorumsOf } from './epoch-header.ts';
import { ContentError, DaLogError } from './errors.ts';
import {
  type DaLogProof,
  requireCounted,
  type VerifiedDaLogLeaf,
  verifyDaLogLeaf,
} from './logged-batch.ts';
import { leafHash, rootOfPath } from './merkle-tree.ts';
import { quorumOfBlob } from './sortition.ts';

declare const verified: unique symbol;

/** The order of all checkpoints at some time: what the hub, an epoch's header or a mirror says. */
export interface OrderState {
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Checkpoints under it. */
  readonly count: number;
}

/** A checkpoint with its place in the order, as anyone may bring it. */
export interface OrderedCheckpoint {
  /** Its 212 bytes. */
  readonly body: Uint8Array;
  readonly globalIndex: number;
  /** 32 bytes each, bottom-up. */
  readonly path: readonly Uint8Array[];
}

/** A checkpoint that has its place in the order. Only `verifyOrderedCheckpoint` makes one. */
export type VerifiedCheckpoint = Checkpoint & {
  readonly globalIndex: number;
  readonly [verified]: 'ordered';
};

/** A submission record with its proof, as anyone may bring it. */
export interface LoggedFile {
  /** Its 92 bytes. */
  readonly record: Uint8Array;
  /** From the record to the log root of the checkpoint; 32 bytes each, bottom-up. */
  readonly path: readonly Uint8Array[];
}

/** A file that a shard's log has. Only `verifyFileContent` makes one. */
export type VerifiedFileContent = {
  readonly checkpoint: VerifiedCheckpoint;
  /** Its number in the shard's log. */
  readonly sequence: number;
  /** 32 bytes. */
  readonly fileRoot: Uint8Array;
  readonly sizeBytes: number;
  /** First sector of the shard's flow that is the file's. */
  readonly startSector: number;
  readonly sectors: number;
  readonly submitter: Address;
  /** Block time of the submission, unix seconds. */
  readonly timeSeconds: number;
} & { readonly [verified]: 'file' };

/** A blob header with its proof, as anyone may bring it. */
export interface CertifiedBlob {
  /** The header's 88 bytes. */
  readonly header: Uint8Array;
  readonly leafIndex: number;
  /** From the header to the batch root; 32 bytes each, bottom-up. */
  readonly batchPath: readonly Uint8Array[];
  /** The batch in the DA log that the checkpoint tells of. */
  readonly log: DaLogProof;
  /** See `voidWordsOf`: for a batch that has void leaves. */
  readonly voidWords?: Uint8Array;
}

/** A blob that a quorum certified and a shard took. Only `verifyBlobContent` makes one. */
export type VerifiedBlobContent = {
  readonly checkpoint: VerifiedCheckpoint;
  readonly header: BlobHeader;
  readonly batch: VerifiedDaLogLeaf;
} & { readonly [verified]: 'blob' };

/**
 * Proves that a checkpoint has its place in the order.
 *
 * @throws {ContentError} CONTENT_NOT_ORDERED; {PathError} PATH_INDEX, PATH_LENGTH; {MessageError}
 * @see contracts/src/shards/ContentProofs.sol, which says the same on chains
 */
export function verifyOrderedCheckpoint(
  { body, globalIndex, path }: OrderedCheckpoint,
  { root, count }: OrderState,
): VerifiedCheckpoint {
  const checkpoint = parseCheckpoint(body);
  const found = rootOfPath({ leaf: leafHash(body), index: globalIndex, count, path });
  if (equalBytes(found, root)) return { ...checkpoint, globalIndex } as VerifiedCheckpoint;
  throw new ContentError(
    { code: 'CONTENT_NOT_ORDERED', globalIndex, count },
    `what was brought is not checkpoint ${globalIndex} of the order of ${count}`,
  );
}

/**
 * Proves that a file is in the log of a shard, at the sequence that its record says.
 *
 * @throws {ContentError} CONTENT_HUB_HAS_NO_LOG for the hub's own checkpoint, whose log is the order;
 *   CONTENT_NOT_LOGGED; {PathError} PATH_INDEX, PATH_LENGTH; {MessageError} for another record
 */
export function verifyFileContent(
  { record, path }: LoggedFile,
  checkpoint: VerifiedCheckpoint,
): VerifiedFileContent {
  const { shardId, logRoot, logCount: count } = checkpoint;
  if (shardId === 0) {
    throw new ContentError(
      { code: 'CONTENT_HUB_HAS_NO_LOG' },
      'the checkpoint of the hub tells of the order, where others tell of a log',
    );
  }
  const file = parseRecordBody(record);
  const { sequence } = file;
  const found = rootOfPath({ leaf: leafHash(record), index: sequence, count, path });
  if (equalBytes(found, logRoot)) return { checkpoint, ...file } as VerifiedFileContent;
  throw new ContentError(
    { code: 'CONTENT_NOT_LOGGED', what: 'file', index: sequence, count },
    `what was brought is not record ${sequence} of the log with ${count}`,
  );
}

/**
 * Proves that the quorum to which a blob falls certified it, and that its shard took the certificate.
 * Its time may be over: `header.expirySeconds` tells.
 *
 * @param office - header of the epoch that the batch is of
 * @throws {ContentError} CONTENT_OTHER_SHARD, CONTENT_NOT_LOGGED, CONTENT_OTHER_EPOCH,
 *   CONTENT_OTHER_QUORUM; {DaLogError} DA_LOG_FOREIGN, DA_LOG_NO_BATCH, DA_LOG_VOIDS,
 *   DA_LOG_LEAF_VOID; {PathError} PATH_INDEX, PATH_LENGTH; {MessageError}
 */
export function verifyBlobContent(
  { header: body, leafIndex, batchPath, log, voidWords }: CertifiedBlob,
  checkpoint: VerifiedCheckpoint,
  office: Pick<EpochHeader, 'epoch' | 'seed' | 'snapshotHashes'>,
): VerifiedBlobContent {
  const header = parseBlobHeader(body);
  const { shardId, daRoot, daCount } = checkpoint;
  if (header.shardId !== shardId) {
    throw new ContentError(
      { code: 'CONTENT_OTHER_SHARD', shardId: header.shardId, expected: shardId },
      `a blob of shard ${header.shardId} is not in the log of shard ${shardId}`,
    );
  }
  const batch = verifyDaLogLeaf(log, { root: daRoot, count: daCount });
  requireCounted(voidWords === undefined ? { leaf: batch } : { leaf: batch, voidWords }, leafIndex);
  if (batch.type === DA_LOG_TYPES.batch && voidWords !== undefined) {
    const actualBytes = voidWords.length;
    throw new DaLogError(
      { code: 'DA_LOG_VOIDS', expectedBytes: 0, actualBytes },
      `the log names no void words for this batch, and ${actualBytes} bytes were brought`,
    );
  }
  const { count } = batch;
  const found = rootOfPath({ leaf: leafHash(body), index: leafIndex, count, path: batchPath });
  if (!equalBytes(found, batch.batchRoot)) {
    throw new ContentError(
      { code: 'CONTENT_NOT_LOGGED', what: 'blob', index: leafIndex, count },
      `what was brought is not header ${leafIndex} of the batch of ${count}`,
    );
  }
  assertQuorum(header, batch, office);
  return { checkpoint, header, batch } as VerifiedBlobContent;
}

/** The rule of the entrance: a quorum certifies the blobs that fall to it. */
function assertQuorum(
  { submissionIndex, submitter }: BlobHeader,
  { epoch, quorumId }: VerifiedDaLogLeaf,
  office: Pick<EpochHeader, 'epoch' | 'seed' | 'snapshotHashes'>,
): void {
  const slot = promiseSlotOf(submissionIndex);
  if (office.epoch !== epoch || (slot?.epoch ?? epoch) !== epoch) {
    const actual = slot === undefined ? office.epoch : slot.epoch;
    throw new ContentError(
      { code: 'CONTENT_OTHER_EPOCH', epoch: actual, expected: epoch },
      `blob ${submissionIndex} is asked for in epoch ${actual}, its batch is of ${epoch}`,
    );
  }
  const place = slot === undefined ? { submissionIndex } : { payer: submitter, slot: slot.slot };
  const expected = quorumOfBlob(office.seed, place, quorumsOf(office));
  if (expected === quorumId) return;
  throw new ContentError(
    { code: 'CONTENT_OTHER_QUORUM', quorumId, expected },
    `blob ${submissionIndex} falls to quorum ${expected}, and ${quorumId} certified it`,
  );
}

/** A record's fields: sequence u64, file root 32, size u64, start u64, sectors u64, submitter 20, time u64. */
function parseRecordBody(
  body: Uint8Array,
): Omit<VerifiedFileContent, 'checkpoint' | typeof verified> {
  const reader = new BodyReader('submission record', body);
  const record = {
    sequence: reader.number(8, 'sequence'),
    fileRoot: reader.bytes(32),
    sizeBytes: reader.number(8, 'size'),
    startSector: reader.number(8, 'start'),
    sectors: reader.number(8, 'sectors'),
    submitter: reader.address(),
    timeSeconds: reader.number(8, 'time'),
  };
  reader.end();
  return record;
}
