import { layoutOf } from '@cairn/erasure-codec';
import {
  bigEndianBytes,
  type Clock,
  concatBytes,
  equalBytes,
  keccak256,
  type Logger,
  rootBytes,
  SingleFlight,
  toHex,
} from '@cairn/primitives';
import { lastSigningSeconds, type SubmittedOrder } from './blob-order.ts';
import type { BlobRecord } from './blob-record.ts';
import type { BlobStore } from './blob-store.ts';
import { DispersalError } from './errors.ts';
import type { DispersalNetwork, Entrance, EpochSource, OrderedBlob } from './ports.ts';
import type { StoredSubmission } from './stored-submission.ts';

/** What submitting works with. */
export interface SubmitterDeps {
  readonly store: Pick<BlobStore, 'get' | 'put' | 'submission'>;
  readonly network: Pick<DispersalNetwork, 'layout' | 'epochSeconds' | 'graceSeconds'>;
  readonly epochs: Pick<EpochSource, 'openEpoch'>;
  readonly entrance: Pick<Entrance, 'submit'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
}

/** How blobs are gathered into calls. */
export interface SubmitOptions {
  /** How long the first blob of a call waits for others. */
  readonly gatherMs: number;
  /** Blobs of a call at most. */
  readonly maxBlobs: number;
  readonly retentionEpochs: number;
}

type CommittedRecord = BlobRecord & { readonly commitment: Uint8Array };

interface Waiting {
  readonly record: CommittedRecord;
  readonly settle: (record: BlobRecord) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Has committed blobs ordered on chain, those that come together in one call. Which blobs a call has
 * is on the disk before it is made, under the name by which its payment is journalled: a crash makes
 * the same call again, and pays once.
 */
export class BlobSubmitter {
  readonly #deps: SubmitterDeps;
  readonly #options: SubmitOptions;
  readonly #calls = new SingleFlight<void>();
  readonly #running = new Set<Promise<void>>();
  #group: Waiting[] | undefined;

  constructor(deps: SubmitterDeps, options: SubmitOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Resolves once a final block holds the order of a committed blob, with its record, which is stored.
   *
   * @param signal - the disperser's: ends the calls, not only this wait
   * @throws what the chain refuses for; what the store throws; the signal's reason
   */
  async submit(
    record: CommittedRecord,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<BlobRecord> {
    const { submission } =
      record.submission === undefined ? await this.#gather(record, signal) : record;
    if (submission === undefined) throw missing(`the submission of ${record.id}`);
    await this.#calls.run(toHex(submission), () => this.#call(submission, signal), signal);
    const stored = await this.#deps.store.get(record.id);
    if (stored === undefined) throw missing(record.id);
    return stored;
  }

  /** Resolves when no group is being gathered. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  /** The record with the name of its call, which is on the disk. */
  #gather(record: CommittedRecord, signal: AbortSignal): Promise<BlobRecord> {
    return new Promise((settle, fail) => {
      const waiting = { record, settle, fail };
      if (this.#group !== undefined) {
        this.#group.push(waiting);
        if (this.#group.length >= this.#options.maxBlobs) this.#group = undefined; // the next begins another
        return;
      }
      const group = [waiting];
      this.#group = group;
      const run = this.#compose(group, signal).finally(() => this.#running.delete(run));
      this.#running.add(run);
    });
  }

  async #compose(group: Waiting[], signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#deps;
    const { gatherMs, retentionEpochs } = this.#options;
    try {
      await clock.sleep(gatherMs, signal);
      if (this.#group === group) this.#group = undefined;
      const members = group.map(({ record }) => record);
      const submission: StoredSubmission = {
        name: nameOf(members),
        ids: members.map(({ id }) => id),
        shapes: members.map(({ commitment, suite = 0, sizeBytes }) => ({
          commitment,
          suite,
          sizeBytes,
        })),
        retentionEpochs,
      };
      const records = members.map((record) => ({ ...record, submission: submission.name }));
      await store.put(records, { submission });
      for (const [at, { settle }] of group.entries()) {
        const record = records[at];
        if (record !== undefined) settle(record);
      }
    } catch (error) {
      if (this.#group === group) this.#group = undefined;
      for (const { fail } of group) fail(error);
    }
  }

  /** Makes a call, or finds out what became of it, and stores the orders. */
  async #call(name: Uint8Array, signal: AbortSignal): Promise<void> {
    const { store, network, epochs, entrance, logger } = this.#deps;
    const submission = await store.submission(name);
    if (submission === undefined) throw missing(`submission ${toHex(name)}`);
    const { retentionEpochs, shapes, ids } = submission;
    const { office } = await epochs.openEpoch({ signal });
    const ordered = await entrance.submit(
      {
        intent: `submitBlobs:${toHex(name)}`,
        epoch: office.epoch,
        blobs: shapes.map(({ commitment, suite, sizeBytes }) => {
          const layout = layoutOf(sizeBytes, network.layout);
          return { commitment, suite, layout, retentionEpochs };
        }),
      },
      { signal },
    );
    const records: BlobRecord[] = [];
    for (const [at, id] of ids.entries()) {
      const order = orderFrom(ordered[at], retentionEpochs, network);
      const record = await store.get(id);
      if (record === undefined || !isMemberOf(record, name)) continue; // it has another order by now
      if (!equalBytes(order.header.commitment, record.commitment ?? new Uint8Array(0))) {
        throw missing(`the order of ${id}`);
      }
      const { trouble: _, ...rest } = record;
      records.push({ ...rest, stage: 'ordered', order, holders: [] });
    }
    await store.put(records);
    const { transaction, epoch } = ordered[0] ?? {};
    logger.debug({ transaction, epoch, blobs: records.length }, 'blobs are ordered on chain');
  }
}

/** Whether a blob still waits for the order of this call. */
function isMemberOf({ stage, submission }: BlobRecord, name: Uint8Array): boolean {
  return stage === 'committed' && submission !== undefined && equalBytes(submission, name);
}

function orderFrom(
  ordered: OrderedBlob | undefined,
  retentionEpochs: number,
  { epochSeconds, graceSeconds }: Pick<DispersalNetwork, 'epochSeconds' | 'graceSeconds'>,
): SubmittedOrder {
  if (ordered === undefined) throw missing('the order of a blob');
  const { header, epoch, quorumId, transaction, block } = ordered;
  const endSeconds = header.expirySeconds - retentionEpochs * epochSeconds; // as the contract adds them
  const signBySeconds = lastSigningSeconds(endSeconds, graceSeconds);
  return { header, epoch, quorumId, submitted: { transaction, block, signBySeconds } };
}

/**
 * No two calls have the same name: a payload that is posted again when its time is over was accepted
 * at another moment, and one that is ordered again has one order more behind it.
 */
function nameOf(members: readonly BlobRecord[]): Uint8Array {
  const parts = members.map(({ id, acceptedMs, voidOrders }) =>
    concatBytes(
      rootBytes(id),
      bigEndianBytes(Math.floor(acceptedMs), 8),
      bigEndianBytes(voidOrders, 4),
    ),
  );
  return keccak256(concatBytes(...parts));
}

function missing(what: string): DispersalError {
  return new DispersalError(
    { code: 'DISPERSAL_RECORD', what },
    `${what} is needed to order blobs on chain and is not known`,
  );
}
