import { type Committee, isQuorum } from '@cairn/attestation';
import { layoutOf } from '@cairn/erasure-codec';
import { type Clock, describeError, type Logger } from '@cairn/primitives';
import {
  type BlobOrder,
  type BlobRecord,
  type BlobStage,
  type BlobTrouble,
  hasReached,
} from './blob-record.ts';
import type { BlobStore } from './blob-store.ts';
import type { BatchCertifier } from './certify-batches.ts';
import type { BatchConfirmer } from './confirm-batches.ts';
import { type DeliveryDeps, deliverSlices, seatsOf } from './deliver-slices.ts';
import { type EncodedBlob, type EncoderDeps, encodeBlob } from './encode-blob.ts';
import { DispersalError } from './errors.ts';
import type { PromiseMaker } from './make-promise.ts';
import type { DispersalMetrics } from './metrics.ts';
import type {
  DispersalEpoch,
  DispersalNetwork,
  Entrance,
  EpochSource,
  PayloadStore,
} from './ports.ts';

/** What the journey's steps are made of. */
export interface JourneyDeps {
  readonly store: BlobStore;
  readonly payloads: Pick<PayloadStore, 'delete'>;
  readonly network: DispersalNetwork;
  readonly epochs: EpochSource;
  readonly entrance: Pick<Entrance, 'fateOf'>;
  readonly promises: PromiseMaker;
  readonly encoder: EncoderDeps;
  readonly delivery: DeliveryDeps;
  readonly certifier: BatchCertifier;
  readonly confirmer: BatchConfirmer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: DispersalMetrics;
  /** Epochs for which blobs are kept. */
  readonly retentionEpochs: number;
  /** Waits between tries, the first and the longest. */
  readonly backoff: { readonly firstMs: number; readonly maxMs: number };
}

/**
 * Takes a blob from the stage in its record to the end: commit, promise, deliver, have it signed, have
 * that confirmed, wait until it is final. What a step produced is stored before the next begins. What
 * fails is tried again, more and more patiently, for as long as the promise can be signed; then the
 * blob gets a new one in a later epoch, once the old one can never be charged.
 *
 * @param signals - `own` ends this journey; `shared` ends what several blobs share. Both end together
 * @throws the signal's reason; what the store throws while a failed step is noted: begin again then
 */
export async function disperseBlob(
  start: BlobRecord,
  deps: JourneyDeps,
  signals: { readonly own: AbortSignal; readonly shared: AbortSignal },
): Promise<void> {
  const journey = new Journey(deps, signals.own, signals.shared);
  try {
    let record = start;
    while (record.stage !== 'final') record = await journey.next(record);
    await deps.payloads.delete(record.id).catch((error: unknown) => {
      // It goes with the next start.
      deps.logger.warn({ reason: describeError(error) }, 'a payload could not be removed');
    });
  } finally {
    await journey.end();
  }
}

class Journey {
  readonly #deps: JourneyDeps;
  readonly #own: AbortSignal;
  readonly #shared: AbortSignal;
  #encoded: EncodedBlob | undefined;
  /** Members that hold their slices once the delivery under way is over. */
  #laggards: Promise<readonly number[]> = Promise.resolve([]);
  #failures = 0;
  #furthest: BlobStage = 'accepted';

  constructor(deps: JourneyDeps, own: AbortSignal, shared: AbortSignal) {
    this.#deps = deps;
    this.#own = own;
    this.#shared = shared;
  }

