import type { Hasher } from '@cairn/commitments';
import { type KeyValueWrite, MAX_TREE_CACHE_BYTES } from '@cairn/primitives';
import { type StreamId, streamIdBytes } from '../stream-id.ts';
import { StateTree } from '../tree/state-tree.ts';
import { ByteArena } from './byte-arena.ts';
import { KEY, TABLE_FIELD, type Table } from './keyspace.ts';
import type { StateTables } from './state-tables.ts';

/** Trees that stay open between groups; others are opened again when they are needed. */
const MAX_OPEN_TREES = 1024;

interface OpenTree {
  readonly table: Table;
  readonly stream: StreamId;
  readonly tree: StateTree;
}

/** The trees of all streams, with what is in memory of them. */
export class StateTrees {
  readonly #tables: StateTables;
  readonly #hasher: Hasher;
  readonly #open = new Map<string, OpenTree>();

  constructor(tables: StateTables, hasher: Hasher) {
    this.#tables = tables;
    this.#hasher = hasher;
  }

  /** A tree as it is with everything changed so far. @throws {StateError} KV_STATE_DAMAGED */
  async tree(table: Table, stream: StreamId): Promise<StateTree> {
    const name = `${table}${stream}`;
    const known = this.#open.get(name);
    if (known !== undefined) {
      this.#open.delete(name); // the one used last goes to the end
      this.#open.set(name, known);
      return known.tree;
    }
    const tree = await this.stored(table, stream);
    this.#open.set(name, { table, stream, tree });
    return tree;
  }

  /** A tree as it is stored, that nobody else changes. */
  async stored(table: Table, stream: StreamId): Promise<StateTree> {
    const top = await this.#tables.treeTop(table, stream);
    return new StateTree(this.#tables.pageStore(table, stream), this.#hasher, top);
  }

  /** What must be written for all trees to be stored as they are. Their hashes are computed. */
  writes(): KeyValueWrite[] {
    const { keys } = this.#tables;
    const arena = new ByteArena();
    const writes: KeyValueWrite[] = [];
    for (const { table, stream, tree } of this.#open.values()) {
      if (!tree.isChanged) continue;
      const { top } = tree;
      const [table8, id] = [TABLE_FIELD[table], streamIdBytes(stream)];
      const rootKey = keys.key(KEY.treeRoot, table8, id);
      if (top.count === 0) writes.push({ type: 'delete', key: rootKey });
      else writes.push({ type: 'put', key: rootKey, value: top.bytes });
      for (const { name, path } of tree.takeUnsavedPaths()) {
        writes.push({ type: 'put', key: keys.key(KEY.treePath, table8, id, name), value: path });
      }
      // Dropped first: a page may have come back under its name.
      for (const name of tree.dropped) {
        writes.push({ type: 'delete', key: keys.key(KEY.treePage, table8, id, name) });
      }
      for (const page of tree.changed) {
        const key = keys.keyIn(arena, KEY.treePage, [table8, id, tree.nameOf(page)]);
        const value = arena.take(page.storedBytes);
        page.write(value, 0);
        writes.push({ type: 'put', key, value });
      }
    }
    return writes;
  }

  /** Takes everything as stored, and gives up memory beyond the bound. */
  settle(): void {
    let weight = 0;
    for (const { tree } of this.#open.values()) weight += tree.weight;
    const share =
      weight <= MAX_TREE_CACHE_BYTES
        ? Number.POSITIVE_INFINITY
        : MAX_TREE_CACHE_BYTES / this.#open.size;
    for (const { tree } of this.#open.values()) tree.settle(share);
    for (const name of this.#open.keys()) {
      if (this.#open.size <= MAX_OPEN_TREES) break;
      this.#open.delete(name);
    }
  }

  /** Forgets what is in memory: it is not what is stored. */
  forget(): void {
    this.#open.clear();
  }
}
