import {
  type BlsBackend,
  type Checkpoint,
  encodeCheckpoint,
  type OrderedCheckpoint,
  type OrderState,
  treePath,
  treeRoot,
  verifyFileContent,
  verifyOrderedCheckpoint,
} from '@cairn/attestation';
import { encodeRecord, type SubmissionRecord } from '@cairn/commitments';
import { toHex } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { badProof, ShardError } from './errors.ts';
import { findCheckpoint, type PlacedCheckpoint } from './find-checkpoint.ts';
import type { Ordering } from './open-ordering.ts';
import { type OrderedEvent, OrderFeed } from './order-feed.ts';
import { checkpointArgument } from './ordering-calls.ts';
import type { Shard } from './ordering-facts.ts';
import { type FoundRecord, findRecord } from './placed-record.ts';

/** Where a proof is read from. */
export interface ProveFileDeps {
  readonly ordering: Ordering;
  readonly shard: Shard;
  /** The chain of the shard. */
  readonly client: ChainClient;
  readonly backend: Pick<BlsBackend, 'parseKey' | 'parseSignature'>;
}

/** A file of a shard's log with its place in the order of all: what contracts and programs check. */
export interface OrderedFile {
  readonly record: SubmissionRecord;
  /** From the record up to the checkpoint's log root. */
  readonly path: readonly Uint8Array[];
  readonly checkpoint: Checkpoint;
  /** The checkpoint's place. */
  readonly ordered: OrderedCheckpoint;
  /** The order under whose root that place is shown. */
  readonly order: OrderState;
}

/** How a file is proven. */
export interface ProveFileOptions extends CallOptions {
  /** A block of the hub, not after the first checkpoint; 0 unless told. */
  readonly fromBlock?: number;
  /** All places that were given, of `readPlaces`; read anew unless told. */
  readonly places?: readonly OrderedEvent[];
}

/**
 * All places that the hub gave, oldest first, as its events tell them: place n is of global index n.
 *
 * @param fromBlock - of the hub, not after the first checkpoint; 0 unless told
 * @throws {ShardError} SHARD_BAD_PROOF where one is missing; {DaError} DA_BAD_EVENT; {ChainError}
 */
export async function readPlaces(
  ordering: Ordering,
  { signal, fromBlock = 0 }: Pick<ProveFileOptions, 'signal' | 'fromBlock'>,
): Promise<readonly OrderedEvent[]> {
  const places: OrderedEvent[] = [];
  const toBlock = await ordering.hub.client.blockNumber({ signal });
  const pages = new OrderFeed(ordering).forward({ fromBlock, toBlock }, { signal });
  for await (const { ordered } of pages) {
    for (const event of ordered) {
      if (event.globalIndex !== places.length) {
        const reason = `place ${places.length} of the order is missing in its events`;
        throw badProof(event.shardId, reason);
      }
      places.push(event);
    }
  }
  return places;
}

/**
 * Proves that a file is in a shard's log and where in the order of all checkpoints, from what the
 * hub and the shard's chain tell. Endpoints may lie: what they told is verified up to the root of
 * the order, which the caller compares with the hub's or with what a committee signed.
 *
 * The first checkpoint that has the file is taken, so that the place never changes. Reads all places
 * that were given and the log up to that checkpoint: less than 1 KB of memory for each place, and 156 bytes for each
 * record.
 *
 * @throws {ShardError} SHARD_NOT_ORDERED, SHARD_BAD_PROOF; {DaError} DA_BAD_EVENT; {ChainError}
 */
export async function proveFile(
  deps: ProveFileDeps,
  sequence: number,
  { signal, fromBlock = 0, places }: ProveFileOptions,
): Promise<OrderedFile> {
  const { ordering, shard } = deps;
  const all = places ?? (await readPlaces(ordering, { signal, fromBlock }));
  const own = all.filter(({ shardId }) => shardId === shard.shardId);
  const place = await firstWith(sequence, own, deps, { signal });
  const isIt = (record: SubmissionRecord): boolean => record.sequence === sequence;
  const found = await findRecord(isIt, place.checkpoint, deps, { signal });
  if (found !== undefined) return orderedFile(found, place, all);
  throw badProof(shard.shardId, `its events show no file ${sequence}`);
}

/**
 * A record with its place under the root of all places that are given.
 *
 * @throws {ShardError} SHARD_BAD_PROOF unless record, checkpoint and places lead to one root
 */
export function orderedFile(
  { record, path }: FoundRecord,
  { checkpoint, globalIndex }: PlacedCheckpoint,
  places: readonly OrderedEvent[],
): OrderedFile {
  const leaves = places.map(({ hash }) => hash);
  const count = leaves.length;
  const body = encodeCheckpoint(checkpoint);
  const ordered = { body, globalIndex, path: treePath(leaves, globalIndex) };
  const order = { root: treeRoot(leaves), count };
  const placed = verifyOrderedCheckpoint(ordered, order);
  verifyFileContent({ record: encodeRecord(record), path }, placed);
  return { record, path, checkpoint, ordered, order };
}

/** A proof as `requireFile` of the OrderingHub and of mirrors takes it. */
export function fileProofArgument({
  record,
  path,
  checkpoint,
  ordered,
  order,
}: OrderedFile): unknown[] {
  const { sequence, fileRoot, sizeBytes, startSector, sectors, submitter, timeSeconds } = record;
  return [
    [sequence, toHex(fileRoot), sizeBytes, startSector, sectors, submitter, timeSeconds],
    path.map(toHex),
    [
      ...[checkpointArgument(checkpoint), ordered.globalIndex, order.count],
      ordered.path.map(toHex),
    ],
  ];
}

/** The first checkpoint of a shard whose log has a sequence. */
async function firstWith(
  sequence: number,
  own: readonly OrderedEvent[],
  deps: ProveFileDeps,
  { signal }: CallOptions,
): Promise<PlacedCheckpoint> {
  const { shardId } = deps.shard;
  const found = await findCheckpoint(own, (one) => one.logCount > sequence, deps, { signal });
  if (found !== undefined) return found;
  const newest = await findCheckpoint(own.slice(-1), () => true, deps, { signal });
  const logCount = newest?.checkpoint.logCount ?? 0;
  throw new ShardError(
    { code: 'SHARD_NOT_ORDERED', shardId, sequence, logCount },
    `file ${sequence} of shard ${shardId} is not ordered yet: its newest checkpoint has ${logCount} files`,
  );
}
