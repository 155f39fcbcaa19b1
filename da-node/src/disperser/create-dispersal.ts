import type { BlsBackend } from '@cairn/attestation';
import type { RowSuite } from '@cairn/commitments/rows';
import type { CommitOptions, RowCombiner } from '@cairn/erasure-codec';
import { type Clock, type KeyValueStore, type Logger, type Metrics, MIB } from '@cairn/primitives';
import type { ByteBudget } from '../byte-budget.ts';
import { SpareMemory } from '../spare-memory.ts';
import type { Accounts } from './accounts.ts';
import { type ArchiverDeps, BlobArchiver } from './archive-blob.ts';
import { ArchiveBook } from './archive-book.ts';
import { BlobStore } from './blob-store.ts';
import { BatchCertifier, type BatchOptions } from './certify-batches.ts';
import { BatchConfirmer } from './confirm-batches.ts';
import type { SignerPatience } from './deliver-slices.ts';
import type { JourneyDeps } from './disperse-blob.ts';
import { Disperser, type DisperserPolicy } from './disperser.ts';
import type { Backoff } from './journey-pace.ts';
import { PromiseMaker } from './make-promise.ts';
import { createDispersalMetrics } from './metrics.ts';
import { OpenPromises } from './open-promises.ts';
import { BlobOrders } from './order-blob.ts';
import type {
  DispersalNetwork,
  Entrance,
  EpochSource,
  LogArchive,
  PayerKey,
  PayloadStore,
  SignerPeers,
} from './ports.ts';
import { BlobSubmitter } from './submit-blobs.ts';

/** Memory of parity that was sent, kept for the next blobs. */
const MAX_IDLE_BYTES: number = 64 * MIB;

/** What a disperser does how often, how long and how much. */
export interface DispersalSettings {
  readonly policy: DisperserPolicy;
  /** Epochs for which signers keep its blobs. */
  readonly retentionEpochs: number;
  /** How blobs are gathered into batches, and into calls that order them. */
  readonly batch: BatchOptions;
  readonly delivery: SignerPatience;
  readonly votes: SignerPatience;
  /** Waits between tries where too few signers answer, or a step failed. */
  readonly backoff: Backoff;
}

/** What a disperser is wired of. */
export interface DispersalParts {
  /** Its own index: see its keyspace. */
  readonly index: KeyValueStore;
  readonly payloads: PayloadStore;
  readonly accounts: Accounts;
  readonly network: DispersalNetwork;
  readonly epochs: EpochSource;
  readonly entrance: Entrance;
  readonly peers: SignerPeers;
  readonly payer: PayerKey;
  readonly codec: CommitOptions['codec'];
  /** Those that blobs are made in. */
  readonly suites: readonly RowSuite[];
  readonly combiner: RowCombiner;
  readonly backend: BlsBackend;
  /** Memory for blobs that are encoded, or written to the log. */
  readonly budget: ByteBudget;
  /** The log; `undefined` where blobs are not written to it. */
  readonly log: LogArchive | undefined;
  /** Reads a blob from its quorum. */
  readonly readBack: ArchiverDeps['readBack'];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A disperser and what doors read from. */
export interface Dispersal {
  readonly disperser: Disperser;
  /** `undefined` where blobs are not written to the log. */
  readonly archiver: BlobArchiver | undefined;
}

/** Wires a disperser. `open` it, then `run` it. */
export function createDispersal(parts: DispersalParts, settings: DispersalSettings): Dispersal {
  const { index, payloads, accounts, network, epochs, entrance, peers, payer } = parts;
  const { codec, suites, combiner, backend, budget, clock, logger } = parts;
  const { policy, retentionEpochs, batch, backoff } = settings;
  const metrics = createDispersalMetrics(parts.metrics);
  const open = new OpenPromises();
  const store = new BlobStore(index, (record) => open.note(record));
  const archives = new ArchiveBook(index);
  const facts = { store, network, epochs, entrance, clock, logger };
  const asking = { peers, epochs, clock, logger, metrics };
  const orders = new BlobOrders(
    {
      ...facts,
      open,
      promises: new PromiseMaker({ store, network, payer }),
      submitter: new BlobSubmitter(facts, { ...batch, retentionEpochs }),
      metrics,
    },
    { retentionEpochs },
  );
  const archiver =
    parts.log &&
    new BlobArchiver(
      {
        book: archives,
        log: parts.log,
        payloads,
        readBack: parts.readBack,
        tools: { codec, combiner, network, suites },
        budget,
        clock,
        logger,
        metrics,
      },
      { backoff, maxWaiting: policy.maxBlobs },
    );
  const spare = new SpareMemory({ maxIdleBytes: MAX_IDLE_BYTES });
  const journey: JourneyDeps = {
    store,
    payloads,
    epochs,
    encoder: { codec, suites, combiner, payloads, network, budget, spare },
    orders,
    delivery: { ...asking, suites, patience: settings.delivery },
    certifier: new BatchCertifier(
      { ...asking, backend, network, store, patience: settings.votes },
      batch,
    ),
    confirmer: new BatchConfirmer({ store, epochs, entrance, backend, logger }),
    archives,
    archiver,
    clock,
    logger,
    metrics,
    backoff,
  };
  const deps = { store, payloads, archives, accounts, journey, clock, logger };
  return { disperser: new Disperser(deps, policy), archiver };
}
