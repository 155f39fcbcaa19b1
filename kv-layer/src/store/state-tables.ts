import { compareBytes, type KeyRange, type KeyValueStore } from '@cairn/primitives';
import type { RoleSlot, RoleView } from '../replay/role.ts';
import { isGrant, ROLE } from '../replay/role.ts';
import { type StreamId, streamIdBytes } from '../stream-id.ts';
import type { PageStore } from '../tree/state-tree.ts';
import type { ByteArena } from './byte-arena.ts';
import {
  KEY,
  type Keyspace,
  LATEST_HEAD_BYTES,
  TABLE,
  TABLE_FIELD,
  type Table,
} from './keyspace.ts';
import {
  type ChangedRow,
  decodeChanges,
  decodeProgress,
  decodeRoot,
  type Progress,
  type RootRecord,
} from './records.ts';
import { opOfRow, roleKey } from './role-row.ts';
import { decodeRow, type Row } from './row.ts';
import type { UnreadSubtrees } from './unread-subtrees.ts';

/** Keys that one call of the store looks up. */
const LOOKUPS_PER_CALL = 10_000;
/** Rows fetched first when only one may be needed; eight times as many each time after. */
const FIRST_ROWS = 4;
const MAX_ROWS = 1024;
/** Stream ids kept as bytes. */
const MAX_KEPT_IDS = 4096;

/** A row's place: in a table of a stream. */
export interface RowName {
  readonly table: Table;
  readonly stream: StreamId;
  readonly key: Uint8Array;
  /** `keyText` of the key once somebody needed it. */
  text?: string | undefined;
}

/** The roots of a stream and the entry they are of. */
export interface StreamRoot extends RootRecord {
  readonly sequence: number;
}

/** Which rows to walk through, in the order of their keys. */
export interface RowRange {
  /** The first key; from the beginning unless told. */
  readonly from?: Uint8Array;
  /** The key before which to end; at the end unless told. */
  readonly to?: Uint8Array;
  readonly reverse?: boolean;
}

/** Looks things up in the stored state, as of any version. Knows no order of replay. */
export class StateTables {
  readonly kv: KeyValueStore;
  readonly keys: Keyspace;

  /** Ids as bytes, of the streams asked for last. */
  readonly #ids = new Map<StreamId, Uint8Array>();

  readonly #unread: UnreadSubtrees | undefined;

  /** @param unread - what has to be read before it is looked up; nothing unless told */
  constructor(kv: KeyValueStore, keys: Keyspace, unread?: UnreadSubtrees) {
    this.kv = kv;
    this.keys = keys;
    this.#unread = unread;
  }

