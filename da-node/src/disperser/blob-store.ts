import type { KeyValueStore, KeyValueWrite, Root } from '@cairn/primitives';
import {
  compareBytes,
  isFault,
  rootOf,
  stringifyJson,
  toHex,
  utf8Bytes,
  viewOf,
} from '@cairn/primitives';
import type { BlobOrder, BlobRecord } from './blob-record.ts';
import {
  bytesOf,
  decodeRecord,
  decodeStored,
  encodeRecord,
  numbersOf,
  orderJson,
  orderOf,
} from './blob-record.ts';
import { KEYS, rangeOf } from './keyspace.ts';

/** A signed batch as it is stored: what a confirmation needs beside the committee. */
export interface StoredBatch {
  readonly root: Uint8Array;
  readonly epoch: number;
  readonly quorumId: number;
  readonly ids: readonly Root[];
  readonly orders: readonly BlobOrder[];
  readonly absent: readonly number[];
  /** The aggregate, 96 bytes. */
  readonly signature: Uint8Array;
}

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

  constructor(index: KeyValueStore) {
    this.#index = index;
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

  /** Writes records together, as one. */
  async put(records: readonly BlobRecord[], batch?: StoredBatch): Promise<void> {
    const writes = records.flatMap(writesOf);
    if (batch !== undefined) {
      writes.push({ type: 'put', key: KEYS.batch(batch.root), value: encodeBatch(batch) });
    }
    await this.#index.write(writes, { sync: true });
    for (const record of records) {
      for (const listener of this.#listeners.get(record.id) ?? []) listener(record);
    }
  }

  /** @throws {DispersalError} DISPERSAL_RECORD */
  async batch(root: Uint8Array): Promise<StoredBatch | undefined> {
    const value = await this.#index.get(KEYS.batch(root));
    return value === undefined ? undefined : decodeBatch(value);
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

  /** Forgets a blob: its record, its names and its batch. */
  async forget(record: BlobRecord): Promise<void> {
    const { id, commitment, order, batch } = record;
    const keccak = await this.#index.get(KEYS.keccakOf(id));
    const keys = [
      KEYS.keccakOf(id),
      KEYS.blob(id),
      KEYS.queued(record.arrival),
      ...(commitment === undefined ? [] : [KEYS.commitment(commitment)]),
      ...(keccak === undefined ? [] : [KEYS.keccak(keccak)]),
      ...(order === undefined ? [] : [KEYS.expiry(order.header.expirySeconds, id)]),
      ...(batch === undefined ? [] : [KEYS.batch(batch.root)]),
    ];
    await this.#index.write(
      keys.map((key) => ({ type: 'delete', key })),
      { sync: true },
    );
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

  async #idAt(key: Uint8Array): Promise<Root | undefined> {
    const id = await this.#index.get(key);
    return id === undefined ? undefined : rootOf(id);
  }
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

function encodeBatch(batch: StoredBatch): Uint8Array {
  const { root, epoch, quorumId, ids, orders, absent, signature } = batch;
  return utf8Bytes(
    stringifyJson({
      root: toHex(root),
      epoch,
      quorumId,
      ids,
      orders: orders.map(orderJson),
      absent,
      signature: toHex(signature),
    }),
  );
}

function decodeBatch(bytes: Uint8Array): StoredBatch {
  return decodeStored('a batch', bytes, (fields) => {
    const { ids, orders } = fields;
    if (!Array.isArray(ids) || !Array.isArray(orders)) throw new TypeError('not lists');
    return {
      root: bytesOf(fields['root']),
      epoch: Number(fields['epoch']),
      quorumId: Number(fields['quorumId']),
      ids: ids.map((id) => rootOf(bytesOf(id))),
      orders: orders.map(orderOf),
      absent: numbersOf(fields['absent']),
      signature: bytesOf(fields['signature']),
    };
  });
}
