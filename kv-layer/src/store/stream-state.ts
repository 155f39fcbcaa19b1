import type { Hasher } from '@cairn/commitments';
import {
  abortable,
  type FileStore,
  type KeyValueStore,
  type Sequence,
  sequenceOf,
  utf8Text,
} from '@cairn/primitives';
import { gateEntry } from '../replay/replay-batch.ts';
import { DOWNLOAD_FAILED } from '../replay/results.ts';
import { ROLE } from '../replay/role.ts';
import type { StreamId } from '../stream-id.ts';
import { parseTags } from '../tags.ts';
import { type AppliedEntry, applyGroup, type GroupDeps, type ReplayInput } from './apply-group.ts';
import { StateError } from './errors.ts';
import { KEY, Keyspace, TABLE } from './keyspace.ts';
import type { Progress, RootRecord } from './records.ts';
import { ReplayGroup } from './replay-group.ts';
import { roleKey } from './role-row.ts';
import { rollbackGroup } from './rollback-group.ts';
import { Serial } from './serial.ts';
import { claimState, type StateIdentity, sortedStreams, stateDomain } from './state-identity.ts';
import { lastNumber, StateTables } from './state-tables.ts';
import { StateTrees } from './state-trees.ts';
import { UnreadSubtrees } from './unread-subtrees.ts';

/** What a state is kept with. */
export interface StreamStateDeps {
  /** May hold other generations, and other records under other first bytes. */
  readonly kv: KeyValueStore;
  /** Values too long for their rows; belongs to this generation alone. */
  readonly values: FileStore;
  readonly hasher: Hasher;
}

/** How a state is opened. */
export interface OpenStateOptions {
  readonly signal: AbortSignal;
  /** The part of the store to use; 0 unless told. */
  readonly generation?: number;
  /** The first entry to replay, if the state is new; 0 unless told. A later one misses history. */
  readonly firstSequence?: Sequence;
}

/** What `StreamState.apply` did. */
export interface AppliedEntries {
  /** Entries of this state, in order; others are passed over. */
  readonly applied: readonly AppliedEntry[];
  /** The entry whose file is needed to go on; nothing from it on was applied. */
  readonly waitsFor?: Sequence;
}

/** What there is to say of the next entry before its file is there. */
export type Gate = 'skip' | 'refuse' | 'read';

/**
 * The state of the watched streams after the entries applied so far: rows of every version, roles,
 * results and state roots. Entries are applied in order, each group as one synced batch, so that a
 * crash leaves the state before or after a group, never between; they are taken back the same way.
 *
 * One writer; reads come from anywhere at any time, by way of `StreamReads` and `tables`.
 */
export class StreamState {
  readonly identity: StateIdentity;
  /** The watched streams, ascending. */
  readonly streams: readonly StreamId[];
  /** What the state is a function of, 32 bytes; part of every state root. */
  readonly domain: Uint8Array;
  /** Looks up what is stored, as of any version. */
  readonly tables: StateTables;
  /** The trees of the state as it is now; only under `exclusively`. */
  readonly trees: StateTrees;
  readonly values: FileStore;
  readonly hasher: Hasher;
  /** What of the snapshot that it began with was not looked at yet. */
  readonly unread: UnreadSubtrees;
  readonly #deps: GroupDeps;
  readonly #turns = new Serial();
  #progress: Progress;
  #roots: ReadonlyMap<StreamId, RootRecord>;
  #branch = 0;
  #revision = 0;
  /** What is being taken back. */
  #step: Promise<unknown> | undefined;
  #isStale = false;

  private constructor(
    deps: StreamStateDeps,
    identity: StateIdentity,
    loaded: {
      tables: StateTables;
      unread: UnreadSubtrees;
      progress: Progress;
      roots: ReadonlyMap<StreamId, RootRecord>;
    },
  ) {
    const { tables, unread, progress, roots } = loaded;
    this.identity = identity;
    this.streams = sortedStreams(identity.streams);
    this.domain = stateDomain(identity);
    this.tables = tables;
    this.values = deps.values;
    this.hasher = deps.hasher;
    this.unread = unread;
    this.trees = new StateTrees(tables, deps.hasher);
    this.#progress = progress;
    this.#roots = roots;
    const { domain, trees, values, hasher } = this;
    const watched = new Set(this.streams);
    this.#deps = { tables, trees, values, hasher, domain, watched };
  }

