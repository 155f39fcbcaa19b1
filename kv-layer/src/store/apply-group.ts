import type { Hasher } from '@cairn/commitments';
import {
  type Address,
  type FileStore,
  MAX_GROUP_WRITES,
  MAX_REPLAY_GROUP,
  type Sequence,
} from '@cairn/primitives';
import { ACCESS_OP } from '../batch/access-op.ts';
import { type ParsedBatch, parseBatch } from '../batch/parse-batch.ts';
import type { BatchSource } from '../batch/stream-batch.ts';
import type { TextedKey } from '../key-text.ts';
import { impliedAccount } from '../replay/fold-controls.ts';
import {
  gateEntry,
  REFUSED,
  type ReplayOutcome,
  replayBatch,
  type StreamEntry,
} from '../replay/replay-batch.ts';
import { COMMIT, DOWNLOAD_FAILED } from '../replay/results.ts';
import { isAdmin, ROLE, type RoleKind, slotOf, ZERO_ADDRESS } from '../replay/role.ts';
import type { StreamId } from '../stream-id.ts';
import { parseTags } from '../tags.ts';
import { EMPTY_HASH } from '../tree/digests.ts';
import { GroupChanges, type NewRoot } from './group-changes.ts';
import { TABLE, type Table } from './keyspace.ts';
import type { Progress, RootRecord } from './records.ts';
import { ReplayGroup } from './replay-group.ts';
import { roleKey } from './role-row.ts';
import type { RowName, StateTables } from './state-tables.ts';
import type { StateTrees } from './state-trees.ts';

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
  readonly roots: readonly NewRoot[];
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
/** Writes that are read ahead of being applied: what they take is given back soon after. */
const PREPARED_WRITES = 4096;

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
  readonly #group: ReplayGroup;
  readonly #changes: GroupChanges;
  readonly #applied: AppliedEntry[] = [];
  #progress: Progress;
  /** Writes that were read, whatever became of them. */
  #writeCount = 0;

  constructor(
    deps: GroupDeps,
    state: { readonly progress: Progress; readonly roots: ReadonlyMap<StreamId, RootRecord> },
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    this.#signal = signal;
    this.#progress = state.progress;
    const roots = new Map(state.roots);
    this.#group = new ReplayGroup(deps.tables, (stream) => !roots.has(stream));
    this.#changes = new GroupChanges(deps, this.#group, roots, state.progress.valueBytes);
  }

  async run(inputs: readonly ReplayInput[]): Promise<AppliedGroup> {
    const group = inputs.slice(0, MAX_REPLAY_GROUP);
    let waitsFor: Sequence | undefined;
    let taken = 0;
    while (taken < group.length && this.#writeCount < MAX_GROUP_WRITES && waitsFor === undefined) {
      const prepared = await this.#prepare(group, taken);
      for (const one of prepared) {
        this.#signal.throwIfAborted();
        const outcome = await this.#judge(one);
        if (outcome === 'wait') {
          waitsFor = one.input.sequence;
          break;
        }
        if (outcome !== 'skip' && one.entry !== undefined)
          await this.#take(one, one.entry, outcome);
        this.#advance(one.input);
        taken += 1;
      }
    }
    if (taken > 0) this.#progress = await this.#changes.store(this.#progress);
    return {
      progress: this.#progress,
      roots: this.#changes.roots,
      applied: this.#applied,
      taken,
      ...(waitsFor === undefined ? {} : { waitsFor }),
    };
  }

  /** Reads some of the batches from `first` on and loads in one go what most of them need. */
  async #prepare(inputs: readonly ReplayInput[], first: number): Promise<Prepared[]> {
    const { watched } = this.#deps;
    const prepared: Prepared[] = [];
    let writes = 0;
    for (let at = first; at < inputs.length && writes < PREPARED_WRITES; at += 1) {
      const input = inputs[at];
      if (input === undefined) break;
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
      if (this.#writeCount + writes >= MAX_GROUP_WRITES) break;
    }
    this.#writeCount += writes;
    await this.#load(prepared);
    return prepared;
  }

  async #load(prepared: readonly Prepared[]): Promise<void> {
    const { watched, trees } = this.#deps;
    const asked: RowName[] = [];
    const changed = {
      [TABLE.keys]: new Map<StreamId, TextedKey[]>(),
      [TABLE.roles]: new Map<StreamId, TextedKey[]>(),
    };
    const change = (table: Table, stream: StreamId, name: TextedKey): void => {
      if (!watched.has(stream)) return;
      const names = changed[table].get(stream);
      if (names === undefined) changed[table].set(stream, [name]);
      else names.push(name);
    };
    const entries: StreamEntry[] = [];
    for (const { entry, batch } of prepared) {
      if (entry === undefined) continue;
      entries.push(entry);
      const { sender } = entry;
      for (const stream of entry.streams) {
        asked.push({ table: TABLE.roles, stream, key: accountKey(ROLE.writer, sender) });
        change(TABLE.roles, stream, { key: accountKey(ROLE.admin, sender) });
      }
      if (batch === undefined) continue;
      for (const { stream, key } of batch.reads) {
        if (watched.has(stream)) asked.push({ table: TABLE.keys, stream, key });
      }
      for (const write of batch.writes) change(TABLE.keys, write.stream, write);
      for (const { stream, op, account, key } of batch.controls) {
        const slot = slotOf(op, account ?? impliedAccount(op, sender), key);
        change(TABLE.roles, stream, { key: roleKey(slot) });
      }
    }
    await this.#group.load(asked);
    await this.#loadCounts(entries);
    for (const table of [TABLE.keys, TABLE.roles]) {
      for (const [stream, names] of changed[table]) {
        const tree = await trees.tree(table, stream);
        await this.#group.loadForChange({ table, stream }, names, tree);
      }
    }
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
    if (pairs.length > 0) await this.#group.loadCounts(pairs);
  }

  async #loadCounts(entries: readonly StreamEntry[]): Promise<void> {
    const pairs = entries.flatMap(({ sender, streams }) =>
      streams.map((stream) => ({ stream, account: sender })),
    );
    await this.#group.loadCounts(pairs);
  }

  async #take(one: Prepared, entry: StreamEntry, { result, change }: ReplayOutcome): Promise<void> {
    const { sequence, streams } = entry;
    this.#changes.noteResult(sequence, result);
    if (result === DOWNLOAD_FAILED) {
      this.#progress = { ...this.#progress, holes: this.#progress.holes + 1 };
    }
    const { source } = one;
    const isCommit = result === COMMIT && change !== undefined;
    const roots =
      isCommit && source !== undefined && source !== 'gone'
        ? await this.#changes.commit(sequence, change, source, this.#signal)
        : [];
    this.#applied.push({ sequence, streams, result, roots });
  }

  #advance({ sequence, timeSeconds }: ReplayInput): void {
    const isFirst = sequence === this.#progress.first;
    // Blocks of one chain never go back in time; another's clock must not make expiry undone.
    const time = Math.max(timeSeconds, isFirst ? 0 : this.#progress.timeSeconds);
    if (isFirst || time !== this.#progress.timeSeconds) this.#changes.noteTime(sequence, time);
    this.#progress = { ...this.#progress, next: sequence + 1, timeSeconds: time };
  }
}

/** A batch of few bytes is read at once: its values are read next. */
async function inMemory(source: BatchSource, signal: AbortSignal): Promise<BatchSource> {
  const { sizeBytes } = source;
  if (source.bytes !== undefined || sizeBytes > MAX_HELD_BYTES) return source;
  return { ...source, bytes: await source.read(0, sizeBytes, { signal }) };
}

/** The key of an account's role of a kind. */
function accountKey(kind: RoleKind, account: Address): Uint8Array {
  return roleKey({ kind, account, key: EMPTY_HASH.subarray(0, 0) });
}
