import {
  type BlsBackend,
  type Certificate,
  type Checkpoint,
  DA_LOG_TYPES,
  encodeCheckpoint,
  encodeDaLogLeaf,
  leafHash,
  rootOfPath,
  treePath,
  treeRoot,
  verifyBlobContent,
  verifyOrderedCheckpoint,
  voidWordsOf,
} from '@cairn/attestation';
import { equalBytes, forEachConcurrent, keccak256, toHex } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import { decodeBatchConfirmation } from '../da/blob-events.ts';
import { readBatch } from '../da/entrance-facts.ts';
import type { EpochBook } from '../da/epoch-book.ts';
import type { Entrance } from '../da/open-entrance.ts';
import { EventReader } from '../log/event-reader.ts';
import type { OrderedBlob } from './content-facts.ts';
import { badProof, ShardError } from './errors.ts';
import { findCheckpoint } from './find-checkpoint.ts';
import type { Ordering } from './open-ordering.ts';
import { type ProveFileOptions, readPlaces } from './prove-file.ts';

/** Batches that are asked about at once. */
const PARALLEL = 8;

/** Where a proof of a blob is read from. */
export interface ProveBlobDeps {
  readonly ordering: Ordering;
  /** Of the shard. */
  readonly entrance: Entrance;
  /** Of the hub: whose quorum a blob falls to follows from its epoch's seed. */
  readonly epochs: Pick<EpochBook, 'sealed'>;
  readonly backend: Pick<BlsBackend, 'parseKey' | 'parseSignature'>;
}

/** A blob in its batch, as its certificate has it. */
export type BatchedBlob = Pick<Certificate, 'body' | 'leafIndex' | 'path' | 'count'>;

/** A blob with its place in the order of all, and the checkpoint that has it. */
export interface ProvenBlobPlace extends OrderedBlob {
  readonly checkpoint: Checkpoint;
}

/** A batch in the log of an entrance. */
interface LoggedBatch {
  readonly root: Uint8Array;
  readonly voids: readonly number[];
}

/**
 * Proves that a shard took a blob, and where in the order of all checkpoints, from what the hub and the
 * shard's chain tell. Endpoints may lie: what they told is verified up to the root of the order, which
 * the caller compares with the hub's or with what a committee signed.
 *
 * The first checkpoint that has the blob's batch is taken, so that the place never changes. Reads all
 * places that were given, and makes one call for each batch that the shard confirmed up to that checkpoint.
 *
 * @throws {ShardError} SHARD_BLOB_NOT_ORDERED, SHARD_BAD_PROOF; {ContentError}, {DaLogError} for a blob
 *   that counts for nothing or is another quorum's; {DaError} DA_BAD_EVENT; {ChainError}
 */
export async function proveBlob(
  deps: ProveBlobDeps,
  blob: BatchedBlob,
  { signal, fromBlock = 0, places }: ProveFileOptions,
): Promise<ProvenBlobPlace> {
  const { ordering, entrance, backend, epochs } = deps;
  const { shardId } = entrance.settings;
  const { body, leafIndex, path, count } = blob;
  const root = rootOfPath({ leaf: leafHash(body), index: leafIndex, count, path });
  const all = places ?? (await readPlaces(ordering, { signal, fromBlock }));
  const own = all.filter((event) => event.shardId === shardId);
  const from = { ordering, backend, shard: { shardId } };
  const newest = await findCheckpoint(own.slice(-1), () => true, from, { signal });
  const batches =
    newest === undefined ? [] : await batchesUntil(newest.checkpoint, entrance, { signal });
  const daIndex = batches.findIndex((batch) => equalBytes(batch.root, root));
  const found =
    daIndex < 0
      ? undefined
      : await findCheckpoint(own, ({ daCount }) => daCount > daIndex, from, { signal });
  if (found === undefined) throw notOrdered(shardId, root, newest?.checkpoint.daCount ?? 0);
  const { checkpoint, globalIndex } = found;
  const logged = batches.slice(0, checkpoint.daCount);
  const bodies = await bodiesOf(logged, deps, { signal });
  const leaves = bodies.map(leafHash);
  if (bodies.length !== checkpoint.daCount || !equalBytes(treeRoot(leaves), checkpoint.daRoot)) {
    throw badProof(
      shardId,
      `its ${bodies.length} batches do not make up the DA root of ${checkpoint.daCount}`,
    );
  }
  const [log, batch] = [bodies[daIndex], logged[daIndex]];
  if (log === undefined || batch === undefined) throw notOrdered(shardId, root, bodies.length);
  const proven = {
    header: body,
    leafIndex,
    batchPath: path,
    log: { body: log, index: daIndex, path: treePath(leaves, daIndex) },
    ...(batch.voids.length === 0 ? {} : { voidWords: voidWordsOf(count, batch.voids) }),
  };
  const hashes = all.map(({ hash }) => hash);
  const order = { root: treeRoot(hashes), count: hashes.length };
  const place = { body: encodeCheckpoint(checkpoint), globalIndex };
  const ordered = { ...place, path: treePath(hashes, globalIndex) };
  const { epoch } = await requireBatch(entrance, root, { signal });
  const sealed = await epochs.sealed(epoch, { signal });
  if (sealed === undefined) throw badProof(shardId, `the hub knows no epoch ${epoch}`);
  verifyBlobContent(proven, verifyOrderedCheckpoint(ordered, order), sealed.header);
  return { blob: proven, ordered, order, checkpoint };
}