  /** The record after the next step, or after a step that failed. @throws the signal's reason */
  async next(record: BlobRecord): Promise<BlobRecord> {
    this.#own.throwIfAborted();
    try {
      const after = await this.#step(record);
      if (after.stage !== record.stage) this.#noteStage(after.stage);
      return after;
    } catch (error) {
      this.#own.throwIfAborted();
      const reason = describeError(error);
      this.#deps.logger.error({ id: record.id, stage: record.stage, reason }, 'a blob is held up');
      await this.#backOff();
      // The record on the disk is the one that counts: a step may have got as far as writing it.
      const stored = (await this.#deps.store.get(record.id)) ?? record;
      return this.#note(stored, { code: 'STEP_FAILED', reason }).catch(() => stored);
    }
  }

  async end(): Promise<void> {
    await this.#laggards;
    this.#release();
  }

  /** Going to and fro between two stages is no progress: waits get longer all the same. */
  #noteStage(stage: BlobStage): void {
    this.#deps.metrics.stages.add(1, { stage });
    const isBack = stage === 'committed';
    if (!isBack && hasReached(this.#furthest, stage)) return;
    this.#furthest = stage;
    this.#failures = 0;
  }

  #step(record: BlobRecord): Promise<BlobRecord> {
    if (record.trouble?.code === 'STALLED' && record.order !== undefined) {
      return this.#reorder(record, record.order);
    }
    switch (record.stage) {
      case 'accepted':
        return this.#commit(record);
      case 'committed':
        return this.#order(record);
      case 'ordered':
        return this.#deliver(record, orderOf(record));
      case 'delivered':
        return this.#certify(record, orderOf(record));
      case 'dispersed':
        return this.#confirm(record);
      case 'confirmed':
        return this.#finish(record);
      case 'final':
        return Promise.resolve(record);
    }
  }

  async #commit(record: BlobRecord): Promise<BlobRecord> {
    const { blob } = await this.#encode(record);
    return this.#put({ ...record, stage: 'committed', commitment: blob.commitment });
  }