  /** A stream's 32 bytes, not to be changed: kept, since every row's key has them. */
  idOf(stream: StreamId): Uint8Array {
    const known = this.#ids.get(stream);
    if (known !== undefined) return known;
    if (this.#ids.size >= MAX_KEPT_IDS) this.#ids.clear();
    const bytes = streamIdBytes(stream);
    this.#ids.set(stream, bytes);
    return bytes;
  }

  /** @throws {StateError} KV_STATE_DAMAGED */
  async progress(): Promise<Progress | undefined> {
    const bytes = await this.kv.get(this.keys.key(KEY.progress));
    return bytes === undefined ? undefined : decodeProgress(bytes);
  }

  /** Where the newest row of a key is stored, as a part of an arena. */
  latestKeyIn(arena: ByteArena, { table, stream, key }: RowName): Uint8Array {
    const fields = [TABLE_FIELD[table], this.idOf(stream), key];
    return this.keys.keyIn(arena, KEY.latest, fields);
  }

  /** What is stored under keys of newest rows, in order. */
  async records(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    await this.#unread?.readyStored(keys);
    return this.#getMany(keys);
  }

  /** The row of a key at a version. */
  async rowAt(name: RowName, version: number, signal: AbortSignal): Promise<Row | undefined> {
    const stream = this.idOf(name.stream);
    const wait = this.#ready(name);
    if (wait !== undefined) {
      await wait;
      signal.throwIfAborted(); // whoever looks many keys up may have left meanwhile
    }
    const record = await this.kv.get(this.keys.latest(name.table, stream, name.key));
    if (record === undefined) return undefined;
    const row = decodeRow(record);
    return row.version <= version ? row : this.#olderRow(name, version, signal);
  }

  /** `rowAt` if the store can tell without waiting and the newest row is old enough, else `null`. */
  rowNow(name: RowName, version: number): Row | undefined | null {
    if (this.#unread !== undefined && this.#unread.left > 0) return null;
    const stored = this.keys.latest(name.table, this.idOf(name.stream), name.key);
    const record = this.kv.getNow === undefined ? null : this.kv.getNow(stored);
    if (record === null || record === undefined) return record;
    const row = decodeRow(record);
    return row.version <= version ? row : null;
  }

  /** Rows of a key at a version and before, newest first. */
  async *rowsBefore(name: RowName, version: number, signal: AbortSignal): AsyncGenerator<Row> {
    const { table, stream, key } = name;
    const bytes = this.idOf(stream);
    await this.#ready(name);
    const record = await this.kv.get(this.keys.latest(table, bytes, key));
    if (record === undefined) return;
    const row = decodeRow(record);
    if (row.version <= version) yield row;
    const range = this.keys.historyUpTo(table, bytes, key, version);
    for await (const [, value] of this.kv.entries(range, { signal })) yield decodeRow(value);
  }

  /**
   * The rows of a table at a version, in the order of their keys: deletions too, and keys that are
   * newer than the version as `undefined`, so that whoever walks can count its steps.
   */
  async *walk(
    { table, stream }: Pick<RowName, 'table' | 'stream'>,
    { from, to, reverse = false }: RowRange,
    { version, signal }: { readonly version: number; readonly signal: AbortSignal },
  ): AsyncGenerator<readonly [key: Uint8Array, row: Row | undefined]> {
    const head = this.keys.latest(table, this.idOf(stream), new Uint8Array(0));
    const whole = this.keys.range(KEY.latest, head.subarray(5));
    let [low, high] = [from, to];
    for (let limit = FIRST_ROWS; ; limit = Math.min(limit * 8, MAX_ROWS)) {
      let count = 0;
      let last: Uint8Array | undefined;
      const known = await this.#readyFrom({ table, stream }, reverse ? high : low, reverse);
      const isCut = known !== undefined && isBetween(known, low, high);
      const gte = reverse && isCut ? known : low;
      const lt = !reverse && isCut ? known : high;
      const range: KeyRange = {
        ...whole,
        ...(gte === undefined ? {} : { gte: join(head, gte) }),
        ...(lt === undefined ? {} : { lt: join(head, lt) }),
        reverse,
        limit,
      };
      for await (const [stored, record] of this.kv.entries(range, { signal })) {
        const key = stored.slice(LATEST_HEAD_BYTES);
        const newest = decodeRow(record);
        const row =
          newest.version <= version
            ? newest
            : await this.#olderRow({ table, stream, key }, version, signal);
        yield [key, row];
        last = key;
        count += 1;
      }
      if (count === limit && last !== undefined) {
        if (reverse) high = last;
        else low = join(last, Uint8Array.of(0));
      } else if (!isCut) return;
      else if (reverse) high = known;
      else low = known;
    }
  }

  /** The roots of a stream at a version; `undefined` before its first committed entry. */
  async rootAt(
    stream: StreamId,
    version: number,
    signal: AbortSignal,
  ): Promise<StreamRoot | undefined> {
    const bytes = this.idOf(stream);
    const { gte } = this.keys.range(KEY.root, bytes);
    const lt = this.keys.key(KEY.root, bytes, Math.min(version + 1, Number.MAX_SAFE_INTEGER));
    const range: KeyRange = { ...(gte === undefined ? {} : { gte }), lt, reverse: true, limit: 1 };
    for await (const [key, value] of this.kv.entries(range, { signal })) {
      return { ...decodeRoot(value), sequence: lastNumber(key) };
    }
    return undefined;
  }

  /** Entries after `after`, up to `through`, that committed to a stream, ascending. */
  async *rootsBetween(
    stream: StreamId,
    { after, through }: { readonly after: number; readonly through: number },
    signal: AbortSignal,
  ): AsyncGenerator<StreamRoot> {
    const bytes = this.idOf(stream);
    const range = {
      gte: this.keys.key(KEY.root, bytes, after + 1),
      lt: this.keys.key(KEY.root, bytes, Math.min(through + 1, Number.MAX_SAFE_INTEGER)),
    };
    for await (const [key, value] of this.kv.entries(range, { signal })) {
      yield { ...decodeRoot(value), sequence: lastNumber(key) };
    }
  }

  /** What a committed entry changed; nothing for others. */
  async *changesOf(sequence: number, signal: AbortSignal): AsyncGenerator<ChangedRow> {
    const range = this.keys.range(KEY.changes, numberBytes(sequence));
    for await (const [, part] of this.kv.entries(range, { signal })) yield* decodeChanges(part);
  }

  /** The topmost page of a stored tree; `undefined` of an empty one. */
  treeTop(table: Table, stream: StreamId): Promise<Uint8Array | undefined> {
    return this.kv.get(this.keys.key(KEY.treeRoot, Uint8Array.of(table), this.idOf(stream)));
  }

  /** Where the pages of a tree are kept. */
  pageStore(table: Table, stream: StreamId): PageStore {
    const head = [Uint8Array.of(table), this.idOf(stream)];
    return {
      pages: async (names) => {
        if (table === TABLE.keys) await this.#unread?.readyPages(stream, names);
        return this.#getMany(names.map((name) => this.keys.key(KEY.treePage, ...head, name)));
      },
      paths: (hashes) =>
        this.#getMany(hashes.map((hash) => this.keys.key(KEY.treePath, ...head, hash))),
    };
  }

  /** Keys that an account is special writer of, as of now. */
  async specialWriterCount(stream: StreamId, account: Uint8Array): Promise<number> {
    const key = this.keys.key(KEY.specialWriter, this.idOf(stream), account);
    const bytes = await this.kv.get(key);
    return bytes === undefined ? 0 : numberOf(bytes);
  }

  /**
   * Access rules at a version: answers about the slots that were loaded, and about `stream` only.
   *
   * @param slots - of `stream`
   */
  async roleView(
    stream: StreamId,
    slots: readonly RoleSlot[],
    { version, signal }: { readonly version: number; readonly signal: AbortSignal },
  ): Promise<RoleView> {
    const root = await this.rootAt(stream, version, signal);
    const ops = new Map<string, ReturnType<typeof opOfRow>>();
    const nameOf = (slot: RoleSlot): string => roleKey(slot).join();
    for (const slot of slots) {
      const key = roleKey(slot);
      ops.set(
        nameOf(slot),
        opOfRow(await this.rowAt({ table: TABLE.roles, stream, key }, version, signal)),
      );
    }
    return {
      isNew: () => root === undefined,
      roleOf: (_, slot) => ops.get(nameOf(slot)),
      writesAnyKey: () =>
        slots.some((slot) => slot.kind === ROLE.specialWriter && isGrant(ops.get(nameOf(slot)))),
    };
  }

  /** Reads what is needed to look a row up; `undefined` if nothing is. */
  #ready({ table, stream, key }: RowName): Promise<void> | undefined {
    return table === TABLE.keys ? this.#unread?.ready(stream, key) : undefined;
  }

  #readyFrom(
    { table, stream }: Pick<RowName, 'table' | 'stream'>,
    from: Uint8Array | undefined,
    isReverse: boolean,
  ): Promise<Uint8Array | undefined> | undefined {
    return table === TABLE.keys ? this.#unread?.readyFrom(stream, from, isReverse) : undefined;
  }

