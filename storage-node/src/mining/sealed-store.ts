import { crc32 } from 'node:zlib';
import { PIECE_BYTES } from '@cairn/pora';
import {
  bigEndianBytes,
  concatBytes,
  equalBytes,
  type FileStore,
  type KeyValueStore,
  type KeyValueWrite,
  readSafeU64,
  SEGMENT_BYTES,
  viewOf,
} from '@cairn/primitives';
import { ownsSegment, type ShardConfig } from '@cairn/wire-protocol';
import { SEALED_PREFIX } from '../keyspace.ts';
import {
  decodeSealed,
  encodeSealed,
  PIECE_BITS_BYTES,
  type SealedRecord,
} from './sealed-record.ts';
import { SealedTable } from './sealed-table.ts';

/** Where sealed copies and their records lie. */
export interface SealedStoreDeps {
  /** Sealed copies by flow position, as plain segments lie in theirs. */
  readonly files: FileStore;
  readonly kv: Pick<KeyValueStore, 'get' | 'write' | 'entries'>;
}

/** A segment's sealed copy with its record. */
export interface SealedSegment {
  /** Index in the flow. */
  readonly segment: number;
  /** 262,144 bytes; zeros where nothing is sealed. */
  readonly bytes: Uint8Array;
  readonly record: SealedRecord;
}

/** What a look at sealed copies found. */
export interface SealedCheck {
  readonly checked: number;
  readonly bytes: number;
  /** Segments whose copy was not what had been written; their records are gone. */
  readonly damaged: readonly number[];
}

/**
 * Sealed copies beside the plain ones, so that reads never wait for a seal to be undone and a crash
 * while sealing loses nothing: a copy's record is written once its bytes are durable, and is gone
 * before bytes of another content take their place.
 */
export class SealedStore {
  readonly #deps: SealedStoreDeps;
  readonly #minerId: Uint8Array;
  #table: SealedTable;

  private constructor(deps: SealedStoreDeps, minerId: Uint8Array, table: SealedTable) {
    this.#deps = deps;
    this.#minerId = minerId;
    this.#table = table;
  }

  /** Opens the store and reads which pieces of the shard are sealed for the miner. */
  static async open(
    deps: SealedStoreDeps,
    options: { readonly minerId: Uint8Array; readonly shard: ShardConfig },
    signal: AbortSignal,
  ): Promise<SealedStore> {
    const store = new SealedStore(deps, options.minerId, new SealedTable(options.shard));
    await store.changeShard(options.shard, signal);
    return store;
  }

  /** Which pieces are sealed, for threads. */
  get table(): Pick<SealedTable, 'shared' | 'shard' | 'segments'> {
    return this.#table;
  }

  /** Reads the table anew, for a shard; what is of others is forgotten. */
  async changeShard(shard: ShardConfig, signal: AbortSignal): Promise<void> {
    const table = new SealedTable(shard);
    let foreign: KeyValueWrite[] = [];
    const forget = async (): Promise<void> => {
      if (foreign.length > 0) await this.#deps.kv.write(foreign, { sync: true });
      foreign = [];
    };
    for await (const [key, value] of this.#deps.kv.entries(ALL, { signal })) {
      const segment = segmentOf(key);
      const record = this.#own(decodeSealed(value));
      if (record !== undefined && ownsSegment(shard, segment)) table.set(segment, record.sealed);
      else foreign.push({ type: 'delete', key });
      if (foreign.length >= MAX_DELETES) await forget();
    }
    await forget();
    this.#table = table;
  }

