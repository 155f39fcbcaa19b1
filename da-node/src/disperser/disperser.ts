import { MAX_PAYLOAD_BYTES } from '@cairn/erasure-codec';
import {
  abortable,
  type Clock,
  keccak256,
  type Logger,
  type Root,
  SingleFlight,
} from '@cairn/primitives';
import type { Accounts, Caller } from './accounts.ts';
import type { ArchiveBook } from './archive-book.ts';
import { blobIdOf, type SuiteId } from './blob-id.ts';
import type { OrderPath } from './blob-order.ts';
import { type BlobRecord, type BlobStage, hasReached, stageOf } from './blob-record.ts';
import type { BlobStore } from './blob-store.ts';
import { DispersalQueue, type QueueLimits } from './dispersal-queue.ts';
import type { JourneyDeps } from './disperse-blob.ts';
import { DispersalError } from './errors.ts';
import { forgetExpired } from './forget-expired.ts';
import { Journeys } from './journeys.ts';
import type { ArchivedFile, PayloadStore } from './ports.ts';

/** What a disperser is made of. */
export interface DisperserDeps {
  readonly store: BlobStore;
  readonly payloads: PayloadStore;
  readonly archives: ArchiveBook;
  readonly accounts: Accounts;
  readonly journey: JourneyDeps;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a disperser does with a blob unless it is told otherwise. */
export interface DisperserPolicy extends QueueLimits {
  readonly path: OrderPath;
  /** Whether every blob is written to the log. */
  readonly archivesAll: boolean;
}

/** How a payload is taken. */
export interface AcceptOptions {
  /** Whether it can be found by its keccak-256 too; hashing takes some 20 ms a mebibyte. */
  readonly isNamedByKeccak?: boolean;
  /** Hash suite of its rows, which is part of what blob it is; 0 unless told. */
  readonly suite?: SuiteId;
  /** How it is ordered, for a payload that is new here. */
  readonly path?: OrderPath;
  /** Whether it is to be written to the log; one that is there already, or is on its way, too. */
  readonly isArchived?: boolean;
  readonly signal: AbortSignal;
}

/** Where a blob stands with the log. */
export type ArchiveState =
  | { readonly stage: 'wanted' }
  | { readonly stage: 'stored'; readonly file: ArchivedFile };

/** Takes payloads, keeps them on the disk until their quorum has them, and tells how far each is. */
export class Disperser {
  readonly #deps: DisperserDeps;
  readonly #policy: DisperserPolicy;
  readonly #accepting = new SingleFlight<BlobRecord>();
  readonly #queue: DispersalQueue;
  readonly #journeys: Journeys;
  #nextArrival = 0;
  #isOpen = false;

  constructor(deps: DisperserDeps, policy: DisperserPolicy) {
    this.#deps = deps;
    this.#policy = policy;
    const { journey, archives } = deps;
    this.#queue = new DispersalQueue(policy, journey.metrics);
    this.#journeys = new Journeys({ journey, archives, queue: this.#queue });
  }

  /** Counts what a run before this one left. Once, before anything else. */
  async open(signal: AbortSignal): Promise<void> {
    const { store, payloads, archives, journey, logger } = this.#deps;
    await archives.open(signal);
    const unreadable = new Set<Root>();
    for await (const { id, arrival, record } of store.unfinished(signal)) {
      this.#nextArrival = arrival + 1;
      if (record === undefined) {
        unreadable.add(id);
        logger.error({ id }, 'the record of a blob cannot be read, and the blob is left as it is');
        continue;
      }
      this.#queue.resume(id, record.sizeBytes);
      journey.orders.note(record);
    }
    for (const id of archives.wanted) {
      const record = await store.get(id);
      if (record !== undefined) this.#queue.resume(id, record.sizeBytes);
    }
    await payloads.retainOnly(async (id) => {
      if (unreadable.has(id)) return true;
      const record = await store.get(id);
      return record !== undefined && (record.stage !== 'final' || archives.isWanted(id));
    });
    this.#isOpen = true;
  }

