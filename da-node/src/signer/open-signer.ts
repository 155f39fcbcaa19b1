import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hasher, loadHasher } from '@cairn/commitments';
import { loadRowSuite, type RowSuite, sha256SuiteOver } from '@cairn/commitments/rows';
import { loadWasmCombiner, type RowCombiner } from '@cairn/erasure-codec';
import type { RouteGroup } from '@cairn/node-runtime/http';
import { openLevelStore } from '@cairn/node-runtime/level';
import type { P2pHost } from '@cairn/node-runtime/p2p';
import {
  type Clock,
  GIB,
  type KeyValueStore,
  type Logger,
  type Metrics,
  MIB,
} from '@cairn/primitives';
import type { SignerStatus } from '@cairn/wire-protocol/da';
import { ByteBudget } from '../byte-budget.ts';
import { SliceAcceptor } from './accept-slice.ts';
import type { BodyPace } from './incoming-body.ts';
import { Housekeeper } from './keep-house.ts';
import { SIGNER_FILES } from './keyspace.ts';
import { createSignerMetrics } from './metrics.ts';
import { BatchBook } from './office/batch-book.ts';
import { answerQuestions } from './p2p-questions.ts';
import { NO_OTHER_PLACES, type OtherPlaces, PlaceBook } from './places.ts';
import type { SignerChain, SignerNetwork } from './ports.ts';
import { ProtectionLog } from './protection-log.ts';
import type { SignerIdentity } from './seat.ts';
import { BatchSigner } from './sign-batch.ts';
import { signerDoors } from './signer-doors.ts';
import { SliceStore, type SliceStoreOptions } from './slice-store.ts';
import { VoteBook } from './vote-book.ts';

/** What a signer stands on. */
export interface SignerDeps {
  /** Facts of the hub's chain, and of the entrance there. */
  readonly chain: SignerChain;
  readonly network: SignerNetwork;
  /** Entrances of other consensus shards; none unless told. */
  readonly others?: OtherPlaces;
  readonly identity: SignerIdentity;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The program's version, for the status. */
  readonly version: string;
}

/** Bounds of a signer; each has a default but the first three. */
export interface SignerOptions {
  /** The signer's own; it is made if it is missing, and one process at a time uses it. */
  readonly directory: string;
  /** Bytes of slices at most. */
  readonly capacityBytes: number;
  /** Whether a missing log of what was signed is a new one: only for a key that never signed. */
  readonly mayCreateProtection: boolean;
  /** Bytes that stay free on the file system; 1 GiB. */
  readonly reserveBytes?: number;
  /** Bytes of one payer's unpaid slices in one quorum of a shard; a quarter of the capacity. */
  readonly maxPayerBytes?: number;
  /** Slices at most; 200,000. */
  readonly maxSlices?: number;
  /** The longest slice message taken; 160 MiB, a quarter of the largest blob's rows with their paths. */
  readonly maxSliceBytes?: number;
  /** Memory for deliveries under way; twice the longest slice at least. 512 MiB. */
  readonly deliveryBytes?: number;
  /** Deliveries that wait for memory; 256. */
  readonly maxDeliveriesWaiting?: number;
  /** Memory for rows that readers have not taken yet; 128 MiB. */
  readonly unsentBytes?: number;
  /** How slow a delivery may come: 10 s, and more for what is long at 256 KiB a second. */
  readonly pace?: BodyPace;
  /** Seconds that things are kept beyond their time; 600. */
  readonly marginSeconds?: number;
  /** Time between two rounds of tidying up; 60 s. */
  readonly tidyMs?: number;
  /** What is free on the file system, unless it is to be asked. */
  readonly freeBytes?: SliceStoreOptions['freeBytes'];
}

/** What a signer shares with its office. */
export interface OfficeParts {
  readonly batches: BatchBook;
  readonly store: KeyValueStore;
  readonly slices: SliceStore;
  readonly suites: readonly RowSuite[];
  readonly combiner: RowCombiner;
  readonly hasher: Hasher;
}

/** A signer that is open: it answers what comes through its routes. */
export interface Signer {
  readonly routes: RouteGroup;
  /** Gives rows over libp2p as well, from now on. @throws {P2pError} P2P_SETTING the second time */
  answerOver(host: Pick<P2pHost, 'handle'>): Promise<void>;
  /** What was signed, of every kind: handovers and reports are signed through the same log. */
  readonly protection: ProtectionLog;
  /** What the signer's office works with besides. */
  readonly office: OfficeParts;
  status(): SignerStatus;
  /** Tidies up from time to time until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Aborts what runs and closes the files. */
  close(): Promise<void>;
}

