import type { KeyValueStore, KeyValueWrite, Root } from '@cairn/primitives';
import { compareBytes, isFault, rootOf, viewOf } from '@cairn/primitives';
import { type BlobRecord, decodeRecord, encodeRecord } from './blob-record.ts';
import { KEYS, rangeOf } from './keyspace.ts';
import { decodeBatch, encodeBatch, type StoredBatch } from './stored-batch.ts';
import { bytesOf } from './stored-json.ts';
import { decodeSubmission, encodeSubmission, type StoredSubmission } from './stored-submission.ts';

/** A blob that is not final. */
export interface UnfinishedBlob {
  readonly id: Root;
  readonly arrival: number;
  /** `undefined` where it cannot be read. */
  readonly record: BlobRecord | undefined;
}

/** Told of a record that was written. */
export type RecordListener = (record: BlobRecord) => void;

/** Records of blobs on the disk. Whatever resolves here survives a crash. */
export class BlobStore {
  readonly #index: KeyValueStore;
  readonly #listeners = new Map<Root, Set<RecordListener>>();
  readonly #onPut: RecordListener;

  /** @param onPut - told of every record that was written */
  constructor(index: KeyValueStore, onPut: RecordListener = () => undefined) {
    this.#index = index;
    this.#onPut = onPut;
  }

  /** @throws {DispersalError} DISPERSAL_RECORD */
  async get(id: Root): Promise<BlobRecord | undefined> {
    const value = await this.#index.get(KEYS.blob(id));
    return value === undefined ? undefined : decodeRecord(value);
  }

  /** The blob of a commitment. */
  idOfCommitment(commitment: Uint8Array): Promise<Root | undefined> {
    return this.#idAt(KEYS.commitment(commitment));
  }

  /** The blob of a payload's keccak-256. */
  idOfKeccak(hash: Uint8Array): Promise<Root | undefined> {
    return this.#idAt(KEYS.keccak(hash));
  }

