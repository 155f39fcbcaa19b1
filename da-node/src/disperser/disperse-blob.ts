import { type Committee, isQuorum } from '@cairn/attestation';
import { type Clock, describeError, type Logger } from '@cairn/primitives';
import type { BlobArchiver } from './archive-blob.ts';
import type { ArchiveBook } from './archive-book.ts';
import { type BlobOrder, signBySecondsOf } from './blob-order.ts';
import type { BlobRecord, BlobTrouble } from './blob-record.ts';
import type { BlobStore } from './blob-store.ts';
import type { BatchCertifier } from './certify-batches.ts';
import type { BatchConfirmer } from './confirm-batches.ts';
import { type DeliveryDeps, deliverSlices, seatsOf } from './deliver-slices.ts';
import type { EncoderDeps } from './encode-blob.ts';
import { DispersalError } from './errors.ts';
import { HeldRows } from './held-rows.ts';
import { type Backoff, JourneyPace } from './journey-pace.ts';
import type { DispersalMetrics } from './metrics.ts';
import type { BlobOrders, JourneySignals } from './order-blob.ts';
import type { EpochSource, PayloadStore } from './ports.ts';

/** What the journey's steps are made of. */
export interface JourneyDeps {
  readonly store: BlobStore;
  readonly payloads: Pick<PayloadStore, 'delete'>;
  readonly epochs: Pick<EpochSource, 'committee'>;
  readonly encoder: EncoderDeps;
  readonly orders: BlobOrders;
  readonly delivery: DeliveryDeps;
  readonly certifier: BatchCertifier;
  readonly confirmer: BatchConfirmer;
  readonly archives: Pick<ArchiveBook, 'isWanted'>;
  /** `undefined` where blobs are not written to the log. */
  readonly archiver: Pick<BlobArchiver, 'archive'> | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: DispersalMetrics;
  readonly backoff: Backoff;
}

/**
 * Takes a blob from the stage in its record to the end: commit, order, deliver, have it signed, have
 * that confirmed, wait until it is final, and write it to the log if that is wanted. What a step
 * produced is stored before the next begins. What fails is tried again, more and more patiently, for
 * as long as its quorum signs; then the blob gets another order in a later epoch, once the old one can
 * never count.
 *
 * @throws the signal's reason; what the store throws while a failed step is noted: begin again then
 */
export async function disperseBlob(
  start: BlobRecord,
  deps: JourneyDeps,
  signals: JourneySignals,
): Promise<void> {
  const journey = new Journey(deps, signals);
  let record = start;
  try {
    while (record.stage !== 'final') record = await journey.next(record);
  } finally {
    await journey.end();
  }
  const { id } = record;
  await deps.archiver?.archive(record, { signal: signals.own });
  if (deps.archives.isWanted(id)) return; // it is to be written to the log, and nobody here can
  await deps.payloads.delete(id).catch((error: unknown) => {
    // It goes with the next start.
    deps.logger.warn({ reason: describeError(error) }, 'a payload could not be removed');
  });
}

class Journey {
  readonly #deps: JourneyDeps;
  readonly #own: AbortSignal;
  readonly #shared: AbortSignal;
  readonly #rows: HeldRows;
  readonly #pace: JourneyPace;

  constructor(deps: JourneyDeps, { own, shared }: JourneySignals) {
    this.#deps = deps;
    this.#own = own;
    this.#shared = shared;
    this.#rows = new HeldRows(deps.encoder);
    this.#pace = new JourneyPace(deps.clock, deps.backoff);
  }