/** Batches that an entrance confirmed up to the block of a checkpoint, in the order of its log. */
async function batchesUntil(
  { blockNumber: toBlock }: Checkpoint,
  { client, contract, domain, firstBlock, settings }: Entrance,
  { signal }: CallOptions,
): Promise<readonly LoggedBatch[]> {
  const [confirmed, voided] = [contract.topic('BatchConfirmed'), contract.topic('PromiseVoid')];
  const reader = new EventReader({ client, address: domain.address });
  const batches: LoggedBatch[] = [];
  let voids: { readonly transaction: string; readonly leaves: number[] } | undefined;
  const query = { topics: [confirmed, voided], fromBlock: firstBlock, toBlock };
  for await (const { logs } of reader.forward(query, { signal })) {
    for (const log of logs) {
      const { transactionHash: transaction } = log;
      if (log.topics[0] === voided) {
        if (voids?.transaction !== transaction) voids = { transaction, leaves: [] };
        voids.leaves.push(contract.decode('PromiseVoid', log).number('leafIndex'));
        continue;
      }
      const { root, daIndex } = decodeBatchConfirmation(contract, log);
      if (daIndex !== batches.length) {
        throw badProof(settings.shardId, `its events lack batch ${batches.length}`);
      }
      // Those of a batch come before it, in the same transaction.
      const own = voids?.transaction === transaction ? voids.leaves : [];
      batches.push({ root, voids: own });
      voids = undefined;
    }
  }
  return batches;
}

/** Leaves of the log, as the entrance wrote them. */
async function bodiesOf(
  batches: readonly LoggedBatch[],
  { entrance }: Pick<ProveBlobDeps, 'entrance'>,
  { signal }: CallOptions,
): Promise<readonly Uint8Array[]> {
  const bodies: Uint8Array[] = [];
  const read = async (
    [at, { root, voids }]: readonly [number, LoggedBatch],
    inner: AbortSignal,
  ): Promise<void> => {
    const batch = await requireBatch(entrance, root, { signal: inner });
    const shared = { batchRoot: root, ...batch };
    const voidsHash = keccak256(voidWordsOf(batch.count, voids));
    bodies[at] = encodeDaLogLeaf(
      voids.length === 0
        ? { type: DA_LOG_TYPES.batch, ...shared }
        : { type: DA_LOG_TYPES.batchWithVoids, ...shared, voidsHash },
    );
  };
  await forEachConcurrent(batches.entries(), read, { parallel: PARALLEL, signal });
  return bodies;
}

async function requireBatch(
  entrance: Entrance,
  root: Uint8Array,
  options: CallOptions,
): Promise<NonNullable<Awaited<ReturnType<typeof readBatch>>>> {
  const batch = await readBatch(entrance, root, options);
  if (batch !== undefined) return batch;
  throw badProof(
    entrance.settings.shardId,
    `its events tell of the batch ${toHex(root)}, and it does not know it`,
  );
}

function notOrdered(shardId: number, root: Uint8Array, daCount: number): ShardError {
  const batchRoot = toHex(root);
  return new ShardError(
    { code: 'SHARD_BLOB_NOT_ORDERED', shardId, batchRoot, daCount },
    `the batch ${batchRoot} is not among the ${daCount} of shard ${shardId} that are ordered`,
  );
}
