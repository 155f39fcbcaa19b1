import type { Hasher } from '@cairn/commitments';
import {
  type Address,
  type FileStore,
  fromHex,
  type KeyValueWrite,
  MAX_GROUP_WRITES,
  MAX_REPLAY_GROUP,
  type Sequence,
  utf8Bytes,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import { ACCESS_OP } from '../batch/access-op.ts';
import { type ParsedBatch, parseBatch } from '../batch/parse-batch.ts';
import type { BatchSource, StreamKey } from '../batch/stream-batch.ts';
import { impliedAccount } from '../replay/fold-controls.ts';
import {
  gateEntry,
  REFUSED,
  type ReplayOutcome,
  replayBatch,
  type StateChange,
  type StreamEntry,
} from '../replay/replay-batch.ts';
import { COMMIT, DOWNLOAD_FAILED } from '../replay/results.ts';
import { isAdmin, ROLE, type RoleKind, slotOf, ZERO_ADDRESS } from '../replay/role.ts';
import type { StreamId } from '../stream-id.ts';
import { parseTags } from '../tags.ts';
import { bytesDigests, EMPTY_HASH, type Leaf, leafHashes, stateRootOf } from '../tree/digests.ts';
import type { StateTree } from '../tree/state-tree.ts';
import { KEY, TABLE } from './keyspace.ts';
import {
  type ChangedRow,
  encodeChanges,
  encodeProgress,
  encodeRoot,
  type Progress,
  type RootRecord,
} from './records.ts';
import { ReplayGroup } from './replay-group.ts';
import { roleKey, roleValue } from './role-row.ts';
import { encodeRow, type Row } from './row.ts';
import type { RowName, StateTables } from './state-tables.ts';
import type { StateTrees } from './state-trees.ts';
import { ValueWriter } from './value-writer.ts';

/** A log entry to be replayed, of any kind: what is no batch of this state's is passed over. */
export interface ReplayInput {
  readonly sequence: Sequence;
  /** Who sent it, by the state's source of senders. */
  readonly sender: Address;
  readonly tags: Uint8Array;
  /** Time of its block. */
  readonly timeSeconds: number;
  /**
   * Its file; `gone` once the node gave up on it; absent while it is not there. Needed only for
   * batches that `StreamState.gate` says `read` of.
   */
  readonly source?: BatchSource | 'gone';
}

/** What became of an entry. */
export interface AppliedEntry {
  readonly sequence: Sequence;
  readonly streams: readonly StreamId[];
  /** One of the nine result strings. */
  readonly result: string;
  /** Streams with a new root; none unless committed. */
  readonly roots: readonly { readonly stream: StreamId; readonly stateRoot: Uint8Array }[];
}

/** What a group is applied with. */
export interface GroupDeps {
  readonly tables: StateTables;
  readonly trees: StateTrees;
  readonly values: FileStore;
  readonly hasher: Hasher;
  readonly domain: Uint8Array;
  readonly watched: ReadonlySet<StreamId>;
}

/** A group that was written. */
export interface AppliedGroup {
  readonly progress: Progress;
  readonly roots: ReadonlyMap<StreamId, RootRecord>;
  readonly applied: readonly AppliedEntry[];
  /** Inputs that were taken. */
  readonly taken: number;
  /** The entry whose file is needed to go on. */
  readonly waitsFor?: Sequence;
}

/** The longest file that is read whole. A group holds 65,536 writes, so 64 MiB of these at the most common sizes. */
const MAX_HELD_BYTES: number = 256 * 1024;

interface Prepared {
  readonly input: ReplayInput;
  /** `undefined`: none of this state's. */
  readonly entry: StreamEntry | undefined;
  source: ReplayInput['source'];
  batch?: ParsedBatch;
}

/**
 * Replays entries one after another and writes what they change as one batch, synced: values first,
 * then rows, roots, results and progress together. Each entry has its own roots.
 *
 * @param roots - of every stream that has any
 * @throws what the store, the sources and the value file throw: then nothing was applied
 */
export async function applyGroup(
  deps: GroupDeps,
  state: { readonly progress: Progress; readonly roots: ReadonlyMap<StreamId, RootRecord> },
  inputs: readonly ReplayInput[],
  signal: AbortSignal,
): Promise<AppliedGroup> {
  return new GroupRun(deps, state, signal).run(inputs);
}

class GroupRun {
  readonly #deps: GroupDeps;
  readonly #signal: AbortSignal;
  readonly #roots: Map<StreamId, RootRecord>;
  readonly #group: ReplayGroup;
  readonly #values: ValueWriter;
  readonly #writes: KeyValueWrite[] = [];
  readonly #applied: AppliedEntry[] = [];
  #progress: Progress;

  constructor(
    deps: GroupDeps,
    state: { readonly progress: Progress; readonly roots: ReadonlyMap<StreamId, RootRecord> },
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    this.#signal = signal;
    this.#progress = state.progress;
    this.#roots = new Map(state.roots);
    this.#group = new ReplayGroup(deps.tables, (stream) => !this.#roots.has(stream));
    this.#values = new ValueWriter(deps.values, deps.hasher, state.progress.valueBytes);
  }

  async run(inputs: readonly ReplayInput[]): Promise<AppliedGroup> {
    const prepared = await this.#prepare(inputs);
    let waitsFor: Sequence | undefined;
    let taken = 0;
    for (const one of prepared) {
      this.#signal.throwIfAborted();
      const outcome = await this.#judge(one);
      if (outcome === 'wait') {
        waitsFor = one.input.sequence;
        break;
      }
      if (outcome !== 'skip' && one.entry !== undefined) await this.#take(one, one.entry, outcome);
      this.#advance(one.input);
      taken += 1;
    }
    if (taken > 0) await this.#write();
    return {
      progress: this.#progress,
      roots: this.#roots,
      applied: this.#applied,
      taken,
      ...(waitsFor === undefined ? {} : { waitsFor }),
    };
  }

  /** Reads the batches and loads in one go what most of them need. */
  async #prepare(inputs: readonly ReplayInput[]): Promise<Prepared[]> {
    const { watched } = this.#deps;
    const prepared: Prepared[] = [];
    let writes = 0;
    for (const input of inputs.slice(0, MAX_REPLAY_GROUP)) {
      const { sequence, sender, tags, source } = input;
      const streams = parseTags(tags);
      const isOurs = streams?.every((stream) => watched.has(stream)) ?? false;
      const entry = streams !== undefined && isOurs ? { sequence, sender, streams } : undefined;
      const one: Prepared = { input, entry, source };
      if (entry !== undefined && source !== undefined && source !== 'gone') {
        one.source = await inMemory(source, this.#signal);
        one.batch = await parseBatch(one.source, { signal: this.#signal });
        writes += one.batch.writes.length + one.batch.controls.length;
      }
      prepared.push(one);
      if (writes >= MAX_GROUP_WRITES) break;
    }
    const asked: RowName[] = [];
    const changed: RowName[] = [];
    const entries = prepared.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
    for (const { entry, batch } of prepared) {
      if (entry === undefined) continue;
      asked.push(...roleNames(entry, ROLE.writer));
      changed.push(...roleNames(entry, ROLE.admin));
      if (batch === undefined) continue;
      const isWatched = ({ stream }: StreamKey): boolean => watched.has(stream);
      for (const { stream, key } of batch.reads.filter(isWatched)) {
        asked.push({ table: TABLE.keys, stream, key });
      }
      changed.push(...changedNames(entry, batch).filter(isWatched));
    }
    for (const name of changed) asked.push(name);
    await this.#group.load(asked);
    await this.#loadCounts(entries);
    await this.#preload(changed);
    return prepared;
  }

  async #judge({ input, entry, batch }: Prepared): Promise<ReplayOutcome | 'skip' | 'wait'> {
    if (entry === undefined) return 'skip';
    const { watched } = this.#deps;
    const view = this.#group;
    const gate = gateEntry(entry, watched, view);
    if (gate === 'skip') return 'skip';
    if (gate === 'refuse') return REFUSED;
    if (input.source === 'gone') return { result: DOWNLOAD_FAILED };
    if (batch === undefined) return 'wait';
    await this.#loadSpecial(entry, batch);
    return replayBatch(entry, batch, { watched, view });
  }

  /** Loads what decides about special keys; administrators need none of it. */
  async #loadSpecial(entry: StreamEntry, batch: ParsedBatch): Promise<void> {
    const { sender, streams } = entry;
    const limited = new Set(
      streams.filter(
        (stream) => !this.#group.isNew(stream) && !isAdmin(this.#group, sender, stream),
      ),
    );
    if (limited.size > 0) {
      const names: RowName[] = [];
      const add = (stream: StreamId, key: Uint8Array): void => {
        const slots = [
          { kind: ROLE.specialKey, account: ZERO_ADDRESS, key },
          { kind: ROLE.specialWriter, account: sender, key },
        ];
        for (const slot of slots) names.push({ table: TABLE.roles, stream, key: roleKey(slot) });
      };
      for (const { stream, key } of batch.writes) if (limited.has(stream)) add(stream, key);
      for (const { stream, key, op } of batch.controls) {
        if (op === ACCESS_OP.grantSpecialWriter && key !== undefined && limited.has(stream))
          add(stream, key);
      }
      await this.#group.load(names);
    }
    const pairs = batch.controls.flatMap(({ op, stream, account, key }) => {
      const slot = slotOf(op, account ?? sender, key);
      return slot.kind === ROLE.specialWriter ? [{ stream, account: slot.account }] : [];
    });
    await this.#group.loadCounts(pairs);
  }

  async #loadCounts(entries: readonly StreamEntry[]): Promise<void> {
    const pairs = entries.flatMap(({ sender, streams }) =>
      streams.map((stream) => ({ stream, account: sender })),
    );
    await this.#group.loadCounts(pairs);
  }

  /** Loads the pages of trees on the way to each row. */
  async #preload(names: readonly RowName[]): Promise<void> {
    for (const table of [TABLE.keys, TABLE.roles]) {
      const streams = new Map<StreamId, Uint8Array[]>();
      for (const { stream, key } of names.filter((name) => name.table === table)) {
        const keys = streams.get(stream);
        if (keys === undefined) streams.set(stream, [key]);
        else keys.push(key);
      }
      for (const [stream, keys] of streams) {
        const tree = await this.#deps.trees.tree(table, stream);
        await tree.preload(keys);
      }
    }
  }

  async #take(one: Prepared, entry: StreamEntry, { result, change }: ReplayOutcome): Promise<void> {
    const { keys } = this.#deps.tables;
    const { sequence, streams } = entry;
    this.#writes.push({
      type: 'put',
      key: keys.key(KEY.result, sequence),
      value: utf8Bytes(result),
    });
    if (result === DOWNLOAD_FAILED) {
      this.#progress = { ...this.#progress, holes: this.#progress.holes + 1 };
    }
    const { source } = one;
    const isCommit = result === COMMIT && change !== undefined;
    const roots =
      isCommit && source !== undefined && source !== 'gone'
        ? await this.#commit(sequence, change, source)
        : [];
    this.#applied.push({ sequence, streams, result, roots });
  }

  async #commit(
    sequence: Sequence,
    change: StateChange,
    source: BatchSource,
  ): Promise<AppliedEntry['roots']> {
    const { hasher, tables, trees } = this.#deps;
    const made = await this.#rowsOf(sequence, change, source);
    const hashes = leafHashes(
      made.map(
        ({ name: { key }, row: { version, valueOffset, valueBytes, valueDigest } }): Leaf => ({
          key,
          version,
          valueOffset,
          valueBytes,
          valueDigest,
        }),
      ),
      hasher,
    );
    let tree: { readonly of: RowName; readonly tree: StateTree } | undefined;
    const changes: ChangedRow[] = [];
    const touched = new Map<StreamId, { keys: number; roles: number }>();
    for (const [index, { name, row }] of made.entries()) {
      const { table, stream, key } = name;
      const before = this.#group.replace(name, row);
      if (before !== undefined) {
        const stored = tables.keys.history(
          table,
          this.#deps.tables.idOf(stream),
          key,
          before.version,
        );
        this.#writes.push({ type: 'put', key: stored, value: encodeRow(before) });
      }
      changes.push({ table, stream, key, before: before?.version });
      if (tree?.of.table !== table || tree.of.stream !== stream) {
        tree = { of: name, tree: await trees.tree(table, stream) };
      }
      const isNew = tree.tree.set(key, hashes[index] ?? EMPTY_HASH);
      const counts = touched.get(stream) ?? { keys: 0, roles: 0 };
      touched.set(stream, counts);
      if (isNew) counts[table === TABLE.keys ? 'keys' : 'roles'] += 1;
      const role = change.roles[index - change.writes.length];
      if (role !== undefined && table === TABLE.roles) this.#group.recount(role, before, row);
    }
    for (const [part, value] of encodeChanges(changes).entries()) {
      const key = tables.keys.key(
        KEY.changes,
        sequence,
        Uint8Array.of(0, 0, part >> 8, part & 255),
      );
      this.#writes.push({ type: 'put', key, value });
    }
    const roots: { stream: StreamId; stateRoot: Uint8Array }[] = [];
    for (const [stream, added] of touched) {
      const stateRoot = await this.#noteRoot(sequence, stream, added);
      roots.push({ stream, stateRoot });
    }
    return roots;
  }

  /** The rows that a change makes: of the writes, then of the roles. */
  async #rowsOf(
    sequence: Sequence,
    { writes, roles }: StateChange,
    source: BatchSource,
  ): Promise<{ name: RowName; row: Row }[]> {
    const signal = this.#signal;
    const rows = await this.#values.rowsOf(writes, source, { version: sequence, signal });
    const made: { name: RowName; row: Row }[] = [];
    for (const [index, { stream, key }] of writes.entries()) {
      const row = rows[index];
      // A copy of the key: it is a part of the whole batch's bytes.
      if (row !== undefined)
        made.push({ name: { table: TABLE.keys, stream, key: key.slice() }, row });
    }
    const values = roles.map(({ op, operator }) => roleValue(op, operator));
    const digests = bytesDigests(values, this.#deps.hasher);
    for (const [index, { stream, slot }] of roles.entries()) {
      const inline = values[index] ?? EMPTY_HASH;
      made.push({
        name: { table: TABLE.roles, stream, key: roleKey(slot) },
        row: {
          version: sequence,
          valueOffset: 0,
          valueBytes: inline.length,
          valueDigest: digests[index] ?? EMPTY_HASH,
          inline,
        },
      });
    }
    return made;
  }

  async #noteRoot(
    sequence: Sequence,
    stream: StreamId,
    added: { readonly keys: number; readonly roles: number },
  ): Promise<Uint8Array> {
    const { hasher, tables, trees, domain } = this.#deps;
    const before = this.#roots.get(stream);
    const keysRoot = (await trees.tree(TABLE.keys, stream)).hash();
    const rolesRoot = (await trees.tree(TABLE.roles, stream)).hash();
    const keyCount = (before?.keyCount ?? 0) + added.keys;
    const roleCount = (before?.roleCount ?? 0) + added.roles;
    const id = this.#deps.tables.idOf(stream);
    const parts = { domain, stream: id, keysRoot, rolesRoot, keyCount, roleCount };
    const record = {
      stateRoot: stateRootOf(parts, hasher),
      keysRoot,
      rolesRoot,
      keyCount,
      roleCount,
    };
    this.#roots.set(stream, record);
    const key = tables.keys.key(KEY.root, id, sequence);
    this.#writes.push({ type: 'put', key, value: encodeRoot(record) });
    return record.stateRoot;
  }

  #advance({ sequence, timeSeconds }: ReplayInput): void {
    const { keys } = this.#deps.tables;
    const isFirst = sequence === this.#progress.first;
    // Blocks of one chain never go back in time; another's clock must not make expiry undone.
    const time = Math.max(timeSeconds, isFirst ? 0 : this.#progress.timeSeconds);
    if (isFirst || time !== this.#progress.timeSeconds) {
      this.#writes.push({ type: 'put', key: keys.key(KEY.time, sequence), value: u64(time) });
    }
    this.#progress = { ...this.#progress, next: sequence + 1, timeSeconds: time };
  }

  async #write(): Promise<void> {
    const { tables, trees } = this.#deps;
    const { keys, kv } = tables;
    await this.#values.sync();
    this.#progress = { ...this.#progress, valueBytes: this.#values.end };
    const batch = this.#writes;
    for (const [{ table, stream, key }, row] of this.#group.changedRows()) {
      const stored = keys.latest(table, this.#deps.tables.idOf(stream), key);
      if (row !== undefined) batch.push({ type: 'put', key: stored, value: encodeRow(row) });
    }
    for (const { stream, account, count } of this.#group.changedCounts()) {
      const key = keys.key(KEY.specialWriter, this.#deps.tables.idOf(stream), fromHex(account));
      batch.push({ type: 'put', key, value: u64(count) });
    }
    for (const write of trees.writes()) batch.push(write);
    batch.push({ type: 'put', key: keys.key(KEY.progress), value: encodeProgress(this.#progress) });
    await kv.write(batch, { sync: true });
    trees.settle();
  }
}

/** A batch of few bytes is read at once: its values are read next. */
async function inMemory(source: BatchSource, signal: AbortSignal): Promise<BatchSource> {
  const { sizeBytes } = source;
  if (source.bytes !== undefined || sizeBytes > MAX_HELD_BYTES) return source;
  return { ...source, bytes: await source.read(0, sizeBytes, { signal }) };
}

/** The sender's role of a kind in each tagged stream. */
function roleNames({ sender, streams }: StreamEntry, kind: RoleKind): RowName[] {
  const key = roleKey({ kind, account: sender, key: EMPTY_HASH.subarray(0, 0) });
  return streams.map((stream) => ({ table: TABLE.roles, stream, key }));
}

/** Rows that a batch would change. */
function changedNames({ sender }: StreamEntry, { writes, controls }: ParsedBatch): RowName[] {
  const keys = writes.map(({ stream, key }) => ({ table: TABLE.keys, stream, key }));
  const roles = controls.map(({ op, stream, key, account }) => {
    const slot = slotOf(op, account ?? impliedAccount(op, sender), key);
    return { table: TABLE.roles, stream, key: roleKey(slot) };
  });
  return [...keys, ...roles];
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeSafeU64(viewOf(bytes), 0, value);
  return bytes;
}
