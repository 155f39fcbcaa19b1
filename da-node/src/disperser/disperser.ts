import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { MAX_PAYLOAD_BYTES } from '@cairn/erasure-codec';
import {
  abortable,
  type Clock,
  describeError,
  keccak256,
  type Logger,
  type Root,
  rootOf,
  SingleFlight,
} from '@cairn/primitives';
import type { Accounts, Caller } from './accounts.ts';
import { type BlobRecord, type BlobStage, hasReached, stageOf } from './blob-record.ts';
import type { BlobStore } from './blob-store.ts';
import { disperseBlob, type JourneyDeps } from './disperse-blob.ts';
import { DispersalError } from './errors.ts';
import type { PayloadStore } from './ports.ts';

/** What a disperser is made of. */
export interface DisperserDeps {
  readonly store: BlobStore;
  readonly payloads: PayloadStore;
  readonly accounts: Accounts;
  readonly journey: JourneyDeps;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How much a disperser holds. */
export interface DisperserLimits {
  /** Blobs that are not final, at most. */
  readonly maxBlobs: number;
  /** Bytes of their payloads, at most. */
  readonly maxBytes: number;
}

/** Expired records forgotten at a time, and how often it is looked. */
const FORGOTTEN_AT_ONCE = 256;
const FORGET_EVERY_MS = 60_000;

/** How a payload is also named. */
export interface AcceptOptions {
  /** Whether it can be found by its keccak-256 too; hashing takes some 20 ms a mebibyte. */
  readonly isNamedByKeccak?: boolean;
  readonly signal: AbortSignal;
}

/** `own` ends one journey; `shared` what several blobs share. */
interface JourneySignals {
  readonly own: AbortSignal;
  readonly shared: AbortSignal;
}

/** Takes payloads, keeps them on the disk until their quorum has them, and tells how far each is. */
export class Disperser {
  readonly #deps: DisperserDeps;
  readonly #limits: DisperserLimits;
  readonly #accepting = new SingleFlight<BlobRecord>();
  readonly #journeys = new Map<Root, Promise<void>>();
  /** Of the run under way: ends journeys. */
  #running: AbortSignal | undefined;
  #queued = { blobs: 0, bytes: 0 };
  #nextArrival = 0;
  #isOpen = false;

  constructor(deps: DisperserDeps, limits: DisperserLimits) {
    this.#deps = deps;
    this.#limits = limits;
  }

  /** Counts what a run before this one left. Once, before anything else. */
  async open(signal: AbortSignal): Promise<void> {
    const { store, payloads, logger } = this.#deps;
    const unreadable = new Set<Root>();
    for await (const { id, arrival, record } of store.unfinished(signal)) {
      this.#nextArrival = arrival + 1;
      if (record === undefined) {
        unreadable.add(id);
        logger.error({ id }, 'the record of a blob cannot be read, and the blob is left as it is');
        continue;
      }
      this.#queued.blobs += 1;
      this.#queued.bytes += record.sizeBytes;
    }
    await payloads.retainOnly(async (id) => {
      if (unreadable.has(id)) return true;
      const record = await store.get(id);
      return record !== undefined && record.stage !== 'final';
    });
    this.#measure();
    this.#isOpen = true;
  }

  /**
   * Takes a payload: once this resolves it is on the disk and will be dispersed, whatever happens to
   * this process. The same payload is the same blob, at whatever stage it is, until its time is over.
   *
   * @throws {DispersalError} BLOB_EMPTY, BLOB_TOO_LARGE, ACCOUNT_UNKNOWN, ACCOUNT_BUDGET,
   *   DISPERSAL_QUEUE_FULL; {StorageError} DISK_FULL; the signal's reason
   */
  async accept(
    payload: Uint8Array,
    caller: Caller,
    { isNamedByKeccak = false, signal }: AcceptOptions,
  ): Promise<BlobRecord> {
    if (!this.#isOpen) throw stopping();
    const sizeBytes = payload.length;
    if (sizeBytes === 0) {
      throw new DispersalError({ code: 'BLOB_EMPTY' }, 'a blob has at least one byte');
    }
    if (sizeBytes > MAX_PAYLOAD_BYTES) {
      throw new DispersalError(
        { code: 'BLOB_TOO_LARGE', sizeBytes, maxBytes: MAX_PAYLOAD_BYTES },
        `a blob has up to ${MAX_PAYLOAD_BYTES} bytes, not ${sizeBytes}`,
      );
    }
    const id = blobIdOf(payload);
    const keccak = isNamedByKeccak ? keccak256(payload) : undefined;
    const accepted = (): Promise<BlobRecord> => this.#acceptOnce(id, payload, caller);
    const record = await this.#accepting.run(id, accepted, signal);
    this.#begin(record);
    // Not within the flight: one that was begun under no such name may be joined under it.
    if (keccak !== undefined) await this.#deps.store.nameByKeccak(id, keccak);
    return record;
  }

  /** Whether a caller may post at all. @throws {DispersalError} ACCOUNT_UNKNOWN */
  requireAccount(caller: Caller): void {
    this.#deps.accounts.requireAccount(caller);
  }

  /** What is known of a blob that lives. */
  async find(id: Root): Promise<BlobRecord | undefined> {
    const record = await this.#deps.store.get(id);
    return record !== undefined && this.#isAlive(record) ? record : undefined;
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
    const { store, clock, logger } = this.#deps;
    setMaxListeners(0, signal); // some for each blob under way
    this.#running = signal;
    try {
      for await (const { record } of store.unfinished(signal)) {
        if (record !== undefined) this.#begin(record);
      }
      for (;;) {
        await this.#forgetExpired(signal).catch((error: unknown) => {
          signal.throwIfAborted();
          logger.error({ reason: describeError(error) }, 'expired blobs could not be forgotten');
        });
        await clock.sleep(FORGET_EVERY_MS, signal);
      }
    } finally {
      this.#isOpen = false;
      this.#running = undefined;
      await Promise.allSettled(this.#journeys.values());
      await this.#deps.journey.certifier.settled();
    }
  }

