import {
  concatBytes,
  equalBytes,
  MAX_INLINE_VALUE_BYTES,
  MAX_KEY_BYTES,
  readSafeU64,
  sequenceOf,
  toHex,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import { isGrant, ROLE } from '../replay/role.ts';
import { type StreamId, streamIdBytes, streamIdOf } from '../stream-id.ts';
import {
  bytesDigests,
  DIGEST_PIECE_BYTES,
  EMPTY_HASH,
  leafHashes,
  piecesDigest,
  stateRootOf,
} from '../tree/digests.ts';
import { StateError } from './errors.ts';
import { KEY, Keyspace, TABLE, type Table } from './keyspace.ts';
import { encodeProgress, encodeRoot } from './records.ts';
import { opOfRow, slotOfKey } from './role-row.ts';
import { encodeRow, type Row } from './row.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import {
  encodeIdentity,
  type StateIdentity,
  stateDomain,
  UNFINISHED_LAYOUT,
} from './state-identity.ts';
import { StateTables } from './state-tables.ts';
import { StateTrees } from './state-trees.ts';
import type { StreamState, StreamStateDeps } from './stream-state.ts';

const FORMAT = 1;
const MAGIC: Uint8Array = Uint8Array.of(0x63, 0x6b, 0x76, 0x73, FORMAT); // "ckvs"
/** What comes next in a snapshot. */
const MARK = { stream: 1, row: 2, end: 3 } as const;
/** Rows written together. */
const ROWS_TOGETHER = 4096;

/**
 * The newest state as bytes: every key and role with its newest row and value, and for each stream the
 * root it must have; no older versions and no results. Whoever takes it in computes the roots anew.
 *
 * Header: "ckvs", format u8, domain 32, version u64, chain time u64. Then 1, stream 32, sequence of its
 * root u64; 2, table u8, key length u32, version, value offset and length u64, key, value; 3 at the end.
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
    for (const table of [TABLE.keys, TABLE.roles]) {
      for await (const [key, row] of tables.walk({ table, stream }, {}, { version, signal })) {
        if (row === undefined) continue;
        yield rowHead(table, key, row);
        if (row.inline !== undefined) yield row.inline;
        else yield* placedValue(state, row);
        assertSame();
      }
    }
  }
  assertSame();
  yield Uint8Array.of(MARK.end);
}

/** What a snapshot was taken in as. */
export interface ImportedSnapshot {
  /** The version it is of; −1 if nothing was applied. */
  readonly version: number;
  readonly roots: ReadonlyMap<StreamId, Uint8Array>;
}

/**
 * Makes a generation's state from a snapshot, in place of whatever the generation held. Every value is
 * hashed and every tree built: what is taken in has the roots that are trusted, or nothing is. Until it
 * is whole the generation cannot be opened.
 *
 * @param trusted - the root of each stream at the snapshot's version, by somebody who is believed;
 * streams without one have nothing in the snapshot
 * @throws {StateError} KV_SNAPSHOT_MALFORMED, KV_SNAPSHOT_ROOT, KV_WRONG_STATE; what the source throws
 */
export async function importSnapshot(
  deps: StreamStateDeps,
  identity: StateIdentity,
  snapshot: AsyncIterable<Uint8Array>,
  options: {
    readonly trusted: ReadonlyMap<StreamId, Uint8Array>;
    /** The version that the roots are of. */
    readonly version: number;
    /** Chain time of that entry, which no root covers; what the snapshot says unless told. */
    readonly timeSeconds?: number;
    readonly signal: AbortSignal;
    readonly generation?: number;
  },
): Promise<ImportedSnapshot> {
  return new SnapshotImport(deps, identity, options).run(new SnapshotReader(snapshot));
}

class SnapshotImport {
  readonly #deps: StreamStateDeps;
  readonly #identity: StateIdentity;
  readonly #trusted: ReadonlyMap<StreamId, Uint8Array>;
  readonly #version: number;
  readonly #timeSeconds: number | undefined;
  readonly #signal: AbortSignal;
  readonly #tables: StateTables;
  readonly #trees: StateTrees;
  readonly #roots = new Map<StreamId, Uint8Array>();
  #valueBytes = 0;

  constructor(
    deps: StreamStateDeps,
    identity: StateIdentity,
    { trusted, version, timeSeconds, signal, generation = 0 }: Parameters<typeof importSnapshot>[3],
  ) {
    this.#deps = deps;
    this.#identity = identity;
    this.#trusted = trusted;
    this.#version = version;
    this.#timeSeconds = timeSeconds;
    this.#signal = signal;
    this.#tables = new StateTables(deps.kv, new Keyspace(generation));
    this.#trees = new StateTrees(this.#tables, deps.hasher);
  }

