import type { BlsBackend } from '@cairn/attestation';
import type { RowSuite } from '@cairn/commitments/rows';
import type { CommitOptions, RowCombiner } from '@cairn/erasure-codec';
import {
  type Clock,
  type KeyValueStore,
  type Logger,
  type Metrics,
  MIB,
  noMetrics,
} from '@cairn/primitives';
import type { ByteBudget } from '../../src/byte-budget.ts';
import type { Accounts } from '../../src/disperser/accounts.ts';
import { BlobStore } from '../../src/disperser/blob-store.ts';
import { BatchCertifier, type BatchOptions } from '../../src/disperser/certify-batches.ts';
import { BatchConfirmer } from '../../src/disperser/confirm-batches.ts';
import type { SignerPatience } from '../../src/disperser/deliver-slices.ts';
import { Disperser, type DisperserLimits } from '../../src/disperser/disperser.ts';
import { PromiseMaker } from '../../src/disperser/make-promise.ts';
import { createDispersalMetrics } from '../../src/disperser/metrics.ts';
import type {
  DispersalNetwork,
  Entrance,
  EpochSource,
  PayerKey,
  PayloadStore,
  SignerPeers,
} from '../../src/disperser/ports.ts';

/** What a disperser does how often, how long and how much. */
export interface DisperserSettings {
  readonly limits: DisperserLimits;
  /** Epochs for which signers keep its blobs. */
  readonly retentionEpochs: number;
  readonly batch: BatchOptions;
  readonly delivery: SignerPatience;
  readonly votes: SignerPatience;
  /** Waits between tries where too few signers answer, or a step failed. */
  readonly backoff: { readonly firstMs: number; readonly maxMs: number };
}

/** Settings of a disperser that is told nothing else. */
export const DISPERSER_DEFAULTS: DisperserSettings = {
  limits: { maxBlobs: 4096, maxBytes: 4096 * MIB },
  retentionEpochs: 1,
  batch: { gatherMs: 100, maxBlobs: 128 },
  delivery: { timeoutMs: 30_000, attempts: 3, delayMs: 250, laggardMs: 2000 },
  votes: { timeoutMs: 5000, attempts: 3, delayMs: 250, laggardMs: 0 },
  backoff: { firstMs: 500, maxMs: 15_000 },
};

/** What a disperser is wired of. */
export interface CreateDisperserOptions {
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
  readonly suite: RowSuite;
  readonly combiner: RowCombiner;
  readonly backend: BlsBackend;
  /** Memory for blobs that are encoded. */
  readonly budget: ByteBudget;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  readonly settings?: Partial<DisperserSettings>;
}

/** A disperser with its parts wired. `open` it, then `run` it. */
export function createDisperser(options: CreateDisperserOptions): Disperser {
  const { index, payloads, accounts, network, epochs, entrance, peers, payer } = options;
  const { codec, suite, combiner, backend, budget, clock, logger } = options;
  const settings = { ...DISPERSER_DEFAULTS, ...options.settings };
  const metrics = createDispersalMetrics(options.metrics ?? noMetrics());
  const store = new BlobStore(index);
  const asking = { peers, epochs, clock, logger, metrics };
  const certifier = new BatchCertifier(
    { ...asking, backend, network, store, patience: settings.votes },
    settings.batch,
  );
  const journey = {
    store,
    payloads,
    network,
    epochs,
    entrance,
    promises: new PromiseMaker({ store, network, payer }),
    encoder: { codec, suite, combiner, payloads, network, budget },
    delivery: { ...asking, suite, patience: settings.delivery },
    certifier,
    confirmer: new BatchConfirmer({ store, epochs, entrance, backend, logger }),
    clock,
    logger,
    metrics,
    retentionEpochs: settings.retentionEpochs,
    backoff: settings.backoff,
  };
  return new Disperser({ store, payloads, accounts, journey, clock, logger }, settings.limits);
}