  /** The record after the next step, or after a step that failed. @throws the signal's reason */
  async next(record: BlobRecord): Promise<BlobRecord> {
    this.#own.throwIfAborted();
    try {
      const after = await this.#step(record);
      if (after.stage !== record.stage) {
        this.#deps.metrics.stages.add(1, { stage: after.stage });
        this.#pace.note(after.stage);
      }
      return after;
    } catch (error) {
      this.#own.throwIfAborted();
      const reason = describeError(error);
      this.#deps.logger.error({ id: record.id, stage: record.stage, reason }, 'a blob is held up');
      await this.#pace.backOff(this.#own);
      // The record on the disk is the one that counts: a step may have got as far as writing it.
      const stored = (await this.#deps.store.get(record.id)) ?? record;
      return this.#note(stored, { code: 'STEP_FAILED', reason }).catch(() => stored);
    }
  }

  end(): Promise<void> {
    return this.#rows.end();
  }

  #step(record: BlobRecord): Promise<BlobRecord> {
    const { orders } = this.#deps;
    if (record.trouble?.code === 'STALLED' && record.order !== undefined) {
      return orders.settle(record, record.order, this.#own);
    }
    switch (record.stage) {
      case 'accepted':
        return this.#commit(record);
      case 'committed':
        return orders.order(record, { own: this.#own, shared: this.#shared });
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
    const { blob } = await this.#rows.encode(record, this.#own);
    return this.#put({ ...record, stage: 'committed', commitment: blob.commitment });
  }

  async #deliver(record: BlobRecord, order: BlobOrder): Promise<BlobRecord> {
    if (this.#isOver(order)) return this.#stall(record, order);
    const committee = await this.#committee(order);
    const { totalWeight } = committee.snapshot;
    const { blob } = await this.#rows.encode(record, this.#own);
    const plan = { blob, order, committee, holders: record.holders };
    const running = deliverSlices(plan, this.#deps.delivery, { signal: this.#own });
    // The slow ones may go on while the others sign; the rows are held until they have answered.
    this.#rows.lend(running.all);
    const holders = await running.quorum;
    const haveSeats = seatsOf(committee, holders);
    if (isQuorum(haveSeats, totalWeight)) {
      return this.#put({ ...record, stage: 'delivered', holders });
    }
    await this.#rows.returned(); // they keep the rows
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
    const returned = await this.#rows.takeReturned();
    const late = returned.filter((index) => !record.holders.includes(index));
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

  /** Waits a while before those who did not answer are asked again, unless the order is gone. */
  async #short(record: BlobRecord, haveSeats: number, totalSeats: number): Promise<BlobRecord> {
    const { id } = record;
    this.#deps.logger.warn({ id, haveSeats, totalSeats }, 'too few signers answer for a blob');
    const noted = await this.#note(record, {
      code: 'INSUFFICIENT_SIGNATURES',
      haveSeats,
      totalSeats,
    });
    await this.#pace.backOff(this.#own);
    return this.#deps.orders.requireHeld(noted, orderOf(noted), this.#own);
  }

  #stall(record: BlobRecord, { epoch }: BlobOrder): Promise<BlobRecord> {
    this.#deps.logger.warn({ id: record.id, epoch }, 'an epoch ended before a quorum signed');
    return this.#note(record, { code: 'STALLED', epoch });
  }

  /** Whether members are asked no more. */
  #isOver(order: BlobOrder): boolean {
    return this.#deps.clock.now() / 1000 > signBySecondsOf(order);
  }

  async #committee({ epoch, quorumId }: BlobOrder): Promise<Committee> {
    const { epochs } = this.#deps;
    const committee = await epochs.committee(epoch, quorumId, { signal: this.#own });
    if (committee !== undefined) return committee;
    const what = `quorum ${quorumId} of epoch ${epoch}`;
    throw new DispersalError({ code: 'DISPERSAL_RECORD', what }, `${what} is not known`);
  }

  async #stored({ id }: BlobRecord): Promise<BlobRecord> {
    const record = await this.#deps.store.get(id);
    if (record !== undefined) return record;
    throw new DispersalError({ code: 'DISPERSAL_RECORD', what: id }, `the record of ${id} is gone`);
  }

  #note(record: BlobRecord, trouble: BlobTrouble): Promise<BlobRecord> {
    // A stalled blob stays one until it has a new order, whatever else fails.
    const isStalled = record.trouble?.code === 'STALLED';
    return this.#put({ ...record, trouble: isStalled ? record.trouble : trouble });
  }

  async #put(record: BlobRecord): Promise<BlobRecord> {
    await this.#deps.store.put([record]);
    return record;
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
