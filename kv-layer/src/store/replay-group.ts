import { type Address, fromHex } from '@cairn/primitives';
import type { AccessOp } from '../batch/access-op.ts';
import { keyText } from '../key-text.ts';
import type { ReplayView } from '../replay/replay-batch.ts';
import { isGrant, ROLE, type RoleSlot } from '../replay/role.ts';
import type { StreamId } from '../stream-id.ts';
import { TABLE } from './keyspace.ts';
import { opOfRow, roleKey } from './role-row.ts';
import type { Row } from './row.ts';
import type { RowName, StateTables } from './state-tables.ts';

/** A row in memory while a group is replayed. */
interface HeldRow {
  readonly name: RowName;
  row: Row | undefined;
  isChanged: boolean;
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
      const text = keyText(name.key);
      if (rows.has(text)) continue;
      const held = { name, row: undefined, isChanged: false };
      rows.set(text, held);
      missing.push(held);
    }
    if (missing.length === 0) return;
    const rows = await this.#tables.latestRows(missing.map(({ name }) => name));
    for (const [index, held] of missing.entries()) held.row = rows[index];
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

  latestVersion(stream: StreamId, key: Uint8Array): number {
    return this.held({ table: TABLE.keys, stream, key })?.version ?? 0;
  }

  roleOf(stream: StreamId, slot: RoleSlot): AccessOp | undefined {
    return opOfRow(this.held({ table: TABLE.roles, stream, key: roleKey(slot) }));
  }

  writesAnyKey(stream: StreamId, account: Address): boolean {
    const held = this.#counts.get(stream + account);
    if (held === undefined) throw new RangeError('the count of special keys was not loaded');
    return held.count > 0;
  }

  /** The newest row of a name that was loaded. */
  held(name: RowName): Row | undefined {
    return this.#heldOf(name).row;
  }

  /** Puts a row in the place of the one held, or takes it away. @returns what was there */
  replace(name: RowName, row: Row | undefined): Row | undefined {
    const held = this.#heldOf(name);
    const before = held.row;
    held.row = row;
    held.isChanged = true;
    return before;
  }

  /** Keeps count of special writers as a role's row changes. The count was loaded. */
  recount(
    { stream, slot }: { stream: StreamId; slot: RoleSlot },
    before: Row | undefined,
    after: Row | undefined,
  ): void {
    if (slot.kind !== ROLE.specialWriter) return;
    const difference = Number(isGrant(opOfRow(after))) - Number(isGrant(opOfRow(before)));
    const held = this.#counts.get(stream + slot.account);
    if (held === undefined) throw new RangeError('the count of special keys was not loaded');
    if (difference === 0) return;
    held.count += difference;
    held.isChanged = true;
  }

  /** Rows that differ from the stored ones; `undefined` for those that are no more. */
  *changedRows(): Generator<readonly [RowName, Row | undefined]> {
    for (const rows of this.#rows.flatMap((streams) => [...streams.values()])) {
      for (const { name, row, isChanged } of rows.values()) if (isChanged) yield [name, row];
    }
  }

  *changedCounts(): Generator<HeldCount> {
    for (const held of this.#counts.values()) if (held.isChanged) yield held;
  }

  #heldOf(name: RowName): HeldRow {
    const held = this.#rowsOf(name).get(keyText(name.key));
    if (held === undefined) throw new RangeError('a row was asked for that was not loaded');
    return held;
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
