import {
  type Committee,
  certify,
  encodeBlobHeader,
  encodeCertificate,
  isQuorum,
  sumVotes,
  weightOf,
} from '@cairn/attestation';
import { LruCache, type Root } from '@cairn/primitives';
import { type BlobOrder, batchKindOf } from './blob-order.ts';
import type { BlobRecord } from './blob-record.ts';
import type { BlobStore } from './blob-store.ts';
import { collectVotes, type VoteDeps } from './collect-votes.ts';
import { seatsOf } from './deliver-slices.ts';

/** What certifying works with. */
export interface CertifierDeps extends VoteDeps {
  readonly store: Pick<BlobStore, 'put'>;
}

/** How blobs are gathered into batches. */
export interface BatchOptions {
  /** Time between the beginnings of two batches of a quorum: blobs that come meanwhile share the next. */
  readonly gatherMs: number;
  /** Blobs of a batch at most; 1 … 192. */
  readonly maxBlobs: number;
}

/** What came of asking a quorum to sign. */
export type Certification =
  /** Its record is stored, with the certificate. */
  | { readonly kind: 'certified'; readonly record: BlobRecord }
  | {
      readonly kind: 'short';
      readonly haveSeats: number;
      readonly totalSeats: number;
      /** Members that have to be given their slices again. */
      readonly refusals: readonly number[];
    };

/** A blob whose slices a quorum holds. */
export interface DeliveredBlob {
  readonly record: BlobRecord & { readonly order: BlobOrder };
  readonly committee: Committee;
}

interface Waiting extends DeliveredBlob {
  readonly settle: (outcome: Certification) => void;
  readonly fail: (error: unknown) => void;
}

/** Quorums whose last batch is remembered. */
const MAX_REMEMBERED = 64;

/**
 * Has delivered blobs of one epoch, quorum and kind signed as one: a blob that comes alone at once, those
 * that come while a batch is under way or shortly after it began together. Certificates of a batch are
 * stored together.
 */
export class BatchCertifier {
  readonly #deps: CertifierDeps;
  readonly #options: BatchOptions;
  readonly #groups = new Map<string, Waiting[]>();
  readonly #running = new Set<Promise<void>>();
  /** When the last batch of a quorum began. */
  readonly #began = new LruCache<string, number>({ maxWeight: MAX_REMEMBERED });

  constructor(deps: CertifierDeps, options: BatchOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Resolves when the batch that the blob came into is signed, or too few seats signed.
   *
   * @param signal - the disperser's: ends the batches, not only this wait
   * @throws what the store throws; the signal's reason
   */
  certify(
    blob: DeliveredBlob,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Certification> {
    const { epoch, quorumId } = blob.record.order;
    const key = `${batchKindOf(blob.record.order)}/${epoch}/${quorumId}`;
    return new Promise((settle, fail) => {
      const waiting = { ...blob, settle, fail };
      const group = this.#groups.get(key);
      if (group !== undefined) {
        group.push(waiting);
        return;
      }
      this.#groups.set(key, [waiting]);
      const run = this.#runGroup(key, signal).finally(() => this.#running.delete(run));
      this.#running.add(run);
    });
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  /** Batch after batch until nobody of the group waits. */
  async #runGroup(key: string, signal: AbortSignal): Promise<void> {
    const group = this.#groups.get(key) ?? [];
    while (group.length > 0) {
      let batch: Waiting[] = [];
      try {
        await this.#pace(key, signal);
        batch = takeTogether(group, this.#options.maxBlobs);
        await this.#certifyBatch(batch, signal);
      } catch (error) {
        for (const { fail } of batch.length > 0 ? batch : group.splice(0)) fail(error);
      }
    }
    this.#groups.delete(key);
  }

  /** Waits until the next batch of a quorum may begin. */
  async #pace(key: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const began = this.#began.get(key) ?? Number.NEGATIVE_INFINITY;
    const waitMs = began + this.#options.gatherMs - clock.monotonic();
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    this.#began.set(key, clock.monotonic());
  }

  async #certifyBatch(blobs: readonly Waiting[], signal: AbortSignal): Promise<void> {
    const [first] = blobs;
    if (first === undefined) return;
    const { committee } = first;
    const { backend, network, store } = this.#deps;
    const orders = blobs.map(({ record }) => record.order);
    const { epoch, quorumId } = first.record.order;
    const asked = { epoch, quorumId, orders };
    const members = holdersOfAll(blobs);
    const { statement, votes, refusals } = await collectVotes(
      asked,
      committee,
      members,
      this.#deps,
      { signal },
    );
    const { totalWeight } = committee.snapshot;
    const haveSeats = Number(weightOf(votes));
    if (!isQuorum(BigInt(haveSeats), totalWeight)) {
      const short = {
        kind: 'short',
        haveSeats,
        totalSeats: Number(totalWeight),
        refusals,
      } as const;
      for (const { settle } of blobs) settle(short);
      return;
    }
    const aggregate = sumVotes(votes, committee, backend);
    const bodies = orders.map(({ header }) => encodeBlobHeader(header));
    const { root } = statement;
    const records = blobs.map(({ record }, leafIndex): BlobRecord => {
      const about = { network: network.network, bodies, leafIndex };
      const certificate = encodeCertificate(certify(aggregate, about));
      const { trouble: _, ...rest } = record;
      return { ...rest, stage: 'dispersed', batch: { root, leafIndex }, certificate };
    });
    const ids: Root[] = records.map(({ id }) => id);
    const { absent, signature } = aggregate;
    const batch = { root, epoch, quorumId, ids, orders, absent, signature };
    await store.put(records, { batch });
    for (const [at, { settle }] of blobs.entries()) {
      const record = records[at];
      if (record !== undefined) settle({ kind: 'certified', record });
    }
  }
}

/** Takes the blob that waits longest, and those after it that a quorum holds together with it. */
export function takeTogether<Blob extends DeliveredBlob>(group: Blob[], maxBlobs: number): Blob[] {
  const taken: Blob[] = [];
  const left: Blob[] = [];
  let common: ReadonlySet<number> | undefined;
  let seen = 0;
  for (const blob of group) {
    if (taken.length === maxBlobs) break;
    seen += 1;
    const { committee, record } = blob;
    const together = common === undefined ? new Set(record.holders) : heldBy(record, common);
    const seats = seatsOf(committee, together);
    if (common === undefined || isQuorum(seats, committee.snapshot.totalWeight)) {
      taken.push(blob);
      common = together;
    } else left.push(blob);
  }
  const rest = group.slice(seen);
  group.length = 0;
  for (const blob of left.concat(rest)) group.push(blob);
  return taken;
}

/** Those of some members that hold a blob too. */
function heldBy(
  { holders }: Pick<BlobRecord, 'holders'>,
  members: ReadonlySet<number>,
): Set<number> {
  return new Set(holders.filter((index) => members.has(index)));
}

function holdersOfAll(blobs: readonly DeliveredBlob[]): number[] {
  let common: ReadonlySet<number> | undefined;
  for (const { record } of blobs) {
    common = common === undefined ? new Set(record.holders) : heldBy(record, common);
  }
  return [...(common ?? [])];
}