  async run(reader: SnapshotReader): Promise<ImportedSnapshot> {
    const { keys, kv } = this.#tables;
    const head = await reader.take(MAGIC.length + 48);
    if (!equalBytes(head.subarray(0, MAGIC.length), MAGIC)) reader.refuse();
    const at = MAGIC.length;
    if (!equalBytes(head.subarray(at, at + 32), stateDomain(this.#identity))) {
      throw new StateError(
        { code: 'KV_WRONG_STATE', field: 'streams' },
        'the snapshot is of another chain, log, source of senders or set of streams',
      );
    }
    const next = readSafeU64(viewOf(head), at + 32);
    const timeSeconds = this.#timeSeconds ?? readSafeU64(viewOf(head), at + 40);
    if (next !== this.#version + 1) reader.refuse();
    await this.#clear();
    let mark = await reader.byte();
    while (mark === MARK.stream) mark = await this.#takeStream(reader, next);
    if (mark !== MARK.end || !(await reader.isAtEnd())) reader.refuse();
    for (const [stream, expected] of this.#trusted) {
      if (!this.#roots.has(stream)) refuseRoot(stream, expected, EMPTY_HASH);
    }
    await this.#deps.values.sync();
    const progress = {
      next,
      first: next,
      timeSeconds,
      valueBytes: this.#valueBytes,
      holes: 0,
      oldest: Math.max(0, next - 1),
    };
    await kv.write(
      [
        { type: 'put', key: keys.key(KEY.progress), value: encodeProgress(progress) },
        { type: 'put', key: keys.key(KEY.identity), value: encodeIdentity(this.#identity) },
      ],
      { sync: true },
    );
    return { version: next - 1, roots: this.#roots };
  }

  /** Empties the generation and marks it as unfinished. */
  async #clear(): Promise<void> {
    const { keys, kv } = this.#tables;
    for (let isLeft = true; isLeft; ) {
      const batch: { type: 'delete'; key: Uint8Array }[] = [];
      for await (const [key] of kv.entries(
        { ...keys.all, limit: ROWS_TOGETHER },
        { signal: this.#signal },
      )) {
        batch.push({ type: 'delete', key: key.slice() });
      }
      isLeft = batch.length > 0;
      if (isLeft) await kv.write(batch);
    }
    const value = Uint8Array.of(UNFINISHED_LAYOUT >> 8, UNFINISHED_LAYOUT & 255);
    await kv.write([{ type: 'put', key: keys.key(KEY.identity), value }], { sync: true });
  }

  /** Takes a stream in and compares its root. @returns the mark behind it */
  async #takeStream(reader: SnapshotReader, next: number): Promise<number> {
    const { hasher } = this.#deps;
    const head = await reader.take(40);
    const stream = streamIdOf(head.subarray(0, 32));
    const sequence = readSafeU64(viewOf(head), 32);
    const counts = [0, 0];
    const special = new Map<string, number>();
    let rows: TakenRow[] = [];
    let mark = await reader.byte();
    while (mark === MARK.row) {
      this.#signal.throwIfAborted();
      const taken = await this.#takeRow(reader);
      if (taken.row.version >= next) reader.refuse();
      rows.push(taken);
      counts[taken.table] = (counts[taken.table] ?? 0) + 1;
      if (taken.table === TABLE.roles) countSpecial(special, taken);
      if (rows.length === ROWS_TOGETHER) {
        await this.#write(stream, rows);
        rows = [];
      }
      mark = await reader.byte();
    }
    await this.#write(stream, rows);
    const keysRoot = (await this.#trees.tree(TABLE.keys, stream)).hash();
    const rolesRoot = (await this.#trees.tree(TABLE.roles, stream)).hash();
    const [keyCount = 0, roleCount = 0] = counts;
    const id = streamIdBytes(stream);
    const domain = stateDomain(this.#identity);
    const stateRoot = stateRootOf(
      { domain, stream: id, keysRoot, rolesRoot, keyCount, roleCount },
      hasher,
    );
    const expected = this.#trusted.get(stream);
    if (expected === undefined || !equalBytes(expected, stateRoot)) {
      refuseRoot(stream, expected ?? EMPTY_HASH, stateRoot);
    }
    this.#roots.set(stream, stateRoot);
    const { keys, kv } = this.#tables;
    const record = encodeRoot({ stateRoot, keysRoot, rolesRoot, keyCount, roleCount });
    await kv.write([
      { type: 'put', key: keys.key(KEY.root, id, sequence), value: record },
      ...[...special].map(([account, count]) => ({
        type: 'put' as const,
        key: keys.key(KEY.specialWriter, id, Uint8Array.from(account.split(','), Number)),
        value: u64(count),
      })),
    ]);
    return mark;
  }

  async #takeRow(reader: SnapshotReader): Promise<TakenRow> {
    const { hasher } = this.#deps;
    const head = await reader.take(29);
    const view = viewOf(head);
    const table = head[0];
    if (table !== TABLE.keys && table !== TABLE.roles) return reader.refuse();
    const keyBytes = view.getUint32(1);
    if (keyBytes > MAX_KEY_BYTES + 21) reader.refuse();
    const about = {
      version: readSafeU64(view, 5),
      valueOffset: readSafeU64(view, 13),
      valueBytes: readSafeU64(view, 21),
    };
    const key = (await reader.take(keyBytes)).slice();
    if (about.valueBytes <= MAX_INLINE_VALUE_BYTES) {
      const inline = (await reader.take(about.valueBytes)).slice();
      return { table, key, row: { ...about, inline, valueDigest: EMPTY_HASH } }; // hashed with others
    }
    const position = this.#valueBytes;
    const valueDigest = await piecesDigest(this.#pieces(reader, about.valueBytes), hasher);
    return { table, key, row: { ...about, position, valueDigest } };
  }

  /** Hands a value on in pieces as it is written to the value file. */
  async *#pieces(reader: SnapshotReader, valueBytes: number): AsyncGenerator<Uint8Array> {
    for (let left = valueBytes; left > 0; left -= DIGEST_PIECE_BYTES) {
      const piece = await reader.take(Math.min(left, DIGEST_PIECE_BYTES));
      await this.#deps.values.write(this.#valueBytes, piece);
      this.#valueBytes += piece.length;
      yield piece;
    }
  }

  /** Rows with the digests of their values, which are hashed together where they lie in the index. */
  #hashed(taken: readonly TakenRow[]): readonly TakenRow[] {
    const digests = bytesDigests(
      taken.map(({ row }) => row.inline ?? EMPTY_HASH.subarray(0, 0)),
      this.#deps.hasher,
    );
    return taken.map((one, index) =>
      one.row.inline === undefined
        ? one
        : { ...one, row: { ...one.row, valueDigest: digests[index] ?? EMPTY_HASH } },
    );
  }

  async #write(stream: StreamId, taken: readonly TakenRow[]): Promise<void> {
    if (taken.length === 0) return;
    const { keys, kv } = this.#tables;
    const rows = this.#hashed(taken);
    const hashes = leafHashes(
      rows.map(({ key, row }) => ({ ...row, key })),
      this.#deps.hasher,
    );
    for (const table of [TABLE.keys, TABLE.roles]) {
      const tree = await this.#trees.tree(table, stream);
      await tree.preload(rows.filter((row) => row.table === table).map(({ key }) => key));
      for (const [index, row] of rows.entries()) {
        if (row.table === table) tree.set(row.key, hashes[index] ?? EMPTY_HASH);
      }
      tree.hash();
    }
    const id = streamIdBytes(stream);
    await kv.write([
      ...rows.map(({ table, key, row }) => ({
        type: 'put' as const,
        key: keys.latest(table, id, key),
        value: encodeRow(row),
      })),
      ...this.#trees.writes(),
    ]);
    this.#trees.settle();
  }
}

interface TakenRow {
  readonly table: Table;
  readonly key: Uint8Array;
  readonly row: Row;
}

/** Counts keys by account that is special writer of them. */
function countSpecial(counts: Map<string, number>, { key, row }: TakenRow): void {
  const { kind } = slotOfKey(key);
  if (kind !== ROLE.specialWriter || !isGrant(opOfRow(row))) return;
  const account = key.subarray(1, 21).join();
  counts.set(account, (counts.get(account) ?? 0) + 1);
}

function refuseRoot(stream: StreamId, expected: Uint8Array, actual: Uint8Array): never {
  throw new StateError(
    { code: 'KV_SNAPSHOT_ROOT', stream, expected: toHex(expected), actual: toHex(actual) },
    `the snapshot gives stream ${stream} the state root ${toHex(actual)}, trusted is ${toHex(expected)}`,
  );
}

function rowHead(table: Table, key: Uint8Array, row: Row): Uint8Array {
  const bytes = new Uint8Array(30 + key.length);
  const view = viewOf(bytes);
  bytes[0] = MARK.row;
  bytes[1] = table;
  view.setUint32(2, key.length);
  writeSafeU64(view, 6, row.version);
  writeSafeU64(view, 14, row.valueOffset);
  writeSafeU64(view, 22, row.valueBytes);
  bytes.set(key, 30);
  return bytes;
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
