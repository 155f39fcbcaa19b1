import type { Hasher } from '@cairn/commitments';
import {
  type FileStore,
  fromHex,
  type KeyValueWrite,
  type Sequence,
  utf8Bytes,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import type { BatchSource } from '../batch/stream-batch.ts';
import type { RoleChange } from '../replay/fold-controls.ts';
import type { StateChange } from '../replay/replay-batch.ts';
import type { StreamId } from '../stream-id.ts';
import { HASH_WORDS, wordsOf } from '../tree/copy-hash.ts';
import { bytesDigests, EMPTY_HASH, stateRootOf, wholeParts } from '../tree/digests.ts';
import type { StateTree } from '../tree/state-tree.ts';
import { MAX_PAGE_PATH_BYTES } from '../tree/tree-page.ts';
import { KEY, TABLE, type Table } from './keyspace.ts';
import {
  type ChangedRow,
  encodeChanges,
  encodeProgress,
  encodeRoot,
  type Progress,
  type RootRecord,
} from './records.ts';
import type { ReplayGroup } from './replay-group.ts';
import { roleKey, roleValue } from './role-row.ts';
import { encodeRow, recordLeafHashes } from './row.ts';
import type { StateTables } from './state-tables.ts';
import type { StateTrees } from './state-trees.ts';
import { ValueWriter } from './value-writer.ts';

/** What changes are made with. */
export interface ChangeDeps {
  readonly tables: StateTables;
  readonly trees: StateTrees;
  readonly values: FileStore;
  readonly hasher: Hasher;
  readonly domain: Uint8Array;
}

/** The new root of a stream. */
export interface NewRoot {
  readonly stream: StreamId;
  readonly stateRoot: Uint8Array;
}

/** Rows of one table that an entry writes: in columns, and in the order of the batch. */
interface NewRows {
  readonly table: Table;
  readonly names: readonly { readonly stream: StreamId; readonly key: Uint8Array }[];
  readonly records: readonly Uint8Array[];
  /** Of the leaves, one after another. */
  readonly hashes: Uint8Array;
}

/** What a group of entries changes, gathered until it is stored as one batch. */
export class GroupChanges {
  /** Of every stream that has any, with what was committed. */
  readonly roots: Map<StreamId, RootRecord>;
  readonly #deps: ChangeDeps;
  readonly #group: ReplayGroup;
  readonly #values: ValueWriter;
  readonly #writes: KeyValueWrite[] = [];

  /** @param valueBytes - of the value file in use */
  constructor(
    deps: ChangeDeps,
    group: ReplayGroup,
    roots: Map<StreamId, RootRecord>,
    valueBytes: number,
  ) {
    this.roots = roots;
    this.#deps = deps;
    this.#group = group;
    this.#values = new ValueWriter(deps.values, deps.hasher, valueBytes);
  }

  noteResult(sequence: Sequence, result: string): void {
    this.#put(this.#deps.tables.keys.key(KEY.result, sequence), utf8Bytes(result));
  }

  /** Notes the chain's time from an entry on. */
  noteTime(sequence: Sequence, timeSeconds: number): void {
    this.#put(this.#deps.tables.keys.key(KEY.time, sequence), u64(timeSeconds));
  }

  /** Makes the changes of a committed entry. Their rows and places were loaded. */
  async commit(
    sequence: Sequence,
    { writes, roles }: StateChange,
    source: BatchSource,
    signal: AbortSignal,
  ): Promise<readonly NewRoot[]> {
    const { hasher, tables } = this.#deps;
    const changes: ChangedRow[] = [];
    const touched = new Map<StreamId, { keys: number; roles: number }>();
    const records = await this.#values.recordsOf(writes, source, { version: sequence, signal });
    const hashes = recordLeafHashes(wholeParts(writes.map(({ key }) => key)), records, hasher);
    await this.#set(
      sequence,
      { table: TABLE.keys, names: writes, records, hashes },
      { changes, touched },
    );
    if (roles.length > 0) {
      await this.#set(sequence, this.#roleRows(sequence, roles), { changes, touched });
    }
    for (const [part, value] of encodeChanges(changes).entries()) {
      const place = Uint8Array.of(0, 0, part >> 8, part & 255);
      this.#put(tables.keys.key(KEY.changes, sequence, place), value);
    }
    const roots: NewRoot[] = [];
    for (const [stream, added] of touched) {
      roots.push({ stream, stateRoot: await this.#noteRoot(sequence, stream, added) });
    }
    return roots;
  }

  /** Stores everything, synced. @returns progress with what the values take */
  async store(progress: Progress): Promise<Progress> {
    const { tables, trees } = this.#deps;
    const { keys, kv } = tables;
    await this.#values.sync();
    const stored = { ...progress, valueBytes: this.#values.end };
    this.#group.eachChangedRow(({ stored: key, record }) => {
      if (record !== undefined) this.#put(key, record);
    });
    for (const { stream, account, count } of this.#group.changedCounts()) {
      const key = keys.key(KEY.specialWriter, tables.idOf(stream), fromHex(account));
      this.#put(key, u64(count));
    }
    for (const write of trees.writes()) this.#writes.push(write);
    this.#put(keys.key(KEY.progress), encodeProgress(stored));
    await kv.write(this.#writes, { sync: true });
    trees.settle();
    return stored;
  }

  #put(key: Uint8Array, value: Uint8Array): void {
    this.#writes.push({ type: 'put', key, value });
  }

  #roleRows(sequence: Sequence, roles: readonly RoleChange[]): NewRows & RoleRows {
    const { hasher } = this.#deps;
    const names = roles.map(({ stream, slot }) => ({ stream, key: roleKey(slot) }));
    const values = roles.map(({ op, operator }) => roleValue(op, operator));
    const digests = bytesDigests(values, hasher);
    const records = values.map((inline, index) =>
      encodeRow({
        version: sequence,
        valueOffset: 0,
        valueBytes: inline.length,
        valueDigest: digests[index] ?? EMPTY_HASH,
        inline,
      }),
    );
    const hashes = recordLeafHashes(wholeParts(names.map(({ key }) => key)), records, hasher);
    return { table: TABLE.roles, names, records, hashes, roles };
  }

  /** Puts rows in the place of those held, and their leaves into the trees. */
  async #set(
    sequence: Sequence,
    { table, names, records, hashes, roles }: NewRows & Partial<RoleRows>,
    {
      changes,
      touched,
    }: {
      readonly changes: ChangedRow[];
      readonly touched: Map<StreamId, { keys: number; roles: number }>;
    },
  ): Promise<void> {
    const { tables, trees } = this.#deps;
    const leaf = { hashes: wordsOf(hashes), at: 0 };
    let stream: StreamId | undefined;
    let tree: StateTree | undefined;
    let counts = { keys: 0, roles: 0 };
    for (let index = 0; index < names.length; index += 1) {
      const [name, record] = [names[index], records[index]];
      if (name === undefined || record === undefined) continue;
      if (tree === undefined || name.stream !== stream) {
        ({ stream } = name);
        tree = await trees.tree(table, stream);
        counts = touched.get(stream) ?? { keys: 0, roles: 0 };
        touched.set(stream, counts);
      }
      // A long key stays in memory with its tree: not as a part of the whole batch's bytes.
      const key = name.key.length > MAX_PAGE_PATH_BYTES ? name.key.slice() : name.key;
      const held = this.#group.held(table, name);
      const { record: before, version } = held;
      if (before !== undefined) {
        const id = tables.idOf(name.stream);
        this.#put(tables.keys.history(table, id, key, version), before);
      }
      held.record = record;
      held.version = sequence;
      held.isChanged = true;
      changes.push({
        table,
        stream: name.stream,
        key,
        before: before === undefined ? undefined : version,
      });
      leaf.at = index * HASH_WORDS;
      const isNew = tree.setFrom(key, leaf, held.page);
      if (isNew) counts[table === TABLE.keys ? 'keys' : 'roles'] += 1;
      const role = roles?.[index];
      if (role !== undefined) this.#group.recount(role, before, record);
    }
  }

  async #noteRoot(
    sequence: Sequence,
    stream: StreamId,
    added: { readonly keys: number; readonly roles: number },
  ): Promise<Uint8Array> {
    const { hasher, tables, trees, domain } = this.#deps;
    const before = this.roots.get(stream);
    const keysRoot = (await trees.tree(TABLE.keys, stream)).hash();
    const rolesRoot = (await trees.tree(TABLE.roles, stream)).hash();
    const keyCount = (before?.keyCount ?? 0) + added.keys;
    const roleCount = (before?.roleCount ?? 0) + added.roles;
    const id = tables.idOf(stream);
    const parts = { domain, stream: id, keysRoot, rolesRoot, keyCount, roleCount };
    const stateRoot = stateRootOf(parts, hasher);
    const record = { stateRoot, keysRoot, rolesRoot, keyCount, roleCount };
    this.roots.set(stream, record);
    this.#put(tables.keys.key(KEY.root, id, sequence), encodeRoot(record));
    return stateRoot;
  }
}

interface RoleRows {
  readonly roles: readonly RoleChange[];
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeSafeU64(viewOf(bytes), 0, value);
  return bytes;
}
