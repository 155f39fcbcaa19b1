import { layoutOf } from '@cairn/erasure-codec';
import { type Clock, isFault, type Logger } from '@cairn/primitives';
import type { BlobOrder } from './blob-order.ts';
import type { BlobRecord } from './blob-record.ts';
import type { BlobStore } from './blob-store.ts';
import { DispersalError } from './errors.ts';
import { feeOf, type PromiseMaker } from './make-promise.ts';
import type { DispersalMetrics } from './metrics.ts';
import type { OpenPromises } from './open-promises.ts';
import type { DispersalEpoch, DispersalNetwork, Entrance, EpochSource, PaidBlob } from './ports.ts';
import type { BlobSubmitter } from './submit-blobs.ts';

/** What ordering works with. */
export interface OrderDeps {
  readonly store: Pick<BlobStore, 'put'>;
  readonly network: Pick<DispersalNetwork, 'layout'>;
  readonly epochs: Pick<EpochSource, 'openEpoch'>;
  readonly entrance: Pick<Entrance, 'fateOf' | 'freeDepositWei' | 'holds'>;
  readonly promises: Pick<PromiseMaker, 'make'>;
  readonly open: Pick<OpenPromises, 'reserve' | 'drop' | 'note'>;
  readonly submitter: Pick<BlobSubmitter, 'submit' | 'settled'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  readonly metrics: Pick<DispersalMetrics, 'orders' | 'fallbacks'>;
}

/** How blobs are ordered. */
export interface OrderOptions {
  /** Epochs for which they are kept. */
  readonly retentionEpochs: number;
}

/** `own` ends the journey of one blob; `shared` what several blobs share. Both end together. */
export interface JourneySignals {
  readonly own: AbortSignal;
  readonly shared: AbortSignal;
}

/**
 * Gives committed blobs their order: under a promise, or paid on chain first. A blob that was meant
 * for a promise takes the way over the chain where the deposit does not cover one more, or the epoch
 * has no slot left. A promise that was made is never left for a payment: it could still be charged.
 */
export class BlobOrders {
  readonly #deps: OrderDeps;
  readonly #options: OrderOptions;

  constructor(deps: OrderDeps, options: OrderOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * The record of a committed blob with its order, which is stored.
   *
   * @throws {DispersalError} DISPERSAL_RECORD; what the chain refuses for; what the store throws; the
   *   signals' reasons
   */
  async order(record: BlobRecord, { own, shared }: JourneySignals): Promise<BlobRecord> {
    const { commitment, path, submission } = record;
    if (commitment === undefined) throw lacking(record, 'commitment');
    const committed = { ...record, commitment };
    const promised =
      path === 'promise' && submission === undefined
        ? await this.#promise(committed, own)
        : undefined;
    if (promised !== undefined) return promised;
    const submitted = await this.#deps.submitter.submit(committed, { signal: shared });
    if (submitted.stage === 'ordered') this.#deps.metrics.orders.add(1, { path: 'chain' });
    return submitted;
  }

  /**
   * What follows for a stalled blob once it is final what became of its order: it counts after all, or
   * it never will, and the blob is to get another one.
   *
   * @throws what the store throws; the signal's reason
   */
  async settle(record: BlobRecord, order: BlobOrder, signal: AbortSignal): Promise<BlobRecord> {
    const { entrance, open, store } = this.#deps;
    const fate = await entrance.fateOf({ order, batch: record.batch }, { signal });
    if (fate.kind === 'counted') {
      const { kind: _, ...confirmation } = fate;
      const { trouble: __, ...rest } = record;
      const counted: BlobRecord = { ...rest, stage: 'final', confirmation };
      await store.put([counted]);
      return counted;
    }
    const { submission: _, ...rest } = withoutOrder(record);
    const stalled = { ...rest, voidOrders: record.voidOrders + 1 };
    await store.put([stalled]);
    open.drop(record.id);
    return stalled;
  }

  /**
   * The record if its order is still what it was. If the chain gave up the block of an order that was
   * final, the blob is committed again: the same call, which is paid once, orders it anew.
   *
   * @throws what the store throws; the signal's reason
   */
  async requireHeld(
    record: BlobRecord,
    order: BlobOrder,
    signal: AbortSignal,
  ): Promise<BlobRecord> {
    const { entrance, store, logger } = this.#deps;
    if (order.submitted === undefined || (await entrance.holds(order, { signal }))) return record;
    const { submissionIndex } = order.header;
    logger.warn({ id: record.id, submissionIndex }, 'the chain gave up an order that was final');
    const committed = withoutOrder(record);
    await store.put([committed]);
    return committed;
  }

  /** Counts what an earlier run, or another step, has promised. */
  note(record: BlobRecord): void {
    this.#deps.open.note(record);
  }

  /** Resolves when no call is being put together. */
  settled(): Promise<void> {
    return this.#deps.submitter.settled();
  }

  /** The record under a promise; `undefined` where none can be made. */
  async #promise(
    record: BlobRecord & { readonly commitment: Uint8Array },
    signal: AbortSignal,
  ): Promise<BlobRecord | undefined> {
    const { network, entrance, open, promises, store, metrics, logger } = this.#deps;
    const { retentionEpochs } = this.#options;
    const { id, sizeBytes, suite = 0, commitment, trouble } = record;
    const terms = await this.#openEpoch(
      trouble?.code === 'STALLED' ? trouble.epoch : undefined,
      signal,
    );
    const layout = layoutOf(sizeBytes, network.layout);
    const blob: PaidBlob = { commitment, suite, layout, retentionEpochs };
    const feeWei = feeOf(layout, retentionEpochs, terms);
    const cover = await open.reserve(id, feeWei, terms, entrance, { signal });
    if (!cover.isCovered) {
      const { freeWei, neededWei } = cover;
      metrics.fallbacks.add(1, { reason: 'deposit' });
      logger.warn(
        { id, freeWei: `${freeWei}`, neededWei: `${neededWei}` },
        'the deposit does not cover a promise, so a blob is paid for on chain',
      );
      return undefined;
    }
    try {
      const order = await promises.make(blob, terms);
      const { trouble: _, ...rest } = record;
      const ordered: BlobRecord = { ...rest, stage: 'ordered', order, holders: [] };
      await store.put([ordered]);
      metrics.orders.add(1, { path: 'promise' });
      return ordered;
    } catch (error) {
      open.drop(id);
      if (!isFault(error, 'PROMISE_SLOTS')) throw error;
      metrics.fallbacks.add(1, { reason: 'slots' });
      logger.warn(
        { id, epoch: terms.office.epoch },
        'no slot is left, so a blob is paid for on chain',
      );
      return undefined;
    }
  }

  /** An epoch with time left for a quorum to sign in. */
  async #openEpoch(after: number | undefined, signal: AbortSignal): Promise<DispersalEpoch> {
    const { epochs, clock } = this.#deps;
    const terms = await epochs.openEpoch(after === undefined ? { signal } : { after, signal });
    if (clock.now() / 1000 < terms.takesUntilSeconds) return terms;
    return epochs.openEpoch({ after: terms.office.epoch, signal });
  }
}

/** A blob that is to be ordered anew, by the same call if it has one. */
export function withoutOrder(record: BlobRecord): BlobRecord {
  const { order: _, batch: __, certificate: ___, confirmation: ____, ...rest } = record;
  return { ...rest, stage: 'committed', holders: [] };
}

function lacking({ id, stage }: BlobRecord, what: string): DispersalError {
  return new DispersalError(
    { code: 'DISPERSAL_RECORD', what: id },
    `the record of ${id} has no ${what} though it is ${stage}`,
  );
}
