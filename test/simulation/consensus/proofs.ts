import {
  checkpointHash,
  DA_LOG_TYPES,
  type DaLogLeaf,
  type EpochHeader,
  encodeBlobHeader,
  encodeCheckpoint,
  encodeDaLogLeaf,
  leafHash,
  quorumOfBlob,
  quorumsOf,
  rootOfPath,
  treeDepth,
  verifyBlobContent,
  verifyFileContent,
  verifyOrderedCheckpoint,
} from '@cairn/attestation';
import {
  bigEndianBytes,
  concatBytes,
  fromHex,
  keccak256,
  MAINNET_CONSENSUS,
  utf8Bytes,
} from '@cairn/primitives';
import { filePlaceProofJson } from '@cairn/wire-protocol';
import { checkpointOf, NETWORK } from './sizes.ts';

/** What a shard holds when a proof is made. */
export const SHARD_CONTENT: {
  readonly files: number;
  readonly batches: number;
  readonly blobsInBatch: number;
} = {
  files: 10_000_000,
  batches: 1_000_000,
  blobsInBatch: 256,
};
const YEAR_SECONDS = 365 * 86_400;
const SHARD = 1;

/** Checkpoints that so many shards have ordered after a year. */
export function ordersOfYear(shards: number): number {
  const { schedule, checkpointPeriodBlocks } = MAINNET_CONSENSUS;
  return (shards * YEAR_SECONDS) / (schedule.blockSeconds * checkpointPeriodBlocks);
}

/** Bytes of proofs against a root of the order. */
export interface ProofSizes {
  readonly order: number;
  /** The path in the order alone. */
  readonly orderPath: number;
  readonly file: number;
  /** The file's proof as JSON, without a certificate. */
  readonly fileJson: number;
  readonly blob: number;
}

/** A tree of so many leaves in which `leaf` stands in the middle, and nothing else needs to be known. */
interface Place {
  readonly index: number;
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
  readonly count: number;
}

/** Sizes of proofs by making them; each is verified. @param office - of the epoch whose quorum certified the blob */
export function proofSizes(shards: number, office: EpochHeader): ProofSizes {
  const record = recordOf(Math.floor(SHARD_CONTENT.files / 2));
  const log = placeOf(leafHash(record), SHARD_CONTENT.files);
  const header = {
    suite: 0,
    log2K: 10,
    cosets: MAINNET_CONSENSUS.cosets,
    rowSizeBytes: 256,
    sizeBytes: 131_072,
    commitment: keccak256(utf8Bytes('commitment')),
    submitter: NETWORK.hub,
    shardId: SHARD,
    submissionIndex: 5n,
    expirySeconds: office.endSeconds + 86_400,
  };
  const body = encodeBlobHeader(header);
  const batch = placeOf(leafHash(body), SHARD_CONTENT.blobsInBatch);
  const { submissionIndex } = header;
  const leaf: DaLogLeaf = {
    type: DA_LOG_TYPES.batch,
    batchRoot: batch.root,
    epoch: office.epoch,
    quorumId: quorumOfBlob(office.seed, { submissionIndex }, quorumsOf(office)),
    count: batch.count,
    timeSeconds: office.startSeconds,
  };
  const logged = encodeDaLogLeaf(leaf);
  const daLog = placeOf(leafHash(logged), SHARD_CONTENT.batches);
  const checkpoint = checkpointOf(SHARD, {
    logRoot: log.root,
    logCount: log.count,
    daRoot: daLog.root,
    daCount: daLog.count,
  });
  const order = placeOf(checkpointHash(checkpoint), ordersOfYear(shards));
  const ordered = {
    body: encodeCheckpoint(checkpoint),
    globalIndex: order.index,
    path: order.path,
  };
  const proven = verifyOrderedCheckpoint(ordered, order);
  verifyFileContent({ record, path: log.path }, proven);
  const certified = { header: body, leafIndex: batch.index, batchPath: batch.path };
  const inLog = { body: logged, index: daLog.index, path: daLog.path };
  verifyBlobContent({ ...certified, log: inLog }, proven, office);
  const tail = [ordered.body, ...order.path];
  return {
    order: order.count,
    orderPath: bytesOf(order.path),
    file: bytesOf([record, ...log.path, ...tail]),
    fileJson: filePlaceProofJson({
      record,
      recordPath: log.path,
      checkpoint: ordered.body,
      globalIndex: order.index,
      places: [{ count: order.count, path: order.path }],
      certificates: [],
    }).length,
    blob: bytesOf([body, ...batch.path, logged, ...daLog.path, ...tail]),
  };
}

function recordOf(sequence: number): Uint8Array {
  const number = (value: number): Uint8Array => bigEndianBytes(value, 8);
  return concatBytes(
    ...[number(sequence), keccak256(utf8Bytes('file')), number(1_000_000)],
    ...[number(4096), number(4096), fromHex(NETWORK.hub), number(1_800_000_000)],
  );
}

function placeOf(leaf: Uint8Array, count: number): Place {
  const index = Math.floor(count / 2);
  const path = Array.from({ length: treeDepth(count) }, (_, height) =>
    keccak256(Uint8Array.of(height)),
  );
  return { index, path, count, root: rootOfPath({ leaf, index, count, path }) };
}

function bytesOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