  /**
   * Takes a payload: once this resolves it is on the disk and will be dispersed, whatever happens to
   * this process. The same payload is the same blob, at whatever stage it is, until its time is over.
   *
   * @throws {DispersalError} BLOB_EMPTY, BLOB_TOO_LARGE, ACCOUNT_UNKNOWN, ACCOUNT_BUDGET,
   *   DISPERSAL_QUEUE_FULL, ARCHIVE_NOT_KEPT; {StorageError} DISK_FULL; the signal's reason
   */
  async accept(payload: Uint8Array, caller: Caller, options: AcceptOptions): Promise<BlobRecord> {
    const { isNamedByKeccak = false, isArchived = this.#policy.archivesAll, signal } = options;
    if (!this.#isOpen) throw stopping();
    requireLength(payload.length);
    if (isArchived) this.requireArchive();
    const id = blobIdOf(payload, options.suite);
    const keccak = isNamedByKeccak ? keccak256(payload) : undefined;
    const accepted = (): Promise<BlobRecord> => this.#acceptOnce(id, payload, caller, options);
    const record = await this.#accepting.run(id, accepted, signal);
    // Not within the flight: one that was begun otherwise may be joined under this name, and archived.
    if (isArchived) await this.#archive(record);
    this.#journeys.begin(id);
    if (keccak !== undefined) await this.#deps.store.nameByKeccak(id, keccak);
    return record;
  }

  /** Whether blobs can be written to the log here. @throws {DispersalError} ARCHIVE_NOT_KEPT */
  requireArchive(): void {
    if (this.#deps.journey.archiver !== undefined) return;
    throw new DispersalError(
      { code: 'ARCHIVE_NOT_KEPT' },
      'this disperser writes no blobs to the log: it was told of no storage nodes',
    );
  }

  /** Whether a caller may post at all. @throws {DispersalError} ACCOUNT_UNKNOWN */
  requireAccount(caller: Caller): void {
    this.#deps.accounts.requireAccount(caller);
  }

  /** What is known of a blob that lives, or is in the log. */
  async find(id: Root): Promise<BlobRecord | undefined> {
    const { store, archives } = this.#deps;
    const record = await store.get(id);
    if (record === undefined || this.#isAlive(record)) return record;
    return (await archives.fileOf(id)) === undefined ? undefined : record;
  }

  /** Where a blob stands with the log; `undefined` if it is not meant for it. */
  async archiveOf(id: Root): Promise<ArchiveState | undefined> {
    const { archives } = this.#deps;
    if (archives.isWanted(id)) return { stage: 'wanted' };
    const file = await archives.fileOf(id);
    return file && { stage: 'stored', file };
  }

  /** The blob of a commitment. */
  async findByCommitment(commitment: Uint8Array): Promise<BlobRecord | undefined> {
    const id = await this.#deps.store.idOfCommitment(commitment);
    return id === undefined ? undefined : this.find(id);
  }

  /** The blob of a payload's keccak-256, where it was accepted under that name. */
  async findByKeccak(hash: Uint8Array): Promise<BlobRecord | undefined> {
    const id = await this.#deps.store.idOfKeccak(hash);
    return id === undefined ? undefined : this.find(id);
  }

  /**
   * Resolves once a blob has reached a stage, as `stageOf` tells it.
   *
   * @throws {DispersalError} BLOB_NOT_TAKEN; the signal's reason
   */
  async reached(id: Root, stage: BlobStage, signal: AbortSignal): Promise<BlobRecord> {
    const { store } = this.#deps;
    let stop: () => void = () => undefined;
    const later = new Promise<BlobRecord>((resolve) => {
      stop = store.listen(id, (record) => {
        if (hasReached(stageOf(record), stage)) resolve(record);
      });
    });
    try {
      const now = await this.find(id); // after listening: what comes between is not missed
      if (now === undefined) throw unknownBlob(id);
      return hasReached(stageOf(now), stage) ? now : await abortable(later, signal);
    } finally {
      stop();
    }
  }

  /** The payload of a blob that is not final; later its signers have it. */
  async payload(id: Root): Promise<Uint8Array | undefined> {
    return this.#deps.payloads.get(id);
  }

  /** Disperses what was accepted, before and from now on. Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, archives } = this.#deps;
    this.#journeys.open(signal);
    try {
      for await (const { id, record } of store.unfinished(signal)) {
        if (record !== undefined) this.#journeys.begin(id);
      }
      for (const id of archives.wanted) this.#journeys.begin(id);
      await forgetExpired(this.#deps, signal);
    } finally {
      this.#isOpen = false;
      await this.#journeys.close();
    }
  }

  async #acceptOnce(
    id: Root,
    payload: Uint8Array,
    caller: Caller,
    { suite = 0, path = this.#policy.path }: AcceptOptions,
  ): Promise<BlobRecord> {
    const { store, payloads, accounts, clock, journey } = this.#deps;
    const known = await store.get(id);
    if (known !== undefined && this.#isAlive(known)) return known;
    if (known !== undefined) await store.forget(known);
    const sizeBytes = payload.length;
    this.#queue.enter(id, sizeBytes);
    try {
      const account = await accounts.charge(caller, sizeBytes);
      await payloads.put(id, payload);
      const arrival = this.#nextArrival;
      this.#nextArrival += 1;
      const record: BlobRecord = {
        id,
        sizeBytes,
        ...(suite === 0 ? {} : { suite }),
        account,
        arrival,
        acceptedMs: clock.now(),
        path,
        stage: 'accepted',
        voidOrders: 0,
        holders: [],
      };
      await store.put([record]);
      journey.metrics.acceptedBytes.add(sizeBytes);
      return record;
    } catch (error) {
      this.#queue.leave(id);
      throw error;
    }
  }

  /** Notes that a blob is to be written to the log, unless it is there. */
  async #archive({ id, sizeBytes, stage }: BlobRecord): Promise<void> {
    const { archives } = this.#deps;
    if (archives.isWanted(id) || (await archives.fileOf(id)) !== undefined) return;
    const isOver = stage === 'final' && !this.#queue.has(id);
    this.#queue.enter(id, sizeBytes); // one that is final is on its way again
    try {
      await archives.want(id);
    } catch (error) {
      if (isOver) this.#queue.leave(id);
      throw error;
    }
  }

  /** A blob that is on its way lives; one that is final until its signers may drop it. */
  #isAlive({ stage, order }: BlobRecord): boolean {
    if (stage !== 'final' || order === undefined) return true;
    return this.#deps.clock.now() / 1000 < order.header.expirySeconds;
  }
}

/** @throws {DispersalError} BLOB_EMPTY, BLOB_TOO_LARGE */
function requireLength(sizeBytes: number): void {
  if (sizeBytes === 0) {
    throw new DispersalError({ code: 'BLOB_EMPTY' }, 'a blob has at least one byte');
  }
  if (sizeBytes > MAX_PAYLOAD_BYTES) {
    throw new DispersalError(
      { code: 'BLOB_TOO_LARGE', sizeBytes, maxBytes: MAX_PAYLOAD_BYTES },
      `a blob has up to ${MAX_PAYLOAD_BYTES} bytes, not ${sizeBytes}`,
    );
  }
}

function unknownBlob(id: Root): DispersalError {
  return new DispersalError({ code: 'BLOB_NOT_TAKEN', id }, `no blob ${id} lives here`);
}

function stopping(): DispersalError {
  return new DispersalError(
    { code: 'DISPERSER_STOPPING' },
    'the disperser is stopping or not open',
  );
}