  async #olderRow(
    { table, stream, key }: RowName,
    version: number,
    signal: AbortSignal,
  ): Promise<Row | undefined> {
    const range = {
      ...this.keys.historyUpTo(table, this.idOf(stream), key, version),
      limit: 1,
    };
    for await (const [, value] of this.kv.entries(range, { signal })) return decodeRow(value);
    return undefined;
  }

  async #getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    if (keys.length <= LOOKUPS_PER_CALL) return keys.length === 0 ? [] : this.kv.getMany(keys);
    const found: (Uint8Array | undefined)[] = [];
    for (let first = 0; first < keys.length; first += LOOKUPS_PER_CALL) {
      found.push(...(await this.kv.getMany(keys.slice(first, first + LOOKUPS_PER_CALL))));
    }
    return found;
  }
}

/** The number in the last 8 bytes of a key. */
export function lastNumber(key: Uint8Array): number {
  return numberOf(key.subarray(key.length - 8));
}

function numberOf(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return value;
}

function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  let rest = value;
  for (let at = 7; at >= 0; at -= 1) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

/** Whether a key is behind `low`, if there is one, and before `high`. */
function isBetween(
  key: Uint8Array,
  low: Uint8Array | undefined,
  high: Uint8Array | undefined,
): boolean {
  if (low !== undefined && compareBytes(key, low) <= 0) return false;
  return high === undefined || compareBytes(key, high) < 0;
}

function join(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}