  /**
   * Opens the state in `kv`, or begins one.
   *
   * @throws {StateError} KV_WRONG_STATE, KV_STATE_VERSION, KV_STATE_DAMAGED
   */
  static async open(
    deps: StreamStateDeps,
    identity: StateIdentity,
    { signal, generation = 0, firstSequence = sequenceOf(0) }: OpenStateOptions,
  ): Promise<StreamState> {
    const keys = new Keyspace(generation);
    await claimState(deps.kv, keys, identity);
    const unread = await UnreadSubtrees.load({ ...deps, keys }, signal);
    const tables = new StateTables(deps.kv, keys, unread);
    const progress = (await tables.progress()) ?? {
      next: firstSequence,
      first: firstSequence,
      timeSeconds: 0,
      valueBytes: 0,
      holes: 0,
      oldest: 0,
    };
    const roots = await loadRoots(tables, identity.streams, signal);
    return new StreamState(deps, identity, { tables, unread, progress, roots });
  }

  /** The entry that is applied next: how far the state is. The newest version is one less. */
  get nextSequence(): Sequence {
    return sequenceOf(this.#progress.next);
  }

  /** The first entry that was ever applied. */
  get firstSequence(): Sequence {
    return sequenceOf(this.#progress.first);
  }

  /** Chain time of the last entry, in seconds. */
  get timeSeconds(): number {
    return this.#progress.timeSeconds;
  }

  /** Entries that were given up on: with any, the state is this node's own. */
  get holeCount(): number {
    return this.#progress.holes;
  }

  /** The oldest version that can be read: a state that began with a snapshot has no older ones. */
  get oldestVersion(): number {
    return this.#progress.oldest;
  }

  /** Grows whenever entries are taken back: what was read before may not be there any more. */
  get branch(): number {
    return this.#branch;
  }

  /** Whether entries are being taken back: rows and `nextSequence` are not of one version. */
  get isTakingBack(): boolean {
    return this.#step !== undefined;
  }

  /** Resolves once no entries are being taken back. @throws the signal's reason */
  async settled({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    while (this.#step !== undefined) await abortable(this.#step, signal);
  }

  /** Grows whenever what is read may change: between two equal ones every read of the newest version is the same. */
  get revision(): number {
    return this.#revision;
  }

  /** Whether a stream is replayed here. */
  isWatched(stream: StreamId): boolean {
    return this.#deps.watched.has(stream);
  }

  /** Whether a log entry is a batch of this state: all its streams are watched. */
  concerns(tags: Uint8Array): boolean {
    return parseTags(tags)?.every((stream) => this.isWatched(stream)) ?? false;
  }

  /**
   * What can be said of an entry by the state now: `read` if its file decides, `refuse` if its
   * sender may not write to a tagged stream whatever it holds, `skip` if it is none of this state's.
   * Exact for the next entry; a guess for later ones.
   */
  async gate({
    sequence,
    sender,
    tags,
  }: Pick<ReplayInput, 'sequence' | 'sender' | 'tags'>): Promise<Gate> {
    const streams = parseTags(tags);
    if (streams === undefined || !this.concerns(tags)) return 'skip';
    const group = new ReplayGroup(this.tables, (stream) => !this.#roots.has(stream));
    const kinds = [ROLE.admin, ROLE.writer];
    await group.load(
      streams.flatMap((stream) =>
        kinds.map((kind) => {
          const key = roleKey({ kind, account: sender, key: new Uint8Array(0) });
          return { table: TABLE.roles, stream, key };
        }),
      ),
    );
    await group.loadCounts(streams.map((stream) => ({ stream, account: sender })));
    return gateEntry({ sequence, sender, streams }, this.#deps.watched, group);
  }

  /**
   * Applies entries, which follow each other and begin with the next one, in groups. Stops before an
   * entry whose file is needed and absent.
   *
   * @throws {StateError} KV_GAP; KV_SNAPSHOT_ROOT, KV_SNAPSHOT_MALFORMED where a part of the snapshot that it
   * began with is needed and does not hold; what the store, a source or the value file throw: whole groups
   * before were applied then, nothing of the one that failed
   */
  apply(
    inputs: readonly ReplayInput[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<AppliedEntries> {
    return this.exclusively(async () => {
      const applied: AppliedEntry[] = [];
      let rest = this.#checkOrder(inputs);
      while (rest.length > 0) {
        signal.throwIfAborted();
        const state = { progress: this.#progress, roots: this.#roots };
        const group = await this.#guarded(() => applyGroup(this.#deps, state, rest, signal));
        this.#revision += 1;
        this.#progress = group.progress;
        this.#roots = group.roots;
        for (const entry of group.applied) applied.push(entry);
        if (group.waitsFor !== undefined) return { applied, waitsFor: group.waitsFor };
        rest = rest.slice(group.taken);
      }
      return { applied };
    });
  }

  /**
   * Takes back every entry from `to` on; it is the next one then. Reorganisations of any depth; a
   * deep one goes in several synced steps, and after a crash between them is gone on with by
   * calling again.
   *
   * @throws {StateError} KV_ROLLBACK_AHEAD, KV_ROOT_MISMATCH, KV_STATE_DAMAGED; KV_SNAPSHOT_ROOT,
   * KV_SNAPSHOT_MALFORMED as `apply`
   */
  rollback(to: Sequence, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return this.exclusively(async () => {
      const { next, first } = this.#progress;
      if (to > next || to < first) {
        throw new StateError(
          { code: 'KV_ROLLBACK_AHEAD', to, next: sequenceOf(next) },
          `entries ${first} to ${next - 1} were applied; none of them leads back to ${to}`,
        );
      }
      while (this.#progress.next > to) {
        signal.throwIfAborted();
        this.#branch += 1;
        this.#revision += 1; // rows go back before `progress` does
        const state = { progress: this.#progress, roots: this.#roots };
        const step = this.#guarded(() => rollbackGroup(this.#deps, state, to, signal));
        this.#step = step.catch(() => undefined);
        try {
          const left = await step;
          this.#progress = left.progress;
          this.#roots = left.roots;
        } finally {
          this.#step = undefined;
          this.#branch += 1; // for reads that began meanwhile
          this.#revision += 1;
        }
      }
    });
  }

  /** The roots of a stream now; `undefined` if nothing was committed to it. */
  currentRoot(stream: StreamId): RootRecord | undefined {
    return this.#roots.get(stream);
  }

  /** The result of an entry; `undefined` if it is not decided yet or none of this state's. */
  async resultOf(sequence: Sequence): Promise<string | undefined> {
    const bytes = await this.tables.kv.get(this.tables.keys.key(KEY.result, sequence));
    return bytes === undefined ? undefined : utf8Text(bytes);
  }

  /** Entries that were given up on, ascending, at most `limit` from `from` on. */
  async holes({
    from = sequenceOf(0),
    limit = 1000,
    signal,
  }: {
    readonly from?: Sequence;
    readonly limit?: number;
    readonly signal: AbortSignal;
  }): Promise<Sequence[]> {
    const found: Sequence[] = [];
    if (this.#progress.holes === 0) return found;
    const { keys, kv } = this.tables;
    const { lt } = keys.range(KEY.result);
    const range = { gte: keys.key(KEY.result, from), ...(lt === undefined ? {} : { lt }) };
    for await (const [key, value] of kv.entries(range, { signal })) {
      if (found.length === limit || found.length === this.#progress.holes) break;
      if (utf8Text(value) === DOWNLOAD_FAILED) found.push(sequenceOf(lastNumber(key)));
    }
    return found;
  }

  /**
   * Chain time at a version: that of the entry, of whatever kind, whose sequence is the version.
   *
   * @returns seconds; 0 before the first entry
   */
  async timeAt(version: number, signal: AbortSignal): Promise<number> {
    if (version >= this.#progress.next - 1) return this.#progress.timeSeconds;
    const { keys, kv } = this.tables;
    const { gte } = keys.range(KEY.time);
    const range = {
      ...(gte === undefined ? {} : { gte }),
      lt: keys.key(KEY.time, version + 1),
      reverse: true,
      limit: 1,
    };
    for await (const [, value] of kv.entries(range, { signal })) return lastNumber(value);
    return 0;
  }

  /** Runs while nothing is applied or taken back. @throws what `task` throws */
  exclusively<Result>(task: () => Promise<Result>): Promise<Result> {
    return this.#turns.run(async () => {
      if (this.#isStale) await this.#reload();
      return task();
    });
  }

  /** After a failure what is in memory is not what is stored: it is loaded again before the next turn. */
  async #guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      this.#isStale = true;
      this.#revision += 1;
      this.trees.forget();
      throw error;
    }
  }

  async #reload(): Promise<void> {
    const { signal } = new AbortController(); // short, and needed by whoever comes next
    this.#progress = (await this.tables.progress()) ?? this.#progress;
    this.#roots = await loadRoots(this.tables, this.streams, signal);
    this.#isStale = false;
    this.#revision += 1;
  }

  #checkOrder(inputs: readonly ReplayInput[]): readonly ReplayInput[] {
    for (const [index, { sequence }] of inputs.entries()) {
      const expected = sequenceOf(this.#progress.next + index);
      if (sequence === expected) continue;
      throw new StateError(
        { code: 'KV_GAP', expected, actual: sequence },
        `the next entry is ${expected}, not ${sequence}`,
      );
    }
    return inputs;
  }
}

async function loadRoots(
  tables: StateTables,
  streams: readonly StreamId[],
  signal: AbortSignal,
): Promise<Map<StreamId, RootRecord>> {
  const roots = new Map<StreamId, RootRecord>();
  for (const stream of streams) {
    const root = await tables.rootAt(stream, Number.MAX_SAFE_INTEGER - 1, signal);
    if (root !== undefined) roots.set(stream, root);
  }
  return roots;
}
