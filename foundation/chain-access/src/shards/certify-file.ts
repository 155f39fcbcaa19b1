import {
  type BlsBackend,
  type Checkpoint,
  checkpointHash,
  encodeCertificate,
  encodeCheckpoint,
  STATEMENT_KINDS,
  treePath,
  treeRoot,
} from '@cairn/attestation';
import { equalBytes } from '@cairn/primitives';
import { badProof } from './errors.ts';
import type { Ordering } from './open-ordering.ts';
import { type OrderedEvent, OrderFeed } from './order-feed.ts';
import {
  type OrderedFile,
  type ProveFileDeps,
  type ProveFileOptions,
  proveFile,
  readPlaces,
} from './prove-file.ts';

/**
 * Newest checkpoints of the hub that are looked at for one whose bundle came in a call that tells its
 * signature: another contract can pass a call on.
 */
const MAX_HUB_CHECKPOINTS = 16;

/** A place under the root over the first `count` checkpoints. */
export interface OrderPlace {
  readonly count: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** 32 bytes each, bottom-up. */
  readonly path: readonly Uint8Array[];
}

/** What a committee signed about a checkpoint. */
export interface CertifiedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Whose committee signed. */
  readonly epoch: number;
  /** A certificate of kind 2 that brings its absent members. */
  readonly certificate: Uint8Array;
}

/** A file's place in the order, with what committees signed of it: proven to whoever asks no chain. */
export interface CertifiedFile {
  readonly proof: OrderedFile;
  /** Under the root that the hub's checkpoint tells, and under those that were asked for. */
  readonly places: readonly OrderPlace[];
  /** The checkpoint that has the file; `undefined` where the call that brought it tells no signature. */
  readonly own: CertifiedCheckpoint | undefined;
  /** The hub's newest checkpoint that tells the root of an order with the file; `undefined` while there is none. */
  readonly hub: CertifiedCheckpoint | undefined;
}

/** How a file's place is proven to those who ask no chain. */
export interface CertifyFileOptions extends ProveFileOptions {
  /** Other orders under whose roots to show the place, by their counts: those of epochs' headers. Too short ones are passed by. */
  readonly counts?: readonly number[];
}

/**
 * Proves a file's place as `proveFile` does, and adds what proves it by signatures alone: the
 * certificate of the checkpoint that has the file, and that of a checkpoint of the hub whose root has
 * that place. Certificates are made of calls to the hub; nobody checked their signatures here.
 *
 * @throws as `proveFile`; SHARD_BAD_PROOF for a hub's checkpoint of another order
 */
export async function certifyFile(
  deps: ProveFileDeps,
  sequence: number,
  { counts = [], ...options }: CertifyFileOptions,
): Promise<CertifiedFile> {
  const { ordering, backend } = deps;
  const { signal } = options;
  const places = options.places ?? (await readPlaces(ordering, options));
  const proof = await proveFile(deps, sequence, { ...options, places });
  const { globalIndex } = proof.ordered;
  const event = places[globalIndex];
  const own =
    event === undefined
      ? undefined
      : await certifyCheckpoint({ ordering, backend }, event, { signal });
  const hub = await hubAfter(globalIndex, places, deps, { signal });
  const leaves = places.map(({ hash }) => hash);
  const wanted = [...new Set([hub?.checkpoint.logCount ?? 0, ...counts])]
    .filter((count) => count > globalIndex && count <= leaves.length)
    .sort((left, right) => right - left);
  const shown = wanted.map((count) => {
    const first = leaves.slice(0, count);
    return { count, root: treeRoot(first), path: treePath(first, globalIndex) };
  });
  const told = shown.find(({ count }) => count === hub?.checkpoint.logCount);
  if (hub !== undefined && (told === undefined || !equalBytes(told.root, hub.checkpoint.logRoot))) {
    const { number, logCount } = hub.checkpoint;
    throw badProof(0, `its checkpoint ${number} tells of another order of ${logCount}`);
  }
  return { proof, places: shown, own, hub };
}

/**
 * What a committee signed about an ordered checkpoint, from the call that brought it to the hub.
 *
 * @returns `undefined` where another contract made the call, or a reduced committee signed
 * @throws as `OrderFeed.bundleOf`; {ShardError} SHARD_BAD_PROOF for a call without the checkpoint
 */
export async function certifyCheckpoint(
  {
    ordering,
    backend,
  }: {
    readonly ordering: Ordering;
    readonly backend: Pick<BlsBackend, 'parseKey' | 'parseSignature'>;
  },
  event: OrderedEvent,
  options: Pick<ProveFileOptions, 'signal'>,
): Promise<CertifiedCheckpoint | undefined> {
  const bundle = await new OrderFeed(ordering).bundleOf(event, backend, options);
  if (bundle === undefined) return undefined;
  const leaves = bundle.checkpoints.map(checkpointHash);
  const leafIndex = leaves.findIndex((leaf) => equalBytes(leaf, event.hash));
  const checkpoint = bundle.checkpoints[leafIndex];
  if (checkpoint === undefined) {
    const { shardId, globalIndex, transactionHash } = event;
    const reason = `transaction ${transactionHash} does not show checkpoint ${globalIndex}`;
    throw badProof(shardId, reason);
  }
  const { epoch, nonSigners: bodies, siblings, signature } = bundle;
  const certificate = encodeCertificate({
    network: ordering.hub.network,
    kind: STATEMENT_KINDS.checkpoints,
    domain: ordering.domain,
    epoch,
    quorumId: 0,
    count: leaves.length,
    body: encodeCheckpoint(checkpoint),
    leafIndex,
    path: treePath(leaves, leafIndex),
    signers: { mode: 'members', bodies, siblings },
    signature,
  });
  return { checkpoint, epoch, certificate };
}

/** The newest checkpoint of the hub whose order has a place. */
async function hubAfter(
  globalIndex: number,
  places: readonly OrderedEvent[],
  { ordering, backend }: ProveFileDeps,
  options: Pick<ProveFileOptions, 'signal'>,
): Promise<CertifiedCheckpoint | undefined> {
  // It came after all that it tells of.
  const later = places.slice(globalIndex + 1).filter(({ shardId }) => shardId === 0);
  for (const event of later.slice(-MAX_HUB_CHECKPOINTS).reverse()) {
    const certified = await certifyCheckpoint({ ordering, backend }, event, options);
    if (certified === undefined) continue;
    return certified.checkpoint.logCount > globalIndex ? certified : undefined;
  }
  return undefined;
}