  async #order(record: BlobRecord): Promise<BlobRecord> {
    const { promises, network, encoder, retentionEpochs } = this.#deps;
    const { sizeBytes, commitment, trouble } = record;
    if (commitment === undefined) throw incomplete(record);
    const terms = await this.#openEpoch(trouble?.code === 'STALLED' ? trouble.epoch : undefined);
    const layout = layoutOf(sizeBytes, network.layout);
    const blob = { commitment, suite: encoder.suite.id, layout, retentionEpochs };
    const order = await promises.make(blob, terms);
    const { trouble: _, ...rest } = record;
    return this.#put({ ...rest, stage: 'ordered', order, holders: [] });
  }

  /** An epoch with time left for a quorum to sign in. */
  async #openEpoch(after: number | undefined): Promise<DispersalEpoch> {
    const { epochs, clock } = this.#deps;
    const signal = this.#own;
    const terms = await epochs.openEpoch(after === undefined ? { signal } : { after, signal });
    if (clock.now() / 1000 < terms.takesUntilSeconds) return terms;
    return epochs.openEpoch({ after: terms.office.epoch, signal });
  }

  async #deliver(record: BlobRecord, order: BlobOrder): Promise<BlobRecord> {
    if (this.#isOver(order)) return this.#stall(record, order);
    const committee = await this.#committee(order);
    const { totalWeight } = committee.snapshot;
    const { blob } = await this.#encode(record);
    const plan = { blob, order, committee, holders: record.holders };
    const running = deliverSlices(plan, this.#deps.delivery, { signal: this.#own });
    // The slow ones may go on while the others sign; the rows are held until they have answered.
    this.#laggards = running.all.then(
      (holders) => {
        this.#release();
        return holders;
      },
      () => [], // the journey ends, and releases them
    );
    const holders = await running.quorum;
    const haveSeats = seatsOf(committee, holders);
    if (isQuorum(haveSeats, totalWeight)) {
      return this.#put({ ...record, stage: 'delivered', holders });
    }
    await this.#laggards; // they keep the rows
    return this.#short({ ...record, holders }, Number(haveSeats), Number(totalWeight));
  }

  async #certify(record: BlobRecord, order: BlobOrder): Promise<BlobRecord> {
    const { certifier, clock, metrics } = this.#deps;
    if (this.#isOver(order)) return this.#stall(record, order);
    const committee = await this.#committee(order);
    const delivered = { record: { ...record, order }, committee };
    const outcome = await certifier.certify(delivered, { signal: this.#shared });
    if (outcome.kind === 'certified') {
      metrics.dispersalSeconds.observe((clock.now() - record.acceptedMs) / 1000);
      return outcome.record;
    }
    const { haveSeats, totalSeats, refusals } = outcome;
    const late = (await this.#laggards).filter((index) => !record.holders.includes(index));
    this.#laggards = Promise.resolve([]);
    if (late.length > 0) return this.#put({ ...record, holders: [...record.holders, ...late] });
    const holders = record.holders.filter((index) => !refusals.includes(index));
    return this.#short({ ...record, stage: 'ordered', holders }, haveSeats, totalSeats);
  }

  async #confirm(record: BlobRecord): Promise<BlobRecord> {
    const { batch } = record;
    if (batch === undefined) throw incomplete(record);
    await this.#deps.confirmer.confirm(batch.root, { signal: this.#shared });
    return this.#stored(record);
  }

  async #finish(record: BlobRecord): Promise<BlobRecord> {
    const { batch } = record;
    if (batch === undefined) throw incomplete(record);
    await this.#deps.confirmer.finish(batch.root, { signal: this.#shared });
    return this.#stored(record);
  }

  /** A new promise, once it is final that the old one was not and will not be charged. */
  async #reorder(record: BlobRecord, order: BlobOrder): Promise<BlobRecord> {
    const promise = { order, batch: record.batch };
    const fate = await this.#deps.entrance.fateOf(promise, { signal: this.#own });
    if (fate.kind === 'charged') {
      const { kind: _, ...confirmation } = fate;
      const { trouble: __, ...rest } = record;
      return this.#put({ ...rest, stage: 'final', confirmation });
    }
    const { order: _, batch: __, certificate: ___, confirmation: ____, ...rest } = record;
    const voidOrders = record.voidOrders + 1;
    return this.#put({ ...rest, stage: 'committed', holders: [], voidOrders });
  }

  /** Waits a while before those who did not answer are asked again. */
  async #short(record: BlobRecord, haveSeats: number, totalSeats: number): Promise<BlobRecord> {
    const { id } = record;
    this.#deps.logger.warn({ id, haveSeats, totalSeats }, 'too few signers answer for a blob');
    const noted = await this.#note(record, {
      code: 'INSUFFICIENT_SIGNATURES',
      haveSeats,
      totalSeats,
    });
    await this.#backOff();
    return noted;
  }

  #stall(record: BlobRecord, { epoch }: BlobOrder): Promise<BlobRecord> {
    this.#deps.logger.warn({ id: record.id, epoch }, 'an epoch ended before a quorum signed');
    return this.#note(record, { code: 'STALLED', epoch });
  }

  /** Whether members have stopped signing under the promise. */
  #isOver({ promise }: BlobOrder): boolean {
    return this.#deps.clock.now() / 1000 > promise.signBySeconds;
  }

  async #committee({ epoch, quorumId }: BlobOrder): Promise<Committee> {
    const { epochs } = this.#deps;
    const committee = await epochs.committee(epoch, quorumId, { signal: this.#own });
    if (committee !== undefined) return committee;
    const what = `quorum ${quorumId} of epoch ${epoch}`;
    throw new DispersalError({ code: 'DISPERSAL_RECORD', what }, `${what} is not known`);
  }

  async #encode(record: BlobRecord): Promise<EncodedBlob> {
    await this.#laggards; // of an earlier delivery, whose rows these are
    this.#encoded ??= await encodeBlob(record, this.#deps.encoder, { signal: this.#own });
    return this.#encoded;
  }

  #release(): void {
    this.#encoded?.release();
    this.#encoded = undefined;
  }

  async #stored({ id }: BlobRecord): Promise<BlobRecord> {
    const record = await this.#deps.store.get(id);
    if (record !== undefined) return record;
    throw new DispersalError({ code: 'DISPERSAL_RECORD', what: id }, `the record of ${id} is gone`);
  }

  #note(record: BlobRecord, trouble: BlobTrouble): Promise<BlobRecord> {
    // A stalled blob stays one until it has a new promise, whatever else fails.
    const isStalled = record.trouble?.code === 'STALLED';
    return this.#put({ ...record, trouble: isStalled ? record.trouble : trouble });
  }

  async #put(record: BlobRecord): Promise<BlobRecord> {
    await this.#deps.store.put([record]);
    return record;
  }

  async #backOff(): Promise<void> {
    const { clock, backoff } = this.#deps;
    const waitMs = Math.min(backoff.firstMs * 2 ** this.#failures, backoff.maxMs);
    this.#failures = Math.min(this.#failures + 1, 32);
    await clock.sleep(waitMs, this.#own);
  }
}

function orderOf(record: BlobRecord): BlobOrder {
  if (record.order === undefined) throw incomplete(record);
  return record.order;
}

/** A record that lacks what its stage says was stored. */
function incomplete({ id, stage }: BlobRecord): DispersalError {
  return new DispersalError(
    { code: 'DISPERSAL_RECORD', what: id },
    `the record of ${id} lacks what the stage ${stage} says it has`,
  );
}
