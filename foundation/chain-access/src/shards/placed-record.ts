import { type Checkpoint, checkpointHash } from '@cairn/attestation';
import { encodeRecord, type SubmissionRecord } from '@cairn/commitments';
import { equalBytes } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import { logRecordPages, readFirstLogBlock } from '../possession/read-records.ts';
import { RecordPaths } from '../possession/record-paths.ts';
import { badProof } from './errors.ts';
import { type OrderedEvent, OrderFeed } from './order-feed.ts';
import type { ProveFileDeps } from './prove-file.ts';

/** A record of a log, and its path under the log root of a checkpoint. */
export interface FoundRecord {
  readonly record: SubmissionRecord;
  /** 32 bytes each, bottom-up. */
  readonly path: readonly Uint8Array[];
}

/** Where checkpoints of a shard are read. */
export interface CheckpointSource extends Pick<ProveFileDeps, 'ordering' | 'backend'> {
  readonly shard: Pick<ProveFileDeps['shard'], 'shardId'>;
}

/** The checkpoint that has a place, out of the call that brought it. @throws {ShardError} SHARD_BAD_PROOF; as `OrderFeed.bundleOf` */
export async function checkpointAt(
  event: OrderedEvent,
  { ordering, backend, shard: { shardId } }: CheckpointSource,
  { signal }: CallOptions,
): Promise<Checkpoint> {
  const bundle = await new OrderFeed(ordering).bundleOf(event, backend, { signal });
  const found = bundle?.checkpoints.find((item) => equalBytes(checkpointHash(item), event.hash));
  if (found !== undefined) return found;
  const { globalIndex, transactionHash } = event;
  throw badProof(shardId, `transaction ${transactionHash} does not show checkpoint ${globalIndex}`);
}

/**
 * The first record that is looked for in the log that a checkpoint tells of. The whole log up to it is read: 156 bytes
 * of memory for each record.
 *
 * @returns `undefined` if that log has none
 * @throws {ShardError} SHARD_BAD_PROOF unless what the chain shows makes up the checkpoint's log root; {ChainError}
 */
export async function findRecord(
  isIt: (record: SubmissionRecord) => boolean,
  { logCount, logRoot, blockNumber }: Checkpoint,
  { client, shard: { shardId, flow } }: ProveFileDeps,
  { signal }: CallOptions,
): Promise<FoundRecord | undefined> {
  if (flow === undefined) throw badProof(shardId, 'it has no log');
  const fromBlock = await readFirstLogBlock(client, flow, { signal });
  const bodies: Uint8Array[] = [];
  let record: SubmissionRecord | undefined;
  const range = { fromBlock, toBlock: blockNumber };
  for await (const page of logRecordPages(client, flow, range, { signal })) {
    for (const item of page.records) {
      if (record === undefined && isIt(item)) record = item;
      bodies.push(encodeRecord(item));
    }
  }
  if (bodies.length !== logCount) {
    throw badProof(shardId, `its events show ${bodies.length} files, the checkpoint ${logCount}`);
  }
  if (record === undefined) return undefined;
  const paths = new RecordPaths(bodies);
  if (equalBytes(paths.root(), logRoot)) return { record, path: paths.pathOf(record.sequence) };
  throw badProof(shardId, `its ${logCount} files do not make up the checkpoint's log root`);
}