  /** Writes records together, as one, with what several of them have in common. */
  async put(
    records: readonly BlobRecord[],
    { batch, submission }: { batch?: StoredBatch; submission?: StoredSubmission } = {},
  ): Promise<void> {
    const writes = records.flatMap(writesOf);
    if (batch !== undefined) {
      writes.push({ type: 'put', key: KEYS.batch(batch.root), value: encodeBatch(batch) });
    }
    if (submission !== undefined) {
      const key = KEYS.submission(submission.name);
      writes.push({ type: 'put', key, value: encodeSubmission(submission) });
    }
    await this.#index.write(writes, { sync: true });
    for (const record of records) {
      for (const listener of this.#listeners.get(record.id) ?? []) listener(record);
      this.#onPut(record);
    }
  }

  /** @throws {DispersalError} DISPERSAL_RECORD */
  async batch(root: Uint8Array): Promise<StoredBatch | undefined> {
    const value = await this.#index.get(KEYS.batch(root));
    return value === undefined ? undefined : decodeBatch(value);
  }

  /** @throws {DispersalError} DISPERSAL_RECORD */
  async submission(name: Uint8Array): Promise<StoredSubmission | undefined> {
    const value = await this.#index.get(KEYS.submission(name));
    return value === undefined ? undefined : decodeSubmission(value);
  }

  /** Blobs that are not final, in the order of acceptance. One bad record holds up no other. */
  async *unfinished(signal: AbortSignal): AsyncGenerator<UnfinishedBlob, void, void> {
    for await (const [key, value] of this.#index.entries(rangeOf('q'), { signal })) {
      const id = rootOf(value);
      const arrival = Number(viewOf(key).getBigUint64(1));
      try {
        const record = await this.get(id);
        if (record !== undefined) yield { id, arrival, record };
      } catch (error) {
        if (!isFault(error, 'DISPERSAL_RECORD')) throw error;
        yield { id, arrival, record: undefined };
      }
    }
  }

  /** Lets a blob be found by its payload's keccak-256, as long as it is kept. */
  async nameByKeccak(id: Root, hash: Uint8Array): Promise<void> {
    const writes: KeyValueWrite[] = [
      { type: 'put', key: KEYS.keccak(hash), value: bytesOf(id) },
      { type: 'put', key: KEYS.keccakOf(id), value: hash },
    ];
    await this.#index.write(writes, { sync: true });
  }

  /** Forgets a blob: its record, its names, and the batch and submission that it was in. */
  async forget(record: BlobRecord): Promise<void> {
    const { id, commitment } = record;
    const keccak = await this.#index.get(KEYS.keccakOf(id));
    await this.#delete([
      KEYS.keccakOf(id),
      KEYS.blob(id),
      KEYS.queued(record.arrival),
      ...(commitment === undefined ? [] : [KEYS.commitment(commitment)]),
      ...(keccak === undefined ? [] : [KEYS.keccak(keccak)]),
      ...keysOfTime(record),
    ]);
  }

  /** Forgets that a blob is to be forgotten, and the batch and submission that it was in. */
  async retire(record: BlobRecord): Promise<void> {
    await this.#delete(keysOfTime(record));
  }

  /** Final blobs whose time was over at `nowSeconds`, at most `limit` of them. */
  async expired(
    nowSeconds: number,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly BlobRecord[]> {
    const { gte } = rangeOf('x');
    const lt = KEYS.expiry(nowSeconds, `0x${'00'.repeat(32)}` as Root);
    if (compareBytes(gte, lt) >= 0) return [];
    const found: BlobRecord[] = [];
    for await (const [key] of this.#index.entries({ gte, lt, limit }, { signal })) {
      const record = await this.get(rootOf(key.subarray(9)));
      if (record !== undefined) found.push(record);
    }
    return found;
  }

  /** Calls `listener` for each write of a blob's record until the function that it returns is called. */
  listen(id: Root, listener: RecordListener): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(id);
    };
  }

  /** The first slot of an epoch that no promise has. */
  async nextSlot(epoch: number): Promise<number> {
    const value = await this.#index.get(KEYS.slots(epoch));
    return value === undefined ? 0 : viewOf(value).getUint32(0);
  }

  /** Slots below `slot` are used for good. */
  async useSlotsBelow(epoch: number, slot: number): Promise<void> {
    const value = new Uint8Array(4);
    viewOf(value).setUint32(0, slot);
    await this.#index.write([{ type: 'put', key: KEYS.slots(epoch), value }], { sync: true });
  }

  async #delete(keys: readonly Uint8Array[]): Promise<void> {
    await this.#index.write(
      keys.map((key) => ({ type: 'delete', key })),
      { sync: true },
    );
  }

  async #idAt(key: Uint8Array): Promise<Root | undefined> {
    const id = await this.#index.get(key);
    return id === undefined ? undefined : rootOf(id);
  }
}

/** What is kept of a blob until its time is over. */
function keysOfTime({ id, submission, order, batch }: BlobRecord): Uint8Array[] {
  return [
    ...(order === undefined ? [] : [KEYS.expiry(order.header.expirySeconds, id)]),
    ...(batch === undefined ? [] : [KEYS.batch(batch.root)]),
    ...(submission === undefined ? [] : [KEYS.submission(submission)]),
  ];
}

function writesOf(record: BlobRecord): KeyValueWrite[] {
  const { id, commitment, order, arrival, stage } = record;
  const idBytes = bytesOf(id);
  const queued = KEYS.queued(arrival);
  const isFinal = stage === 'final';
  const writes: KeyValueWrite[] = [
    { type: 'put', key: KEYS.blob(id), value: encodeRecord(record) },
    isFinal ? { type: 'delete', key: queued } : { type: 'put', key: queued, value: idBytes },
  ];
  if (commitment !== undefined) {
    writes.push({ type: 'put', key: KEYS.commitment(commitment), value: idBytes });
  }
  if (isFinal && order !== undefined) {
    const key = KEYS.expiry(order.header.expirySeconds, id);
    writes.push({ type: 'put', key, value: new Uint8Array(0) });
  }
  return writes;
}