  async #acceptOnce(id: Root, payload: Uint8Array, caller: Caller): Promise<BlobRecord> {
    const { store, payloads, accounts, clock, journey } = this.#deps;
    const known = await store.get(id);
    if (known !== undefined && this.#isAlive(known)) return known;
    if (known !== undefined) await store.forget(known);
    const sizeBytes = payload.length;
    this.#enqueue(sizeBytes);
    try {
      const account = await accounts.charge(caller, sizeBytes);
      await payloads.put(id, payload);
      const arrival = this.#nextArrival;
      this.#nextArrival += 1;
      const record: BlobRecord = {
        id,
        sizeBytes,
        account,
        arrival,
        acceptedMs: clock.now(),
        stage: 'accepted',
        voidOrders: 0,
        holders: [],
      };
      await store.put([record]);
      journey.metrics.acceptedBytes.add(sizeBytes);
      return record;
    } catch (error) {
      this.#dequeue(sizeBytes);
      throw error;
    }
  }

  /** Starts a blob's journey unless it is under way or over. */
  #begin(record: BlobRecord): void {
    const shared = this.#running;
    const { id, stage } = record;
    if (shared === undefined || shared.aborted || stage === 'final' || this.#journeys.has(id)) {
      return;
    }
    const own = new AbortController(); // what it derives goes with it, and not with the run
    setMaxListeners(0, own.signal); // some for each member of the quorum
    const stop = (): void => own.abort(shared.reason);
    shared.addEventListener('abort', stop, { once: true });
    const signals = { own: own.signal, shared };
    const journey = this.#disperse(id, signals)
      .catch(() => undefined) // the run ends
      .finally(() => {
        shared.removeEventListener('abort', stop);
        this.#journeys.delete(id);
      });
    this.#journeys.set(id, journey);
  }

  /** Journey after journey until the blob is final. @throws the signal's reason */
  async #disperse(id: Root, signals: JourneySignals): Promise<void> {
    const { store, journey, clock, logger } = this.#deps;
    let isBegun = false;
    for (;;) {
      try {
        const record = await store.get(id); // now that no other journey writes it
        if (record === undefined) return;
        if (record.stage !== 'final') {
          isBegun = true;
          await disperseBlob(record, journey, signals);
        }
        if (isBegun) this.#dequeue(record.sizeBytes);
        return;
      } catch (error) {
        signals.own.throwIfAborted();
        const againMs = journey.backoff.maxMs;
        logger.error({ id, reason: describeError(error), againMs }, 'the journey of a blob failed');
        await clock.sleep(againMs, signals.own);
      }
    }
  }

  #enqueue(sizeBytes: number): void {
    const { blobs, bytes } = this.#queued;
    const { maxBlobs, maxBytes } = this.#limits;
    if (blobs + 1 > maxBlobs || bytes + sizeBytes > maxBytes) {
      throw new DispersalError(
        { code: 'DISPERSAL_QUEUE_FULL', blobs, bytes, maxBlobs, maxBytes },
        `${blobs} blobs of ${bytes} bytes wait, and at most ${maxBlobs} of ${maxBytes} may`,
      );
    }
    this.#queued = { blobs: blobs + 1, bytes: bytes + sizeBytes };
    this.#measure();
  }

  #dequeue(sizeBytes: number): void {
    const { blobs, bytes } = this.#queued;
    this.#queued = { blobs: blobs - 1, bytes: bytes - sizeBytes };
    this.#measure();
  }

  #measure(): void {
    const { metrics } = this.#deps.journey;
    metrics.queuedBlobs.set(this.#queued.blobs);
    metrics.queuedBytes.set(this.#queued.bytes);
  }

  /** A blob that is on its way lives; one that is final until its signers may drop it. */
  #isAlive({ stage, order }: BlobRecord): boolean {
    if (stage !== 'final' || order === undefined) return true;
    return this.#deps.clock.now() / 1000 < order.header.expirySeconds;
  }

  async #forgetExpired(signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#deps;
    for (;;) {
      const nowSeconds = Math.floor(clock.now() / 1000);
      const records = await store.expired(nowSeconds, FORGOTTEN_AT_ONCE, signal);
      for (const record of records) await store.forget(record);
      if (records.length < FORGOTTEN_AT_ONCE) return;
    }
  }
}

/** A blob's name: SHA-256 of its payload. */
export function blobIdOf(payload: Uint8Array): Root {
  return rootOf(createHash('sha256').update(payload).digest());
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
