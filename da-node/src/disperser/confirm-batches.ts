import type { BlsBackend } from '@cairn/attestation';
import { type Logger, type Root, SingleFlight, toHex } from '@cairn/primitives';
import type { BlobRecord } from './blob-record.ts';
import type { BlobStore } from './blob-store.ts';
import { DispersalError } from './errors.ts';
import { withoutOrder } from './order-blob.ts';
import type { Entrance, EpochSource, SignedBatch } from './ports.ts';

/** What confirming works with. */
export interface ConfirmerDeps {
  readonly store: Pick<BlobStore, 'get' | 'put' | 'batch'>;
  readonly epochs: Pick<EpochSource, 'committee'>;
  readonly entrance: Pick<Entrance, 'confirm' | 'finalConfirmation' | 'holds'>;
  readonly backend: Pick<BlsBackend, 'parseSignature'>;
  readonly logger: Logger;
}

/** Has batches confirmed on chain, each once for all of its blobs. */
export class BatchConfirmer {
  readonly #deps: ConfirmerDeps;
  readonly #confirming = new SingleFlight<void>();
  readonly #finishing = new SingleFlight<void>();

  constructor(deps: ConfirmerDeps) {
    this.#deps = deps;
  }

  /**
   * Confirms the batch of a dispersed blob. Its blobs are stored as confirmed; those whose promise was
   * void, and all if the chain came to an end with their epoch, as stalled.
   *
   * @param signal - the disperser's
   * @throws what the chain refuses for; the signal's reason
   */
  async confirm(root: Uint8Array, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    await this.#confirming.run(toHex(root), () => this.#confirmBatch(root, signal), signal);
  }

  /**
   * Waits until the confirmation is final and stores its blobs as such, but those as stalled that are
   * void there, and those as committed whose order the chain gave up; or, if the chain took it back,
   * all as dispersed.
   *
   * @throws the signal's reason
   */
  async finish(root: Uint8Array, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    await this.#finishing.run(toHex(root), () => this.#finishBatch(root, signal), signal);
  }

  async #confirmBatch(root: Uint8Array, signal: AbortSignal): Promise<void> {
    const { store, entrance, logger } = this.#deps;
    const batch = await this.#signedBatch(root, signal);
    const outcome = await entrance.confirm(batch, { signal });
    const { epoch } = batch;
    const stalled = { code: 'STALLED', epoch } as const;
    const records = (await this.#recordsOf(root)).filter(({ trouble }) => !isStalled(trouble));
    if (outcome.kind === 'closed') {
      logger.warn({ epoch, blobs: records.length }, 'a batch came too late to be confirmed');
      await store.put(records.map((record) => ({ ...record, trouble: stalled })));
      return;
    }
    const { kind: _, voidLeaves, ...confirmation } = outcome;
    if (voidLeaves.length > 0) {
      logger.warn({ epoch, blobs: voidLeaves.length }, 'promises of a batch were void');
    }
    await store.put(
      records.map((record) =>
        isAmong(voidLeaves, record)
          ? { ...record, trouble: stalled }
          : { ...record, stage: 'confirmed', confirmation },
      ),
    );
  }

  async #finishBatch(root: Uint8Array, signal: AbortSignal): Promise<void> {
    const { store, entrance, logger } = this.#deps;
    const final = await entrance.finalConfirmation(root, { signal });
    const records = (await this.#recordsOf(root)).filter(({ stage }) => stage === 'confirmed');
    const gone = final === undefined ? [] : await this.#goneOrders(records, signal);
    await store.put(
      records.map((record) => {
        const { confirmation: _, ...rest } = record;
        if (final === undefined) return { ...rest, stage: 'dispersed' };
        if (gone.includes(record.id)) {
          logger.warn(
            { id: record.id },
            'the chain gave up the order of a blob that was confirmed',
          );
          return withoutOrder(record);
        }
        const { voidLeaves, ...confirmation } = final;
        if (!isAmong(voidLeaves, record)) return { ...rest, stage: 'final', confirmation };
        // It was not where the confirmation was first seen: blocks between were put in other order.
        const { id, order } = record;
        logger.warn({ id }, 'a promise is void in the final block');
        const trouble = { code: 'STALLED', epoch: order?.epoch ?? 0 } as const;
        return { ...rest, stage: 'dispersed', trouble };
      }),
    );
  }

  /** Blobs paid before whose order final blocks do not hold any more: what was signed is of no blob. */
  async #goneOrders(records: readonly BlobRecord[], signal: AbortSignal): Promise<readonly Root[]> {
    const gone: Root[] = [];
    for (const { id, order } of records) {
      if (order?.submitted === undefined) continue;
      if (!(await this.#deps.entrance.holds(order, { signal }))) gone.push(id);
    }
    return gone;
  }

  /** The batch's blobs that still count on it. */
  async #recordsOf(root: Uint8Array): Promise<BlobRecord[]> {
    const { store } = this.#deps;
    const batch = await store.batch(root);
    const records: BlobRecord[] = [];
    for (const id of batch?.ids ?? []) {
      const record = await store.get(id);
      if (record?.batch !== undefined && toHex(record.batch.root) === toHex(root)) {
        records.push(record);
      }
    }
    return records;
  }

  async #signedBatch(root: Uint8Array, signal: AbortSignal): Promise<SignedBatch> {
    const { store, epochs, backend } = this.#deps;
    const batch = await store.batch(root);
    if (batch === undefined) throw missing(`batch ${toHex(root)}`);
    const { epoch, quorumId } = batch;
    const committee = await epochs.committee(epoch, quorumId, { signal });
    if (committee === undefined) throw missing(`quorum ${quorumId} of epoch ${epoch}`);
    return { ...batch, committee, signature: backend.parseSignature(batch.signature) };
  }
}

/** Whether a blob waits for its promise's fate: then no confirmation counts for it but a final one. */
function isStalled(trouble: BlobRecord['trouble']): boolean {
  return trouble?.code === 'STALLED';
}

function isAmong(leaves: readonly number[], { batch }: BlobRecord): boolean {
  return batch !== undefined && leaves.includes(batch.leafIndex);
}

function missing(what: string): DispersalError {
  return new DispersalError(
    { code: 'DISPERSAL_RECORD', what },
    `${what} is needed for a confirmation and is not known`,
  );
}
