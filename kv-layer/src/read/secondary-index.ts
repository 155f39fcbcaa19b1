import {
  concatBytes,
  equalBytes,
  type KeyValueWrite,
  MAX_SCAN_KEYS,
  MAX_SCAN_STEPS,
  readSafeU64,
  type Sequence,
  STREAM_ID_BYTES,
  utf8Bytes,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import { indexKey, isReservedKey } from '../reserved-keys.ts';
import { StateError } from '../store/errors.ts';
import { escaped, KEY, TABLE } from '../store/keyspace.ts';
import type { Row } from '../store/row.ts';
import { Serial } from '../store/serial.ts';
import { lastNumber } from '../store/state-tables.ts';
import type { StreamState } from '../store/stream-state.ts';
import { type StreamId, streamIdOf } from '../stream-id.ts';
import {
  encodeField,
  type FieldValue,
  fieldOf,
  type IndexDefinition,
  MAX_INDEXED_VALUE_BYTES,
  parseIndexDefinition,
} from './index-field.ts';
import type { ReadOptions, StreamReads } from './stream-reads.ts';
import type { ScannedKey } from './stream-scans.ts';

/** Which keys to find by a field. */
export interface IndexQuery extends ReadOptions {
  readonly stream: StreamId;
  /** The index's name. */
  readonly name: string;
  /** Values at or above this one; all unless told. */
  readonly from?: FieldValue;
  /** Values up to and with this one; all unless told. For one value give it as both. */
  readonly through?: FieldValue;
  /** At most 4,096; 256 unless told. */
  readonly limit?: number;
  /** From the page before; give that page's version with it. */
  readonly cursor?: Uint8Array;
}

/** Keys in the order of the field, then of the keys. */
export interface IndexPage {
  readonly version: number;
  readonly keys: readonly ScannedKey[];
  readonly cursor?: Uint8Array;
}

/** How far an index is: of which definition, complete from which version through which. */
interface IndexState {
  readonly definition: number;
  readonly from: number;
  readonly through: number;
  /** 8 bytes of the stream's root at `through`. */
  readonly mark: Uint8Array;
}

const ROWS_TOGETHER = 1000;

/**
 * Keys of a stream by a field of their JSON values. An index is declared by a reserved key of the
 * stream, so everyone has the same; what is stored of it here is made of the state, whenever it is
 * asked for, and every answer is checked against the rows: it follows from the state at a version alone.
 */
export class SecondaryIndexes {
  readonly #state: StreamState;
  readonly #reads: StreamReads;
  readonly #turns = new Serial();

  constructor(state: StreamState, reads: StreamReads) {
    this.#state = state;
    this.#reads = reads;
  }

  /**
   * A page of keys whose field lies in a range, at a version. The first question builds the index,
   * which takes as long as reading the stream; `catchUp` does so beforehand.
   *
   * @throws {StateError} KV_INDEX_UNKNOWN if there is no such index at that version, KV_INDEX_YOUNG if
   * it was built at a later one, KV_TOO_MUCH, KV_VERSION_PRUNED, KV_ROLLED_BACK
   */
  async find(query: IndexQuery): Promise<IndexPage> {
    const { stream, name, limit = 256, signal } = query;
    if (limit > MAX_SCAN_KEYS) {
      throw new StateError(
        { code: 'KV_TOO_MUCH', what: 'keys of a page', count: limit, max: MAX_SCAN_KEYS },
        `${limit} keys of a page, at most ${MAX_SCAN_KEYS}`,
      );
    }
    return this.#reads.steady(query, async (version) => {
      const { definition, from } = await this.#built(stream, name, version, signal);
      if (version < from) {
        throw new StateError(
          { code: 'KV_INDEX_YOUNG', version, from },
          `index "${name}" was built at version ${from} and knows nothing of version ${version}`,
        );
      }
      const keys: ScannedKey[] = [];
      let steps = 0;
      const { keys: keyspace, kv } = this.#state.tables;
      const head = this.#head(stream, name);
      const range = keyspace.range(KEY.index, head);
      const gte = query.cursor ?? bound(query.from, 'from');
      const lt = bound(query.through, 'through');
      const bounds = {
        ...(gte === undefined ? range : { ...range, gte: keyspace.key(KEY.index, head, gte) }),
        ...(lt === undefined ? {} : { lt: keyspace.key(KEY.index, head, lt) }),
      };
      for await (const [stored, value] of kv.entries(bounds, { signal })) {
        const rest = stored.slice(keyspace.key(KEY.index, head).length);
        if (keys.length === limit || steps === MAX_SCAN_STEPS)
          return { version, keys, cursor: rest };
        steps += 1;
        const fieldBytes = viewOf(value).getUint32(0);
        const [field, key] = [value.subarray(4, 4 + fieldBytes), value.slice(4 + fieldBytes)];
        const found = await this.#checked(
          { stream, key },
          { version, written: lastNumber(stored), signal },
        );
        const same = found && fieldOf(found.value, definition);
        if (found === undefined || same === undefined || !equalBytes(same, field)) continue;
        keys.push({
          key,
          version: found.row.version,
          valueBytes: found.row.valueBytes,
          value: found.value,
        });
      }
      return { version, keys };
    });
  }

  /** Brings an index up to the newest version. @throws {StateError} KV_INDEX_UNKNOWN */
  async catchUp(stream: StreamId, name: string, signal: AbortSignal): Promise<void> {
    await this.#built(stream, name, this.#reads.newestVersion, signal);
  }

  /**
   * Tells that entries from `to` on were taken back: what was indexed of them is done again. Without
   * it an index is made anew when it is asked for, and then knows nothing of older versions.
   */
  rolledBack(to: Sequence, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return this.#turns.run(async () => {
      const { keys, kv } = this.#state.tables;
      const batch: KeyValueWrite[] = [];
      for await (const [stored, value] of kv.entries(keys.range(KEY.indexState), { signal })) {
        const state = decodeState(value);
        if (state === undefined || state.through < to) continue;
        const key = stored.slice();
        if (state.from >= to) {
          batch.push({ type: 'delete', key });
          continue;
        }
        const through = to - 1;
        const mark = await this.#markAt(streamOfStateKey(key), through, signal);
        batch.push({ type: 'put', key, value: encodeState({ ...state, through, mark }) });
      }
      if (batch.length > 0) await kv.write(batch);
    });
  }

  /** The definition at a version, of an index that is complete up to there. */
  #built(
    stream: StreamId,
    name: string,
    version: number,
    signal: AbortSignal,
  ): Promise<{ readonly definition: IndexDefinition; readonly from: number }> {
    return this.#turns.run(async () => {
      const declared = { table: TABLE.keys, stream, key: indexKey(name) };
      const row = await this.#state.tables.rowAt(declared, version, signal);
      const isWhole = row !== undefined && row.valueBytes <= MAX_INDEXED_VALUE_BYTES;
      const value = isWhole ? await this.#reads.bytesOf(row, 0, row.valueBytes) : undefined;
      const definition = value && parseIndexDefinition(value);
      if (row === undefined || definition === undefined) {
        throw new StateError(
          { code: 'KV_INDEX_UNKNOWN', stream, name },
          `stream ${stream} declares no index "${name}" at version ${version}`,
        );
      }
      const state = await this.#stateOf(stream, name);
      const isSame = state !== undefined && state.definition === row.version;
      const isOurs =
        isSame && equalBytes(state.mark, await this.#markAt(stream, state.through, signal));
      if (isOurs && state.through >= version) return { definition, from: state.from };
      const from = isOurs ? state.from : version;
      if (!isOurs) await this.#clear(stream, name, signal);
      const rows = isOurs
        ? this.#rowsSince(stream, { after: state.through, through: version }, signal)
        : this.#rowsAt(stream, version, signal);
      await this.#add({ stream, name, definition }, rows);
      const { keys, kv } = this.#state.tables;
      const mark = await this.#markAt(stream, version, signal);
      const stored = encodeState({ definition: row.version, from, through: version, mark });
      const key = keys.key(KEY.indexState, this.#head(stream, name));
      await kv.write([{ type: 'put', key, value: stored }]);
      return { definition, from };
    });
  }

  async *#rowsAt(
    stream: StreamId,
    version: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly [Uint8Array, Row]> {
    const rows = this.#state.tables.walk({ table: TABLE.keys, stream }, {}, { version, signal });
    for await (const [key, row] of rows) if (row !== undefined) yield [key, row];
  }

  async *#rowsSince(
    stream: StreamId,
    span: { readonly after: number; readonly through: number },
    signal: AbortSignal,
  ): AsyncGenerator<readonly [Uint8Array, Row]> {
    const { tables } = this.#state;
    for await (const { sequence } of tables.rootsBetween(stream, span, signal)) {
      for await (const change of tables.changesOf(sequence, signal)) {
        if (change.table !== TABLE.keys || change.stream !== stream) continue;
        const row = await tables.rowAt(change, sequence, signal);
        if (row !== undefined) yield [change.key, row];
      }
    }
  }

  async #add(
    { stream, name, definition }: { stream: StreamId; name: string; definition: IndexDefinition },
    rows: AsyncIterable<readonly [Uint8Array, Row]>,
  ): Promise<void> {
    const { keys, kv } = this.#state.tables;
    const prefix = utf8Bytes(definition.prefix ?? '');
    let batch: KeyValueWrite[] = [];
    for await (const [key, row] of rows) {
      const isMeant = !isReservedKey(key) && equalBytes(key.subarray(0, prefix.length), prefix);
      if (!isMeant || row.valueBytes === 0 || row.valueBytes > MAX_INDEXED_VALUE_BYTES) continue;
      const field = fieldOf(await this.#reads.bytesOf(row, 0, row.valueBytes), definition);
      if (field === undefined) continue;
      const head = this.#head(stream, name);
      const length = new Uint8Array(4);
      viewOf(length).setUint32(0, field.length);
      batch.push({
        type: 'put',
        key: keys.key(KEY.index, head, escaped(field), escaped(key), row.version),
        value: concatBytes(length, field, key),
      });
      if (batch.length < ROWS_TOGETHER) continue;
      await kv.write(batch);
      batch = [];
    }
    if (batch.length > 0) await kv.write(batch);
  }

  /** The row of a key at a version with its value, if it is the one that was indexed. */
  async #checked(
    { stream, key }: { readonly stream: StreamId; readonly key: Uint8Array },
    { version, written, signal }: { version: number; written: number; signal: AbortSignal },
  ): Promise<{ readonly row: Row; readonly value: Uint8Array } | undefined> {
    if (written > version) return undefined;
    const row = await this.#state.tables.rowAt({ table: TABLE.keys, stream, key }, version, signal);
    if (row?.version !== written || row.valueBytes > MAX_INDEXED_VALUE_BYTES) return undefined;
    return { row, value: await this.#reads.bytesOf(row, 0, row.valueBytes) };
  }

  async #clear(stream: StreamId, name: string, signal: AbortSignal): Promise<void> {
    const { keys, kv } = this.#state.tables;
    const range = { ...keys.range(KEY.index, this.#head(stream, name)), limit: ROWS_TOGETHER };
    for (let isLeft = true; isLeft; ) {
      const batch: KeyValueWrite[] = [];
      for await (const [key] of kv.entries(range, { signal }))
        batch.push({ type: 'delete', key: key.slice() });
      isLeft = batch.length > 0;
      if (isLeft) await kv.write(batch);
    }
  }

  async #stateOf(stream: StreamId, name: string): Promise<IndexState | undefined> {
    const { keys, kv } = this.#state.tables;
    const bytes = await kv.get(keys.key(KEY.indexState, this.#head(stream, name)));
    return bytes === undefined ? undefined : decodeState(bytes);
  }

  async #markAt(stream: StreamId, version: number, signal: AbortSignal): Promise<Uint8Array> {
    const root = await this.#state.tables.rootAt(stream, version, signal);
    return root?.stateRoot.slice(0, 8) ?? new Uint8Array(8);
  }

  #head(stream: StreamId, name: string): Uint8Array {
    return concatBytes(this.#state.tables.idOf(stream), escaped(utf8Bytes(name)));
  }
}

/** Where a range of fields begins or ends among the keys of an index. */
function bound(value: FieldValue | undefined, side: 'from' | 'through'): Uint8Array | undefined {
  const field = value === undefined ? undefined : encodeField(value);
  if (field === undefined) return undefined;
  const bytes = escaped(field);
  if (side === 'from') return bytes;
  return concatBytes(bytes.subarray(0, bytes.length - 1), Uint8Array.of(1)); // behind 00 00, before 00 ff
}

function encodeState({ definition, from, through, mark }: IndexState): Uint8Array {
  const bytes = new Uint8Array(32);
  for (const [at, value] of [definition, from, through].entries())
    writeSafeU64(viewOf(bytes), at * 8, value);
  bytes.set(mark, 24);
  return bytes;
}

/** `undefined` for what is none: the index is made anew then. */
function decodeState(bytes: Uint8Array): IndexState | undefined {
  if (bytes.length !== 32) return undefined;
  const view = viewOf(bytes);
  return {
    definition: readSafeU64(view, 0),
    from: readSafeU64(view, 8),
    through: readSafeU64(view, 16),
    mark: bytes.slice(24),
  };
}

/** The stream in the key of an index's state: generation, letter, stream, name. */
function streamOfStateKey(key: Uint8Array): StreamId {
  return streamIdOf(key.subarray(5, 5 + STREAM_ID_BYTES));
}
