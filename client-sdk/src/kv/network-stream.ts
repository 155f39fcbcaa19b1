import type { BatchBuilder, KeyEvidence, RangeEvidence, StreamId } from '@cairn/kv-layer';
import type { Encryption } from '../encryption/keys.ts';
import { accessOf } from './kv-access.ts';
import { boundsOf, keyBytes, valueBytes } from './kv-bytes.ts';
import type {
  KvChange,
  KvChangesOptions,
  KvEvent,
  KvFindOptions,
  KvHistoryOptions,
  KvWatchOptions,
} from './kv-feed-options.ts';
import type { KvLane } from './kv-lane.ts';
import type {
  KvAccess,
  KvBytes,
  KvCall,
  KvCommit,
  KvEntry,
  KvRange,
  KvReadOptions,
  KvSpan,
  KvStream,
  KvValue,
} from './kv-options.ts';
import type { KvReader } from './kv-reader.ts';

/** A stream of keys and values on the network. */
export class NetworkStream implements KvStream {
  readonly id: StreamId;
  readonly access: KvAccess;
  readonly #reader: KvReader;
  readonly #lane: KvLane;
  readonly #encryption: Encryption | undefined;

  constructor(
    id: StreamId,
    {
      reader,
      lane,
      encryption,
    }: {
      readonly reader: KvReader;
      readonly lane: KvLane;
      readonly encryption: Encryption | undefined;
    },
  ) {
    this.id = id;
    this.#reader = reader;
    this.#lane = lane;
    this.#encryption = encryption;
    this.access = accessOf(id, reader, (batch, signal) =>
      lane.writeAlone(batch, signal, encryption),
    );
  }

  async get(key: KvBytes, options: KvReadOptions = {}): Promise<KvValue | undefined> {
    return this.#reader.value(this.id, keyBytes(key), options);
  }

  async prove(key: KvBytes, options: KvReadOptions = {}): Promise<KeyEvidence> {
    return this.#reader.evidence(this.id, keyBytes(key), options);
  }

  async put(
    key: KvBytes,
    value: KvBytes,
    { signal = new AbortController().signal }: KvCall = {},
  ): Promise<KvCommit> {
    const [name, data] = [keyBytes(key), valueBytes(value)];
    const bytes = name.length + data.length;
    const add = (batch: BatchBuilder): unknown => batch.put(this.id, name, data);
    return this.#lane.write(this.id, { bytes, add, encryption: this.#encryption }, signal);
  }

  async delete(
    key: KvBytes,
    { signal = new AbortController().signal }: KvCall = {},
  ): Promise<KvCommit> {
    const name = keyBytes(key);
    const add = (batch: BatchBuilder): unknown => batch.delete(this.id, name);
    const change = { bytes: name.length, add, encryption: this.#encryption };
    return this.#lane.write(this.id, change, signal);
  }

  async proveRange(range: KvSpan = {}): Promise<RangeEvidence> {
    return this.#reader.rangeEvidence(this.id, range, boundsOf(range));
  }

  scan(range: KvRange = {}): AsyncIterable<KvEntry> {
    return this.#reader.scan(this.id, range, boundsOf(range));
  }

  async getMany(
    keys: readonly KvBytes[],
    options: KvReadOptions = {},
  ): Promise<readonly (KvValue | undefined)[]> {
    return this.#reader.values(this.id, keys.map(keyBytes), options);
  }

  watch(options: KvWatchOptions = {}): AsyncIterable<KvEvent> {
    return this.#reader.feed.events(this.id, options);
  }

  changes(options: KvChangesOptions): AsyncIterable<KvChange> {
    return this.#reader.listing.changes(this.id, options);
  }

  async history(key: KvBytes, options: KvHistoryOptions = {}): Promise<readonly KvChange[]> {
    return this.#reader.listing.history(this.id, keyBytes(key), options);
  }

  find(options: KvFindOptions): AsyncIterable<KvEntry> {
    return this.#reader.listing.find(this.id, options);
  }
}
