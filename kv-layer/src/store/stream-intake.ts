import { HASH_BYTES, type Hasher } from '@cairn/commitments';
import { type FileStore, type KeyValueWrite, readSafeU64, viewOf } from '@cairn/primitives';
import { isGrant, ROLE } from '../replay/role.ts';
import { type StreamId, streamIdBytes } from '../stream-id.ts';
import { HASH_WORDS, wordsOf } from '../tree/copy-hash.ts';
import { DIGEST_PIECE_BYTES, piecesDigest, wholeParts } from '../tree/digests.ts';
import { SortedTree } from '../tree/sorted-tree.ts';
import { HeldPages } from './held-pages.ts';
import { KEY, TABLE, TABLE_FIELD, type Table } from './keyspace.ts';
import { opOfRow, slotOfKey } from './role-row.ts';
import { decodeRow, encodeRow, recordLeafHashes } from './row.ts';
import { MARK, ROW_HEAD_BYTES, SUBTREE, SUBTREE_HEAD_BYTES } from './snapshot-format.ts';
import type { SnapshotReader } from './snapshot-reader.ts';
import { type MadeRows, SnapshotRows } from './snapshot-rows.ts';
import type { StateTables } from './state-tables.ts';
import { encodeSubtree, subtreeKey } from './unread-subtrees.ts';

/** What is written together: each goes to the disk before the next. */
const WRITES_TOGETHER = 16_384;
const BYTES_TOGETHER: number = 8 * 1024 ** 2;
/** Bytes of subtrees that are written to the value file at once. */
const COPIED_TOGETHER: number = 1024 ** 2;
/** Pages in memory before they are stored: those of about a million keys. */
const MAX_HELD_BYTES: number = 128 * 1024 ** 2;

/** What a stream is taken in with. */
export interface IntakeDeps {
  readonly tables: StateTables;
  readonly values: FileStore;
  readonly hasher: Hasher;
  readonly signal: AbortSignal;
}

/** A stream as it was taken in. */
export interface TakenStream {
  readonly keysRoot: Uint8Array;
  readonly rolesRoot: Uint8Array;
  readonly keyCount: number;
  readonly roleCount: number;
  /** How many keys an account, by its bytes joined with commas, is special writer of. */
  readonly special: ReadonlyMap<string, number>;
  /** Bytes of the value file in use. */
  readonly valueBytes: number;
}

/**
 * Takes the rows of one stream out of a snapshot and stores them and the pages of their trees. Both come in
 * the order of the store's keys, and the rows of a table in that of theirs, so every page is made once.
 */
export class StreamIntake {
  readonly #deps: IntakeDeps;
  readonly #stream: StreamId;
  readonly #id: Uint8Array;
  /** What the stored keys of each table begin with. */
  readonly #heads: readonly [Uint8Array, Uint8Array];
  readonly #trees: readonly [SortedTree, SortedTree];
  readonly #counts = [0, 0];
  readonly #pages: readonly [HeldPages, HeldPages] = [new HeldPages(), new HeldPages()];
  readonly #special = new Map<string, number>();
  readonly #rows = new SnapshotRows();
  #writes: KeyValueWrite[] = [];
  #writeBytes = 0;
  #valueBytes: number;
  /** The end of the value file, as far as it is not written yet; none before the first subtree. */
  #copied: Uint8Array | undefined;
  #copiedBytes = 0;
  /** The store's write under way: the next rows are hashed meanwhile. */
  #storing: Promise<void> = Promise.resolve();

