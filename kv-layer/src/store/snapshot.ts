import type { Hasher } from '@cairn/commitments';
import { concatBytes, sequenceOf, viewOf, writeSafeU64 } from '@cairn/primitives';
import { streamIdBytes } from '../stream-id.ts';
import { HASH_WORDS, wordsOf } from '../tree/copy-hash.ts';
import { DIGEST_PIECE_BYTES, EMPTY_HASH, joinedLeafHashes } from '../tree/digests.ts';
import { SortedTree } from '../tree/sorted-tree.ts';
import { StateError } from './errors.ts';
import { TABLE, type Table } from './keyspace.ts';
import type { Row } from './row.ts';
import { MAGIC, MARK, ROW_HEAD_BYTES, SUBTREE_HEAD_BYTES } from './snapshot-format.ts';
import type { StreamState } from './stream-state.ts';
import { type RowGroup, SubtreeCuts } from './subtree-cuts.ts';

/**
 * The newest state as bytes: every key and role with its newest row and value, and for each stream the
 * root it must have; no older versions and no results. Whoever takes it in computes the roots anew.
 *
 * Header: "ckvs", format u8, domain 32, version u64, chain time u64. Then 1, stream 32, sequence of its
 * root u64; 2, table u8, key length u32, version, value offset and length u64, key, value; 3 at the end.
 * The rows of a stream ascend by table and key, each key once.
 *
 * Before keys that are all there is below one branch of their tree, within the bounds of `SUBTREE`: 4, how
 * many u32, their bytes u32, the branch's hash 32, lengths of the first key and the last u32, both keys. So
 * the root can be computed from few hashes, and such rows can be left as they are until one is needed.
 *
 * @throws {StateError} KV_ROLLED_BACK if entries are taken back meanwhile
 */
export async function* exportSnapshot(
  state: StreamState,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const { branch, tables } = state;
  const version = state.nextSequence - 1;
  const assertSame = (): void => {
    if (branch === state.branch) return;
    throw new StateError(
      { code: 'KV_ROLLED_BACK', version },
      `the chain took entries back while a snapshot of version ${version} was made`,
    );
  };
  // The version may be −1, before the first entry: it is written as the sequence that comes next.
  yield concatBytes(MAGIC, state.domain, u64(version + 1), u64(state.timeSeconds));
  for (const stream of state.streams) {
    const root = await tables.rootAt(stream, version, signal);
    if (root === undefined) continue;
    yield concatBytes(Uint8Array.of(MARK.stream), streamIdBytes(stream), u64(root.sequence));
    const rows = (table: Table) => tables.walk({ table, stream }, {}, { version, signal });
    const cuts = new SubtreeCuts<KeyedRow>();
    for await (const [key, row] of rows(TABLE.keys)) {
      if (row === undefined) continue;
      const bytes = ROW_HEAD_BYTES + key.length + row.valueBytes;
      for (const group of cuts.add(key, { key, row }, bytes)) yield* groupBytes(state, group);
      assertSame();
    }
    for (const group of cuts.end()) yield* groupBytes(state, group);
    for await (const [key, row] of rows(TABLE.roles)) {
      if (row !== undefined) yield* rowBytes(state, TABLE.roles, { key, row });
      assertSame();
    }
  }
  assertSame();
  yield Uint8Array.of(MARK.end);
}

interface KeyedRow {
  readonly key: Uint8Array;
  readonly row: Row;
}

async function* groupBytes(
  state: StreamState,
  { isSubtree, rows }: RowGroup<KeyedRow>,
): AsyncGenerator<Uint8Array> {
  if (isSubtree) yield subtreeBytes(rows, state.hasher, await bodyOf(state, rows));
  else for (const row of rows) yield* rowBytes(state, TABLE.keys, row);
}

/** Rows one after another: few enough to be held, since each piece that is yielded costs as much as ten rows. */
async function bodyOf(state: StreamState, rows: readonly KeyedRow[]): Promise<Uint8Array> {
  let size = 0;
  for (const { key, row } of rows) size += ROW_HEAD_BYTES + key.length + row.valueBytes;
  const bytes = new Uint8Array(size);
  const view = viewOf(bytes);
  let at = 0;
  for (const { key, row } of rows) {
    writeRowHead(TABLE.keys, { key, row }, { bytes, view, at });
    at += ROW_HEAD_BYTES + key.length;
    const value = bytes.subarray(at, at + row.valueBytes);
    if (row.inline !== undefined) value.set(row.inline);
    else await state.values.readInto(row.position ?? 0, value);
    at += value.length;
  }
  return bytes;
}

/** A subtree's head and body. @param rows - at least two */
function subtreeBytes(rows: readonly KeyedRow[], hasher: Hasher, body: Uint8Array): Uint8Array {
  const keys = rows.map(({ key }) => key);
  const leaves = rows.map(({ key, row: { version, valueOffset, valueBytes, valueDigest } }) => {
    return { key, version, valueOffset, valueBytes, valueDigest };
  });
  const hashes = wordsOf(joinedLeafHashes(leaves, hasher));
  const tree = new SortedTree(hasher);
  for (const [index, key] of keys.entries()) tree.add(key, hashes, index * HASH_WORDS);
  const [first, last] = [keys[0] ?? EMPTY_HASH, keys.at(-1) ?? EMPTY_HASH];
  const bytes = new Uint8Array(SUBTREE_HEAD_BYTES + first.length + last.length + body.length);
  const view = viewOf(bytes);
  bytes[0] = MARK.subtree;
  view.setUint32(1, rows.length);
  view.setUint32(5, body.length);
  bytes.set(tree.finish(), 9);
  view.setUint32(41, first.length);
  view.setUint32(45, last.length);
  bytes.set(first, SUBTREE_HEAD_BYTES);
  bytes.set(last, SUBTREE_HEAD_BYTES + first.length);
  bytes.set(body, bytes.length - body.length);
  return bytes;
}

async function* rowBytes(
  state: StreamState,
  table: Table,
  { key, row }: KeyedRow,
): AsyncGenerator<Uint8Array> {
  const bytes = new Uint8Array(ROW_HEAD_BYTES + key.length);
  writeRowHead(table, { key, row }, { bytes, view: viewOf(bytes), at: 0 });
  yield bytes;
  if (row.inline !== undefined) yield row.inline;
  else yield* placedValue(state, row);
}

function writeRowHead(
  table: Table,
  { key, row }: KeyedRow,
  { bytes, view, at }: { readonly bytes: Uint8Array; readonly view: DataView; readonly at: number },
): void {
  bytes[at] = MARK.row;
  bytes[at + 1] = table;
  view.setUint32(at + 2, key.length);
  writeSafeU64(view, at + 6, row.version);
  writeSafeU64(view, at + 14, row.valueOffset);
  writeSafeU64(view, at + 22, row.valueBytes);
  bytes.set(key, at + ROW_HEAD_BYTES);
}

async function* placedValue(
  state: StreamState,
  { position = 0, valueBytes }: Row,
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < valueBytes; done += DIGEST_PIECE_BYTES) {
    yield await state.values.read(position + done, Math.min(DIGEST_PIECE_BYTES, valueBytes - done));
  }
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeSafeU64(viewOf(bytes), 0, sequenceOf(value));
  return bytes;
}
