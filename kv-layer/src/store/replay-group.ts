import { type Address, fromHex } from '@cairn/primitives';
import type { AccessOp } from '../batch/access-op.ts';
import type { StreamKey } from '../batch/stream-batch.ts';
import { type TextedKey, textOfKey } from '../key-text.ts';
import type { ReplayView } from '../replay/replay-batch.ts';
import { isGrant, ROLE, type RoleSlot } from '../replay/role.ts';
import type { StreamId } from '../stream-id.ts';
import type { StateTree } from '../tree/state-tree.ts';
import type { TreePage } from '../tree/tree-page.ts';
import { ByteArena } from './byte-arena.ts';
import { TABLE, type Table } from './keyspace.ts';
import { opOfRow, roleKey } from './role-row.ts';
import { decodeRow, versionOfRecord } from './row.ts';
import type { RowName, StateTables } from './state-tables.ts';

/** The newest row of a key in memory while a group is replayed. */
export interface HeldRow {
  /** Its key in the store. */
  readonly stored: Uint8Array;
  /** As it is stored; `undefined` if there is none. */
  record: Uint8Array | undefined;
  /** The record's; 0 without one. */
  version: number;
  isChanged: boolean;
  /** Where it is in its tree, once that was loaded. */
  page: TreePage | undefined;
}

interface HeldCount {
  readonly stream: StreamId;
  readonly account: Address;
  count: number;
  isChanged: boolean;
}

/**
 * The state while a group of entries is replayed: what was loaded, and on top what the group's
 * earlier entries changed. Loading waits; asking does not.
 */
export class ReplayGroup implements ReplayView {
  readonly #tables: StateTables;
  /** By table, stream and key, each by itself: a text of all three would be made anew each time. */
  readonly #rows: readonly Map<StreamId, Map<string, HeldRow>>[] = [new Map(), new Map()];
  readonly #arena = new ByteArena();
  readonly #counts = new Map<string, HeldCount>();
  readonly #isNew: (stream: StreamId) => boolean;

  /** @param isNew - of streams, with what this group committed */
  constructor(tables: StateTables, isNew: (stream: StreamId) => boolean) {
    this.#tables = tables;
    this.#isNew = isNew;
  }

  /** Loads rows that are not held yet. */
  async load(names: readonly RowName[]): Promise<void> {
    const missing: HeldRow[] = [];
    for (const name of names) {
      const rows = this.#rowsOf(name);
      const text = textOfKey(name);
      if (rows.has(text)) continue;
      const held = this.#newRow(name);
      rows.set(text, held);
      missing.push(held);
    }
    await this.#fill(missing);
  }

  /**
   * Loads rows that are to be changed, and the pages of their tree: only keys that the tree has are
   * looked up.
   *
   * @param names - of one table and stream, each with the key's own text
   */
  async loadForChange(
    { table, stream }: Pick<RowName, 'table' | 'stream'>,
    names: readonly TextedKey[],
    tree: StateTree,
  ): Promise<void> {
    const rows = this.#rowsOf({ table, stream });
    const unplaced = names.filter((name) => rows.get(textOfKey(name))?.page === undefined);
    const places = await tree.preload(unplaced.map(({ key }) => key));
    const missing: HeldRow[] = [];
    for (let index = 0; index < unplaced.length; index += 1) {
      const [name, place] = [unplaced[index], places[index]];
      if (name === undefined || place === undefined) continue;
      const text = textOfKey(name);
      let held = rows.get(text);
      if (held === undefined) {
        held = this.#newRow({ table, stream, key: name.key });
        rows.set(text, held);
        if (place.isThere) missing.push(held);
      }
      held.page = place.page;
    }
    await this.#fill(missing);
  }

  /** Loads how many keys accounts are special writers of. */
  async loadCounts(pairs: readonly { stream: StreamId; account: Address }[]): Promise<void> {
    for (const { stream, account } of pairs) {
      const text = stream + account;
      if (this.#counts.has(text)) continue;
      const count = await this.#tables.specialWriterCount(stream, fromHex(account));
      this.#counts.set(text, { stream, account, count, isChanged: false });
    }
  }

  isNew(stream: StreamId): boolean {
    return this.#isNew(stream);
  }

  latestVersion(name: StreamKey & TextedKey): number {
    return this.held(TABLE.keys, name).version;
  }

  roleOf(stream: StreamId, slot: RoleSlot): AccessOp | undefined {
    return opOfRecord(this.held(TABLE.roles, { stream, key: roleKey(slot) }).record);
  }

  writesAnyKey(stream: StreamId, account: Address): boolean {
    const held = this.#counts.get(stream + account);
    if (held === undefined) throw new RangeError('the count of special keys was not loaded');
    return held.count > 0;
  }

  /** The newest row of a name that was loaded. */
  held(table: Table, name: StreamKey & TextedKey): HeldRow {
    const held = this.#rowsOf({ table, stream: name.stream }).get(textOfKey(name));
    if (held === undefined) throw new RangeError('a row was asked for that was not loaded');
    return held;
  }

  /** Keeps count of special writers as a role's record changes. The count was loaded. */
  recount(
    { stream, slot }: { stream: StreamId; slot: RoleSlot },
    before: Uint8Array | undefined,
    after: Uint8Array | undefined,
  ): void {
    if (slot.kind !== ROLE.specialWriter) return;
    const difference = Number(isGrant(opOfRecord(after))) - Number(isGrant(opOfRecord(before)));
    const held = this.#counts.get(stream + slot.account);
    if (held === undefined) throw new RangeError('the count of special keys was not loaded');
    if (difference === 0) return;
    held.count += difference;
    held.isChanged = true;
  }

  /** Rows that differ from the stored ones; without a record: those that are no more. */
  eachChangedRow(visit: (held: HeldRow) => void): void {
    for (const streams of this.#rows) {
      for (const rows of streams.values()) {
        for (const held of rows.values()) if (held.isChanged) visit(held);
      }
    }
  }

  *changedCounts(): Generator<HeldCount> {
    for (const held of this.#counts.values()) if (held.isChanged) yield held;
  }

  #newRow(name: RowName): HeldRow {
    const stored = this.#tables.latestKeyIn(this.#arena, name);
    return { stored, record: undefined, version: 0, isChanged: false, page: undefined };
  }

  async #fill(missing: readonly HeldRow[]): Promise<void> {
    if (missing.length === 0) return;
    const records = await this.#tables.records(missing.map(({ stored }) => stored));
    for (const [index, held] of missing.entries()) {
      const record = records[index];
      if (record === undefined) continue;
      held.record = record;
      held.version = versionOfRecord(record);
    }
  }

  #rowsOf({ table, stream }: Pick<RowName, 'table' | 'stream'>): Map<string, HeldRow> {
    const streams = this.#rows[table];
    const known = streams?.get(stream);
    if (known !== undefined) return known;
    const rows = new Map<string, HeldRow>();
    streams?.set(stream, rows);
    return rows;
  }
}

function opOfRecord(record: Uint8Array | undefined): AccessOp | undefined {
  return record === undefined ? undefined : opOfRow(decodeRow(record));
}
