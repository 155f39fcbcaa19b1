import type { Hasher } from '@cairn/commitments';
import { type KeyValueWrite, keccak256, MAX_TREE_CACHE_BYTES } from '@cairn/primitives';
import { type StreamId, streamIdBytes } from '../stream-id.ts';
import { longPaths, StateTree } from '../tree/state-tree.ts';
import { encodePage, pageName } from '../tree/tree-page.ts';
import { KEY, type Table } from './keyspace.ts';
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
    const root = await this.#tables.treeRoot(table, stream);
    return new StateTree(this.#tables.pageStore(table, stream), this.#hasher, root);
  }

  /** What must be written for all trees to be stored as they are. Their hashes are computed. */
  *writes(): Generator<KeyValueWrite> {
    const { keys } = this.#tables;
    for (const { table, stream, tree } of this.#open.values()) {
      const { changes, root } = tree;
      if (changes.size === 0 && !tree.isRootChanged) continue;
      const head = [Uint8Array.of(table), streamIdBytes(stream)];
      const rootKey = keys.key(KEY.treeRoot, ...head);
      if (root === undefined) yield { type: 'delete', key: rootKey };
      else yield { type: 'put', key: rootKey, value: this.#tables.encodeTreeRoot(root) };
      for (const path of longPaths(changes, root)) {
        yield { type: 'put', key: keys.key(KEY.treePath, ...head, keccak256(path)), value: path };
      }
      for (const change of changes.values()) {
        const key = keys.key(KEY.treePage, ...head, pageName(change));
        if (change.page === undefined) yield { type: 'delete', key };
        else yield { type: 'put', key, value: encodePage(change.page) };
      }
    }
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
