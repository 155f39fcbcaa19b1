import type { Hasher } from '@cairn/commitments';
import { equalBytes, type KeyValueWrite, readSafeU64, toHex, viewOf } from '@cairn/primitives';
import { streamIdBytes } from '../stream-id.ts';
import { HASH_WORDS, wordsOf } from '../tree/copy-hash.ts';
import { bytesDigest, wholeParts } from '../tree/digests.ts';
import { SortedTree } from '../tree/sorted-tree.ts';
import { StateError } from './errors.ts';
import { KEY, type Keyspace, TABLE, TABLE_FIELD } from './keyspace.ts';
import { encodeRow, recordLeafHashes } from './row.ts';
import { ROW_HEAD_BYTES } from './snapshot-format.ts';
import { type MadeRows, SnapshotRows } from './snapshot-rows.ts';
import type { Subtree } from './unread-subtrees.ts';

/** Makes what is stored of a subtree from its rows, and proves it by its hash. */
export class SubtreeIntake {
  readonly #subtree: Subtree;
  readonly #hasher: Hasher;
  readonly #keys: Keyspace;
  readonly #id: Uint8Array;
  readonly #head: Uint8Array;
  readonly #tree: SortedTree;
  readonly #writes: KeyValueWrite[] = [];
  #count = 0;
  #last: Uint8Array | undefined;

  constructor(
    { hasher, keys }: { readonly hasher: Hasher; readonly keys: Keyspace },
    subtree: Subtree,
  ) {
    this.#subtree = subtree;
    this.#hasher = hasher;
    this.#keys = keys;
    this.#id = streamIdBytes(subtree.stream);
    this.#head = keys.latest(TABLE.keys, this.#id, new Uint8Array(0));
    this.#tree = new SortedTree(hasher);
  }

  /**
   * @param bytes - the rows as they are in the snapshot
   * @returns its rows and its pages; long values stay where they are
   * @throws {StateError} KV_SNAPSHOT_MALFORMED, KV_SNAPSHOT_ROOT
   */
  take(bytes: Uint8Array): readonly KeyValueWrite[] {
    const rows = new SnapshotRows();
    let at = 0;
    while (at < bytes.length) {
      rows.read(bytes.subarray(at), Number.MAX_SAFE_INTEGER);
      if (rows.count > 0) {
        this.#put(rows.made([this.#head, this.#head], this.#hasher), rows.tables);
      }
      at += rows.bytes;
      if (rows.end === 'long') at = this.#putLong(bytes, at);
      else if (rows.end !== 'full' && at < bytes.length) this.#refuse(at);
    }
    const { first, last, rows: count, hash, stream } = this.#subtree;
    const root = this.#tree.finish();
    if (!equalBytes(root, hash)) {
      throw new StateError(
        { code: 'KV_SNAPSHOT_ROOT', stream, expected: toHex(hash), actual: toHex(root) },
        `${this.#count} keys of the snapshot's stream ${stream} have the hash ${toHex(root)}, the tree has ${toHex(hash)}`,
      );
    }
    const begin = this.#writes[0]?.key.subarray(this.#head.length);
    const isWhole = this.#count === count && isSame(begin, first) && isSame(this.#last, last);
    if (!isWhole) this.#refuse(bytes.length);
    this.#putPages();
    return this.#writes;
  }

  #put({ keys, records, hashes }: MadeRows, tables: readonly number[]): void {
    const leaves = wordsOf(hashes);
    for (let index = 0; index < keys.length; index += 1) {
      const [stored, record] = [keys[index], records[index]];
      if (stored === undefined || record === undefined) continue;
      const key = stored.subarray(this.#head.length);
      const isNext =
        tables[index] === TABLE.keys && this.#tree.add(key, leaves, index * HASH_WORDS);
      if (!isNext) this.#refuse(0);
      this.#last = key;
      this.#count += 1;
      this.#writes.push({ type: 'put', key: stored, value: record });
    }
  }

  /** Puts the row that begins at `at`; its value is read where it is from now on. @returns where it ends */
  #putLong(bytes: Uint8Array, at: number): number {
    const view = viewOf(bytes);
    const keyEnd = at + ROW_HEAD_BYTES + view.getUint32(at + 2);
    const valueBytes = readSafeU64(view, at + 22);
    const end = keyEnd + valueBytes;
    if (end > bytes.length) this.#refuse(at);
    const stored = this.#keys.latest(
      TABLE.keys,
      this.#id,
      bytes.subarray(at + ROW_HEAD_BYTES, keyEnd),
    );
    const record = encodeRow({
      version: readSafeU64(view, at + 6),
      valueOffset: readSafeU64(view, at + 14),
      valueBytes,
      valueDigest: bytesDigest(bytes.subarray(keyEnd, end), this.#hasher),
      position: this.#subtree.position + keyEnd,
    });
    const key = stored.subarray(this.#head.length);
    const hashes = recordLeafHashes(wholeParts([key]), [record], this.#hasher);
    this.#put({ keys: [stored], records: [record], hashes }, [bytes[at + 1] ?? TABLE.roles]);
    return end;
  }

  #putPages(): void {
    const fields = [TABLE_FIELD[TABLE.keys], this.#id] as const;
    const tree = this.#tree;
    for (const page of tree.takePages()) {
      const key = this.#keys.key(KEY.treePage, ...fields, tree.nameOf(page));
      this.#writes.push({ type: 'put', key, value: page.bytes });
      for (const path of page.takeUnsavedPaths()) {
        const name = tree.nameOfPath(path);
        this.#writes.push({
          type: 'put',
          key: this.#keys.key(KEY.treePath, ...fields, name),
          value: path,
        });
      }
    }
  }

  #refuse(offset: number): never {
    const { stream, position } = this.#subtree;
    throw new StateError(
      { code: 'KV_SNAPSHOT_MALFORMED', offset },
      `rows of the snapshot's stream ${stream} at byte ${position} of the value file are none from their byte ${offset} on`,
    );
  }
}

function isSame(left: Uint8Array | undefined, right: Uint8Array): boolean {
  return left !== undefined && equalBytes(left, right);
}