  /** @param valueBytes - of the value file in use */
  constructor(deps: IntakeDeps, stream: StreamId, valueBytes: number) {
    this.#deps = deps;
    this.#stream = stream;
    this.#id = streamIdBytes(stream);
    const { keys } = deps.tables;
    const none = new Uint8Array(0);
    this.#heads = [
      keys.latest(TABLE.keys, this.#id, none),
      keys.latest(TABLE.roles, this.#id, none),
    ];
    this.#trees = [new SortedTree(deps.hasher), new SortedTree(deps.hasher)];
    this.#valueBytes = valueBytes;
  }

  /**
   * Takes all rows that come next.
   *
   * @param next - above every version
   * @throws {StateError} KV_SNAPSHOT_MALFORMED; what the store, the value file and the source throw
   */
  async take(reader: SnapshotReader, next: number): Promise<TakenStream> {
    try {
      const taken = await this.#takeAll(reader, next);
      await this.#storing;
      return taken;
    } finally {
      await this.#storing.catch(() => undefined); // whoever fails first says why; nothing is left behind
    }
  }

  async #takeAll(reader: SnapshotReader, next: number): Promise<TakenStream> {
    const { signal, hasher } = this.#deps;
    const rows = this.#rows;
    do {
      signal.throwIfAborted();
      rows.read(reader.held, next);
      if (rows.count > 0) {
        this.#put(rows.made(this.#heads, hasher), rows.tables, reader);
        reader.skip(rows.bytes);
        await this.#flush(WRITES_TOGETHER);
      }
      if (rows.end === 'cut') await reader.hold(rows.needed);
      else if (rows.end === 'long') await this.#takeLong(reader);
      else if (rows.end === 'malformed') reader.refuse();
    } while (rows.end !== 'mark' || (await this.#takeSubtree(reader)));
    await this.#writeCopied();
    const roots = [];
    for (const table of [TABLE.keys, TABLE.roles]) roots.push(await this.#finish(table));
    const [keysRoot = this.#id, rolesRoot = this.#id] = roots;
    const [keyCount = 0, roleCount = 0] = this.#counts;
    const [special, valueBytes] = [this.#special, this.#valueBytes];
    return { keysRoot, rolesRoot, keyCount, roleCount, special, valueBytes };
  }

  /** Puts rows behind those that were there, and what became whole of their trees. */
  #put(
    { keys, records, hashes }: MadeRows,
    tables: readonly number[],
    reader: SnapshotReader,
  ): void {
    const leaves = wordsOf(hashes);
    for (let index = 0; index < keys.length; index += 1) {
      const [stored, record] = [keys[index], records[index]];
      if (stored === undefined || record === undefined) continue;
      const table = tables[index] === TABLE.roles ? TABLE.roles : TABLE.keys;
      const key = stored.subarray(this.#heads[table].length);
      // A role before a key would part the rows of a table; a key twice, or out of order, its tree.
      const isParted = table === TABLE.keys && (this.#counts[TABLE.roles] ?? 0) > 0;
      if (isParted || !this.#trees[table].add(key, leaves, index * HASH_WORDS)) reader.refuse();
      this.#counts[table] = (this.#counts[table] ?? 0) + 1;
      if (table === TABLE.roles) this.#countSpecial(key, record);
      this.#write(stored, record);
    }
    for (const table of [TABLE.keys, TABLE.roles]) this.#holdPages(table);
  }

  /** Takes a row whose value goes into the value file, piece by piece. */
  async #takeLong(reader: SnapshotReader): Promise<void> {
    const { hasher } = this.#deps;
    const head = (await reader.take(ROW_HEAD_BYTES)).slice();
    const view = viewOf(head);
    const table = head[1] === TABLE.roles ? TABLE.roles : TABLE.keys;
    const key = (await reader.take(view.getUint32(2))).slice();
    const position = this.#valueBytes;
    const about = {
      version: readSafeU64(view, 6),
      valueOffset: readSafeU64(view, 14),
      valueBytes: readSafeU64(view, 22),
    };
    const valueDigest = await piecesDigest(this.#pieces(reader, about.valueBytes), hasher);
    const record = encodeRow({ ...about, position, valueDigest });
    const hashes = recordLeafHashes(wholeParts([key]), [record], hasher);
    const stored = this.#deps.tables.keys.latest(table, this.#id, key);
    this.#put({ keys: [stored], records: [record], hashes }, [table], reader);
    await this.#flush(WRITES_TOGETHER);
  }

  /** Copies a subtree, if one comes next: its keys are looked at when one of them is needed. @returns whether one came */
  async #takeSubtree(reader: SnapshotReader): Promise<boolean> {
    if (reader.held[0] !== MARK.subtree) return false;
    const head = viewOf((await reader.take(SUBTREE_HEAD_BYTES)).slice());
    const [rows, sizeBytes] = [head.getUint32(1), head.getUint32(5)];
    const [firstBytes, lastBytes] = [head.getUint32(41), head.getUint32(45)];
    const isSound =
      rows >= SUBTREE.minRows &&
      rows <= SUBTREE.maxRows &&
      sizeBytes <= SUBTREE.maxBytes &&
      Math.max(firstBytes, lastBytes) <= SUBTREE.maxKeyBytes &&
      (this.#counts[TABLE.roles] ?? 0) === 0;
    if (!isSound) reader.refuse();
    const hash = new Uint8Array(head.buffer.slice(9, 9 + HASH_BYTES));
    const first = (await reader.take(firstBytes)).slice();
    const last = (await reader.take(lastBytes)).slice();
    if (!this.#trees[TABLE.keys].addSubtree([first, last], wordsOf(hash), 0)) reader.refuse();
    const position = this.#valueBytes;
    await this.#copy(await reader.take(sizeBytes));
    this.#counts[TABLE.keys] = (this.#counts[TABLE.keys] ?? 0) + rows;
    const subtree = { stream: this.#stream, first, last, position, sizeBytes, rows, hash };
    this.#write(subtreeKey(this.#deps.tables.keys, subtree), encodeSubtree(subtree));
    this.#holdPages(TABLE.keys);
    await this.#flush(WRITES_TOGETHER);
    return true;
  }

  /** Puts bytes behind those in the value file; small ones are written together. */
  async #copy(bytes: Uint8Array): Promise<void> {
    if (this.#copiedBytes + bytes.length > COPIED_TOGETHER) await this.#writeCopied();
    this.#valueBytes += bytes.length;
    if (bytes.length > COPIED_TOGETHER) {
      return this.#deps.values.write(this.#valueBytes - bytes.length, bytes);
    }
    this.#copied ??= new Uint8Array(COPIED_TOGETHER);
    this.#copied.set(bytes, this.#copiedBytes);
    this.#copiedBytes += bytes.length;
  }

  async #writeCopied(): Promise<void> {
    const bytes = this.#copied?.subarray(0, this.#copiedBytes);
    this.#copiedBytes = 0;
    if (bytes === undefined || bytes.length === 0) return;
    await this.#deps.values.write(this.#valueBytes - bytes.length, bytes);
  }

  /** Hands a value on in pieces as it is written to the value file. */
  async *#pieces(reader: SnapshotReader, valueBytes: number): AsyncGenerator<Uint8Array> {
    await this.#writeCopied();
    for (let left = valueBytes; left > 0; left -= DIGEST_PIECE_BYTES) {
      const piece = await reader.take(Math.min(left, DIGEST_PIECE_BYTES));
      await this.#deps.values.write(this.#valueBytes, piece);
      this.#valueBytes += piece.length;
      yield piece;
    }
  }

  #countSpecial(key: Uint8Array, record: Uint8Array): void {
    const op = opOfRow(decodeRow(record));
    if (slotOfKey(key).kind !== ROLE.specialWriter || !isGrant(op)) return;
    const account = key.subarray(1, 21).join();
    this.#special.set(account, (this.#special.get(account) ?? 0) + 1);
  }

  #holdPages(table: Table): void {
    const { keys } = this.#deps.tables;
    const [tree, held] = [this.#trees[table], this.#pages[table]];
    const fields = [TABLE_FIELD[table], this.#id] as const;
    const head = keys.key(KEY.treePage, ...fields);
    for (const page of tree.takePages()) {
      held.add(page, [head, tree.nameOf(page)]);
      for (const path of page.takeUnsavedPaths()) {
        this.#write(keys.key(KEY.treePath, ...fields, tree.nameOfPath(path)), path);
      }
      tree.giveBack(page);
    }
  }

  /** Stores what is left of a table. @returns its root */
  async #finish(table: Table): Promise<Uint8Array> {
    const { keys } = this.#deps.tables;
    const tree = this.#trees[table];
    const root = tree.finish();
    this.#holdPages(table);
    const { top } = tree;
    const fields = [TABLE_FIELD[table], this.#id] as const;
    if (top.count > 0) this.#write(keys.key(KEY.treeRoot, ...fields), top.bytes);
    for (const path of top.takeUnsavedPaths()) {
      this.#write(keys.key(KEY.treePath, ...fields, tree.nameOfPath(path)), path);
    }
    await this.#flush(1);
    await this.#storePages(table);
    return root;
  }

  #write(key: Uint8Array, value: Uint8Array): void {
    this.#writes.push({ type: 'put', key, value });
    this.#writeBytes += key.length + value.length;
  }

  /** Stores what waits, if there is much of it. */
  async #flush(atLeast: number): Promise<void> {
    const isMuch = this.#writes.length >= atLeast || this.#writeBytes >= BYTES_TOGETHER;
    if (isMuch && this.#writes.length > 0) {
      const writes = this.#writes;
      this.#writes = [];
      this.#writeBytes = 0;
      await this.#store(writes);
    }
    for (const table of [TABLE.keys, TABLE.roles]) {
      if (this.#pages[table].bytes > MAX_HELD_BYTES) await this.#storePages(table);
    }
  }

  async #storePages(table: Table): Promise<void> {
    for (const batch of this.#pages[table].taken(WRITES_TOGETHER)) await this.#store(batch);
  }

  /**
   * Begins to write, once what was written before is on the disk. Synced, since a later log that reached the
   * disk must not follow an earlier one that did not.
   */
  async #store(writes: readonly KeyValueWrite[]): Promise<void> {
    await this.#storing;
    this.#storing = this.#deps.tables.kv.write(writes, { sync: true });
    this.#storing.catch(() => undefined); // thrown by the next write, or at the end
  }
}