  /** Segments from `from` on and before `to` of which there is a copy, ascending. */
  async segmentsIn(from: number, to: number, signal: AbortSignal): Promise<number[]> {
    const range = { gte: keyOf(from), lt: keyOf(Math.min(to, Number.MAX_SAFE_INTEGER)) };
    const found: number[] = [];
    for await (const [key] of this.#deps.kv.entries(range, { signal })) found.push(segmentOf(key));
    return found;
  }

  /** Reads the copies of segments from `from` on and before `to`, and forgets those that are damaged. */
  async check(from: number, to: number, signal: AbortSignal): Promise<SealedCheck> {
    const damaged: number[] = [];
    const segments = await this.segmentsIn(from, to, signal);
    for (const segment of segments) {
      signal.throwIfAborted();
      const record = await this.get(segment);
      if (record === undefined || (await this.#isSound(segment, record))) continue;
      const now = await this.get(segment); // sealed anew under the look: then it says nothing
      if (now === undefined || !equalBytes(encodeSealed(now), encodeSealed(record))) continue;
      await this.drop([segment]);
      damaged.push(segment);
    }
    const checked = segments.length;
    return { checked, bytes: checked * SEGMENT_BYTES, damaged };
  }

  async #isSound(segment: number, { checksum }: SealedRecord): Promise<boolean> {
    const bytes = await this.#deps.files.read(segment * SEGMENT_BYTES, SEGMENT_BYTES);
    return crc32(bytes) === checksum;
  }

  /** The record of a segment that is sealed for this miner. */
  async get(segment: number): Promise<SealedRecord | undefined> {
    const value = await this.#deps.kv.get(keyOf(segment));
    return value === undefined ? undefined : this.#own(decodeSealed(value));
  }

  /** Bytes of a sealed piece: 4,096. */
  readPiece(segment: number, piece: number): Promise<Uint8Array> {
    return this.#deps.files.read(segment * SEGMENT_BYTES + piece * PIECE_BYTES, PIECE_BYTES);
  }

  /** Keeps sealed copies; durable once this resolves. @throws what the disk throws */
  async put(batch: readonly SealedSegment[]): Promise<void> {
    const { files, kv } = this.#deps;
    await this.drop(batch.map(({ segment }) => segment));
    for (const { segment, bytes } of batch) await files.write(segment * SEGMENT_BYTES, bytes);
    await files.sync();
    const writes = batch.map(({ segment, record }): KeyValueWrite => {
      return { type: 'put', key: keyOf(segment), value: encodeSealed(record) };
    });
    await kv.write(writes, { sync: true });
    for (const { segment, record } of batch) this.#note(segment, record.sealed);
  }

  /** Forgets sealed copies: they are made anew. Durable once this resolves. */
  async drop(segments: readonly number[]): Promise<void> {
    const { kv } = this.#deps;
    const held: KeyValueWrite[] = [];
    for (const segment of segments) {
      const key = keyOf(segment);
      if ((await kv.get(key)) === undefined) continue;
      held.push({ type: 'delete', key });
      this.#note(segment, new Uint8Array(PIECE_BITS_BYTES));
    }
    if (held.length > 0) await kv.write(held, { sync: true });
  }

  /** Forgets sealed copies from a segment on. Durable once this resolves. */
  async dropFrom(segment: number, signal: AbortSignal): Promise<void> {
    const range = { ...ALL, gte: keyOf(segment), limit: MAX_DELETES };
    for (;;) {
      const segments: number[] = [];
      for await (const [key] of this.#deps.kv.entries(range, { signal })) {
        segments.push(segmentOf(key));
      }
      await this.drop(segments);
      if (segments.length < MAX_DELETES) return;
    }
  }

  #note(segment: number, sealed: Uint8Array): void {
    if (ownsSegment(this.#table.shard, segment)) this.#table.set(segment, sealed);
  }

  #own(record: SealedRecord | undefined): SealedRecord | undefined {
    return record !== undefined && equalBytes(record.minerId, this.#minerId) ? record : undefined;
  }
}

/** Records forgotten in one write. */
const MAX_DELETES = 4096;

const ALL = {
  gte: SEALED_PREFIX,
  lt: concatBytes(SEALED_PREFIX, new Uint8Array(9).fill(0xff)),
};

function segmentOf(key: Uint8Array): number {
  return readSafeU64(viewOf(key), SEALED_PREFIX.length);
}

function keyOf(segment: number): Uint8Array {
  return concatBytes(SEALED_PREFIX, bigEndianBytes(segment, 8));
}

/** Whether a key of the index is of a sealed copy's record. */
export function isSealedKey(key: Uint8Array): boolean {
  return equalBytes(key.subarray(0, SEALED_PREFIX.length), SEALED_PREFIX);
}