const MAX_SLICE_BYTES: number = 160 * MIB;
const DELIVERY_BYTES: number = 512 * MIB;
const UNSENT_BYTES: number = 128 * MIB;
const MAX_WAITING = 256;
const PACE: BodyPace = { graceMs: 10_000, minBytesPerSecond: 256 * 1024 };

/**
 * Opens a signer's files and puts its parts together.
 *
 * @throws {SignerError} PROTECTION_MISSING, SIGNER_DAMAGED, PROTECTION_FOREIGN; {StorageError};
 *   {LevelError}; the signal's reason
 */
export async function openSigner(
  deps: SignerDeps,
  options: SignerOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<Signer> {
  const { chain, network, identity, clock, logger, others = NO_OTHER_PLACES } = deps;
  const { directory, capacityBytes, maxSliceBytes = MAX_SLICE_BYTES } = options;
  const metrics = createSignerMetrics(deps.metrics);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const protection = await ProtectionLog.open({
    path: join(directory, SIGNER_FILES.protection),
    publicKey: identity.key.publicKey,
    mayCreate: options.mayCreateProtection,
  });
  const storeOptions = {
    directory: join(directory, SIGNER_FILES.slices),
    capacityBytes,
    reserveBytes: options.reserveBytes ?? GIB,
    logger,
    ...(options.maxSlices === undefined ? {} : { maxSlices: options.maxSlices }),
    ...(options.freeBytes === undefined ? {} : { freeBytes: options.freeBytes }),
  };
  const store = await SliceStore.open(storeOptions, { signal });
  const voteStore = await openLevelStore({ directory: join(directory, SIGNER_FILES.votes) });
  const votes = await VoteBook.open(voteStore, { signal });
  const officeStore = await openLevelStore({ directory: join(directory, SIGNER_FILES.office) });
  const batches = await BatchBook.open(officeStore, { signal });
  const maxPayerBytes = options.maxPayerBytes ?? Math.floor(capacityBytes / 4);
  const places = new PlaceBook({ home: { chain, network }, others, store }, { maxPayerBytes });
  const budget = new ByteBudget({
    maxBytes: options.deliveryBytes ?? DELIVERY_BYTES,
    maxWaiting: options.maxDeliveriesWaiting ?? MAX_WAITING,
  });
  const suites = { 0: await loadRowSuite(0), 1: sha256SuiteOver(nativeSha256) };
  const combiner = await loadWasmCombiner();
  const shared = { places, identity, store, protection, clock, metrics };
  const acceptor = new SliceAcceptor(
    { ...shared, budget, suites, combiner },
    { maxSliceBytes, pace: options.pace ?? PACE },
  );
  const signer = new BatchSigner({ ...shared, votes, batches });
  const { marginSeconds = 600, tidyMs = 60_000 } = options;
  const housekeeper = new Housekeeper(
    { ...shared, votes, logger },
    { marginSeconds, intervalMs: tidyMs },
  );
  const stopping = new AbortController();
  const status = (): SignerStatus => statusOf(deps, store);
  const unsent = new ByteBudget({
    maxBytes: options.unsentBytes ?? UNSENT_BYTES,
    maxWaiting: MAX_WAITING,
  });
  const doors = { acceptor, signer, store, votes, status, unsent, clock, metrics };
  return {
    routes: signerDoors({ ...doors, stopping: stopping.signal }, maxSliceBytes),
    answerOver: (host) => answerQuestions(host, { store, metrics }),
    protection,
    office: {
      batches,
      store: officeStore,
      slices: store,
      suites: Object.values(suites),
      combiner,
      hasher: await loadHasher(),
    },
    status,
    run: (running) => housekeeper.run(running),
    close: async () => {
      stopping.abort(new Error('the signer is stopping'));
      await protection.close();
      await voteStore.close();
      await officeStore.close();
    },
  };
}

function statusOf(
  { identity, network, others = NO_OTHER_PLACES, version }: SignerDeps,
  { slices, heldBytes, capacityBytes }: SliceStore,
): SignerStatus {
  const { address, key, backend } = identity;
  return {
    version,
    address,
    blsPublicKey: backend.compressKey(key.publicKey),
    chainId: network.entrance.chainId,
    entrance: network.entrance.address,
    shardId: network.shardId,
    others: others.all().map(({ network: { shardId, entrance } }) => ({
      shardId,
      chainId: entrance.chainId,
      entrance: entrance.address,
    })),
    heldBlobs: slices,
    heldBytes,
    capacityBytes,
  };
}

/** The machine's SHA-256, some ten times as fast as the portable one. */
function nativeSha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
