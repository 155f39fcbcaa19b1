import {
  assertNodeLayout,
  FlowTree,
  type Hasher,
  type NodeLookup,
  nobleHasher,
} from '@cairn/commitments';
import {
  type Address,
  type BlockMark,
  type ChainEntry,
  type ChainId,
  type ChainStep,
  type KeyValueStore,
  type KeyValueWrite,
  LruCache,
  MAX_BLOCK_MARKS,
  type Root,
  readSafeU64,
  rootBytes,
  type Sequence,
  sequenceOf,
  toHex,
  viewOf,
} from '@cairn/primitives';
import { LogError } from './errors.ts';
import { flowNodeKey, KEY, keyOf, lastNumber, numberRange, rangeOf } from './keyspace.ts';
import {
  decodeEntry,
  type EntryState,
  isSameEntry,
  type LogEntry,
  logEntryOf,
} from './log-entry.ts';
import {
  assertPlaced,
  entryWrites,
  type LoadedState,
  loadState,
  markWrite,
  NOTHING,
  nextWrite,
  refuseDamaged,
  removalWrites,
  type StoredMark,
} from './log-records.ts';
import { Serial } from './serial.ts';
import { claimStore, type StoreIdentity } from './store-identity.ts';

/** Memory for entries asked for lately, and what one takes besides its tags. */
const MAX_CACHED_ENTRY_BYTES = 8 * 1024 * 1024;
const ENTRY_BYTES = 1500;
const FINALIZED = 1;
const PRUNED = 2;

type PairHasher = Pick<Hasher, 'hashMany'>;

/** What a step changed. */
export interface AppliedStep {
  /** New entries, in order. */
  readonly added: readonly LogEntry[];
  /** Entries that are no longer on the chain, newest first. */
  readonly removed: readonly LogEntry[];
}

/**
 * The chain's log as stored here: entries by sequence, roots, states, the flow tree and the blocks
 * applied. Each step is one synced batch, so that a crash leaves it before or after, never between.
 *
 * One writer applies steps; reads may come from anywhere at any time.
 */
export class LogStore {
  readonly #kv: KeyValueStore;
  readonly #identity: StoreIdentity;
  readonly #hasher: PairHasher;
  readonly #writes = new Serial();
  readonly #entries = new LruCache<Sequence, LogEntry>({
    maxWeight: MAX_CACHED_ENTRY_BYTES,
    weigh: ({ tags }) => ENTRY_BYTES + tags.length,
  });
  /** Grows with each rollback: what was read before one is not remembered after it. */
  #branch = 0;
  #marks: StoredMark[];
  #tree: FlowTree;
  #next: number;
  #oldestOrphanBlock: number;

  private constructor(
    kv: KeyValueStore,
    identity: StoreIdentity,
    loaded: LoadedState,
    hasher: PairHasher,
  ) {
    this.#kv = kv;
    this.#identity = identity;
    this.#hasher = hasher;
    this.#marks = loaded.marks;
    this.#tree = loaded.tree;
    this.#next = loaded.next;
    this.#oldestOrphanBlock = loaded.oldestOrphanBlock;
  }

  /**
   * Opens the log in `kv`, which may hold the segment store's records too.
   *
   * @param options.hasher - hashes the flow tree, some ten hashes an entry; the plain one unless told
   * @throws {LogError} LOG_STORE_WRONG_CHAIN, LOG_STORE_VERSION, LOG_STORE_DAMAGED
   */
  static async open(
    kv: KeyValueStore,
    identity: StoreIdentity,
    {
      signal,
      hasher = nobleHasher,
    }: { readonly signal: AbortSignal; readonly hasher?: PairHasher },
  ): Promise<LogStore> {
    await claimStore(kv, identity);
    return new LogStore(kv, identity, await loadState(kv, hasher, signal), hasher);
  }

  get chainId(): ChainId {
    return this.#identity.chainId;
  }

  get flow(): Address {
    return this.#identity.flow;
  }

  /** The sequence the next entry will have: how many entries there are. */
  get nextSequence(): Sequence {
    return sequenceOf(this.#next);
  }

  /** The newest block applied. */
  get newestBlock(): BlockMark | undefined {
    return this.marks().at(-1);
  }

  /** Blocks applied, oldest first, at most 256: what `ChainLog.follow` asks for. */
  marks(): readonly BlockMark[] {
    return this.#marks.map(({ number, hash }) => ({ number, hash }));
  }

  /** Sectors of the flow, leaf 0 included: the contract's `currentLength`. */
  get flowLength(): number {
    return this.#tree.length;
  }

  /** The flow root, 32 bytes. */
  flowRoot(): Uint8Array {
    return this.#tree.root();
  }

  /**
   * Length of the flow when its root was `root`; known for now and after each of the last 256
   * blocks applied.
   */
  flowLengthOf(root: Uint8Array): number | undefined {
    const wanted = toHex(root);
    if (toHex(this.#tree.root()) === wanted) return this.#tree.length;
    for (const { snapshot } of this.#marks.toReversed()) {
      const tree = FlowTree.restore(snapshot, this.#hasher);
      if (toHex(tree.root()) === wanted) return tree.length;
    }
    return undefined;
  }

  /** Finds nodes of the flow tree, for proofs. */
  get flowNodes(): NodeLookup {
    return (level, index) => this.#kv.get(flowNodeKey(level, index));
  }

  /** The entry of a sequence. Lately used ones are in memory. @throws {LogError} LOG_STORE_DAMAGED */
  async entryAt(sequence: Sequence): Promise<LogEntry | undefined> {
    const known = this.#entries.get(sequence);
    if (known !== undefined) return known;
    const branch = this.#branch;
    const bytes = await this.#kv.get(keyOf(KEY.entry, sequence));
    if (bytes === undefined) return undefined;
    const entry = decodeEntry(sequence, bytes, this.#hasher);
    if (branch === this.#branch) this.#entries.set(sequence, entry);
    return entry;
  }

  /** The entry whose sectors, padding included, hold sector `sector` of the flow. */
  async entryOfSector(sector: number, signal: AbortSignal): Promise<LogEntry | undefined> {
    const range = { ...numberRange(KEY.start, 0, sector + 1), reverse: true, limit: 1 };
    for await (const [, value] of this.#kv.entries(range, { signal })) {
      const entry = await this.entryAt(sequenceOf(lastNumber(value)));
      if (entry !== undefined && sector < entry.startSector + entry.paddedSectors) return entry;
    }
    return undefined;
  }

  /** Entries whose sectors, padding included, reach into `[from, to)`, in order. */
  async entriesWithin(from: number, to: number, signal: AbortSignal): Promise<LogEntry[]> {
    const first = await this.entryOfSector(from, signal);
    const found = first === undefined ? [] : [first];
    for await (const [, value] of this.#kv.entries(numberRange(KEY.start, from + 1, to), {
      signal,
    })) {
      const entry = await this.entryAt(sequenceOf(lastNumber(value)));
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  /** State of an entry; of an unknown one: neither finalised nor pruned. */
  async stateOf(sequence: Sequence): Promise<EntryState> {
    const flags = (await this.#kv.get(keyOf(KEY.state, sequence)))?.[0] ?? 0;
    return { finalized: (flags & FINALIZED) !== 0, pruned: (flags & PRUNED) !== 0 };
  }

  /** Sequences of a root that are not pruned, ascending, at most `limit` (1,000 unless told). */
  async sequencesOf(
    root: Root,
    { signal, limit = 1000 }: { readonly signal: AbortSignal; readonly limit?: number },
  ): Promise<Sequence[]> {
    return this.#sequences({ ...rangeOf(KEY.root, rootBytes(root)), limit }, signal);
  }

  /** Finalised sequences of a root, ascending, at most `limit` (1,000 unless told). */
  async finalisedOf(
    root: Root,
    { signal, limit = 1000 }: { readonly signal: AbortSignal; readonly limit?: number },
  ): Promise<Sequence[]> {
    return this.#sequences({ ...rangeOf(KEY.finalised, rootBytes(root)), limit }, signal);
  }

  /**
   * The entry that a root means: the first finalised one, else the first that is not pruned.
   *
   * Pruned entries leave the root's list, so the answer is the same whether the caller needs it
   * available or not; 0G's `needAvailable` makes no difference here.
   */
  async findByRoot(root: Root, signal: AbortSignal): Promise<LogEntry | undefined> {
    const [finalised] = await this.finalisedOf(root, { signal, limit: 1 });
    const [first] =
      finalised === undefined ? await this.sequencesOf(root, { signal, limit: 1 }) : [];
    const sequence = finalised ?? first;
    return sequence === undefined ? undefined : this.entryAt(sequence);
  }

  /** Sequences from `from` on that are neither finalised nor pruned, ascending, at most `limit`. */
  async pendingFrom(
    from: number,
    { signal, limit = 1000 }: { readonly signal: AbortSignal; readonly limit?: number },
  ): Promise<Sequence[]> {
    const { lt } = rangeOf(KEY.pending);
    return this.#sequences({ gte: keyOf(KEY.pending, from), lt, limit }, signal);
  }

  /** Entries of a root that a rollback removed and whose pieces may still lie where they were. */
  async orphansOf(root: Root, signal: AbortSignal): Promise<LogEntry[]> {
    const orphans: LogEntry[] = [];
    const range = { ...rangeOf(KEY.orphan, rootBytes(root)), limit: 64 };
    for await (const [, value] of this.#kv.entries(range, { signal })) {
      const sequence = sequenceOf(readSafeU64(viewOf(value), 8));
      orphans.push(decodeEntry(sequence, value.slice(16), this.#hasher));
    }
    return orphans;
  }

  /** Whether the chain still has this file at this place under this sequence. */
  async isCurrent(entry: LogEntry): Promise<boolean> {
    const stored = await this.entryAt(entry.sequence);
    return stored !== undefined && isSameEntry(stored, entry);
  }

  /**
   * Marks an entry finalised, or takes the mark away.
   *
   * @returns whether that changed anything; `false` also if the chain replaced or we pruned it
   */
  async setFinalized(entry: LogEntry, finalized: boolean): Promise<boolean> {
    return this.#writes.run(async () => {
      const state = await this.stateOf(entry.sequence);
      if (state.finalized === finalized || state.pruned) return false;
      if (!(await this.isCurrent(entry))) return false;
      const byRoot = keyOf(KEY.finalised, rootBytes(entry.root), entry.sequence);
      const pending = keyOf(KEY.pending, entry.sequence);
      const flags = Uint8Array.of(finalized ? FINALIZED : 0);
      // A finalised mark follows from the pieces and is found again after a crash; its removal does
      // not, so only that is synced.
      await this.#kv.write(
        [
          { type: 'put', key: keyOf(KEY.state, entry.sequence), value: flags },
          finalized
            ? { type: 'put', key: byRoot, value: NOTHING }
            : { type: 'delete', key: byRoot },
          finalized
            ? { type: 'delete', key: pending }
            : { type: 'put', key: pending, value: NOTHING },
        ],
        { sync: !finalized },
      );
      return true;
    });
  }

  /**
   * Takes the finalised marks of entries away, in one synced batch with `alongside`: all of it or
   * nothing. Entries that are not finalised, or that the chain replaced, are left as they are.
   */
  async clearFinalized(
    entries: readonly LogEntry[],
    alongside: readonly KeyValueWrite[] = [],
  ): Promise<void> {
    await this.#writes.run(async () => {
      const batch: KeyValueWrite[] = [];
      for (const entry of entries) {
        const { finalized } = await this.stateOf(entry.sequence);
        if (!finalized || !(await this.isCurrent(entry))) continue;
        const { sequence } = entry;
        batch.push(
          { type: 'put', key: keyOf(KEY.state, sequence), value: Uint8Array.of(0) },
          { type: 'delete', key: keyOf(KEY.finalised, rootBytes(entry.root), sequence) },
          { type: 'put', key: keyOf(KEY.pending, sequence), value: NOTHING },
        );
      }
      batch.push(...alongside);
      if (batch.length > 0) await this.#kv.write(batch, { sync: true });
    });
  }

  /**
   * Marks the data of entries as given up, in one synced batch with `alongside`; they leave their
   * roots' lists. What the chain replaced is left as it is.
   */
  async markPruned(
    entries: readonly LogEntry[],
    alongside: readonly KeyValueWrite[] = [],
  ): Promise<void> {
    await this.#writes.run(async () => {
      const batch: KeyValueWrite[] = [];
      for (const entry of entries) {
        if (!(await this.isCurrent(entry))) continue;
        const root = rootBytes(entry.root);
        batch.push(
          { type: 'put', key: keyOf(KEY.state, entry.sequence), value: Uint8Array.of(PRUNED) },
          { type: 'delete', key: keyOf(KEY.root, root, entry.sequence) },
          { type: 'delete', key: keyOf(KEY.finalised, root, entry.sequence) },
          { type: 'delete', key: keyOf(KEY.pending, entry.sequence) },
        );
      }
      batch.push(...alongside);
      if (batch.length > 0) await this.#kv.write(batch, { sync: true });
    });
  }

  /**
   * Applies one step of the chain, all of it or nothing.
   *
   * @throws {LogError} LOG_GAP, LOG_MISPLACED, LOG_ROLLBACK_AHEAD
   * @throws {CommitmentError} NODE_LAYOUT for nodes that no file of that size has
   * @throws what the store throws; nothing is applied then
   */
  async apply(step: ChainStep, signal: AbortSignal): Promise<AppliedStep> {
    return this.#writes.run(async () =>
      step.kind === 'advance' ? this.#advance(step, signal) : this.#rollback(step.to, signal),
    );
  }

  async #advance(
    { through, entries }: Extract<ChainStep, { kind: 'advance' }>,
    signal: AbortSignal,
  ): Promise<AppliedStep> {
    const tree = FlowTree.restore(this.#tree.snapshot(), this.#hasher);
    const batch: KeyValueWrite[] = [];
    const added: LogEntry[] = [];
    let next = this.#next;
    for (const announced of entries) {
      if (announced.sequence < next) continue; // applied before: the chain tells it again
      const entry = this.#checked(announced, next);
      const placement = tree.append(entry.nodes);
      assertPlaced(entry, placement);
      for (const { level, index, hash } of placement.added) {
        batch.push({ type: 'put', key: flowNodeKey(level, index), value: hash });
      }
      batch.push(...entryWrites(entry));
      added.push(entry);
      next += 1;
    }
    const mark = { ...through, nextSequence: next, snapshot: tree.snapshot() };
    const marks = [...this.#marks.filter(({ number }) => number < through.number), mark];
    batch.push(markWrite(mark), nextWrite(next, mark.snapshot));
    for (const { number } of marks.splice(0, Math.max(0, marks.length - MAX_BLOCK_MARKS))) {
      batch.push({ type: 'delete', key: keyOf(KEY.block, number) });
    }
    const oldestOrphanBlock = await this.#forgetOrphans(through.number, batch, signal);
    await this.#kv.write(batch, { sync: true });
    this.#oldestOrphanBlock = oldestOrphanBlock;
    this.#tree = tree;
    this.#next = next;
    this.#marks = marks;
    for (const entry of added) this.#entries.set(entry.sequence, entry); // asked for right away
    return { added, removed: [] };
  }

  #checked(announced: ChainEntry, expected: number): LogEntry {
    if (announced.sequence !== expected) {
      throw new LogError(
        { code: 'LOG_GAP', expected: sequenceOf(expected), actual: announced.sequence },
        `the chain announces entry ${announced.sequence} where ${expected} is next`,
      );
    }
    assertNodeLayout(announced.nodes, announced.sizeBytes);
    return logEntryOf(announced, this.#hasher);
  }

  async #rollback(to: BlockMark | undefined, signal: AbortSignal): Promise<AppliedStep> {
    const newest = this.#marks.at(-1)?.number ?? -1;
    if (to !== undefined && to.number > newest) {
      throw new LogError(
        { code: 'LOG_ROLLBACK_AHEAD', to: to.number, newest },
        `the chain goes back to block ${to.number}, but block ${newest} is the newest known`,
      );
    }
    const removed = await this.#entriesAfter(to?.number ?? -1, signal);
    const next = this.#next - removed.length;
    const tree = await this.#treeAt(next, to?.number ?? -1);
    const batch: KeyValueWrite[] = removed.flatMap((entry) => removalWrites(entry, newest));
    const again = FlowTree.restore(tree.snapshot(), this.#hasher);
    for (const entry of removed.toReversed()) {
      for (const { level, index } of again.append(entry.nodes).added) {
        batch.push({ type: 'delete', key: flowNodeKey(level, index) });
      }
    }
    const limit = to?.number ?? -1;
    for (const { number } of this.#marks.filter((mark) => mark.number > limit)) {
      batch.push({ type: 'delete', key: keyOf(KEY.block, number) });
    }
    const marks = this.#marks.filter((mark) => mark.number < limit);
    const snapshot = tree.snapshot();
    if (to !== undefined) {
      const mark = { ...to, nextSequence: next, snapshot };
      marks.push(mark);
      batch.push(markWrite(mark));
    }
    batch.push(nextWrite(next, snapshot));
    await this.#kv.write(batch, { sync: true });
    this.#branch += 1;
    this.#entries.clear();
    if (removed.length > 0) this.#oldestOrphanBlock = Math.min(this.#oldestOrphanBlock, newest);
    this.#tree = tree;
    this.#next = next;
    this.#marks = marks;
    return { added: [], removed };
  }

  /** Entries of blocks after `blockNumber`, newest first. */
  async #entriesAfter(blockNumber: number, signal: AbortSignal): Promise<LogEntry[]> {
    const found: LogEntry[] = [];
    const range = { ...rangeOf(KEY.entry), reverse: true };
    for await (const [key, value] of this.#kv.entries(range, { signal })) {
      const entry = decodeEntry(sequenceOf(lastNumber(key)), value, this.#hasher);
      if (entry.block.number <= blockNumber) break;
      found.push(entry);
    }
    return found;
  }

  /** The flow tree after `count` entries, from the newest snapshot not after `blockNumber`. */
  async #treeAt(count: number, blockNumber: number): Promise<FlowTree> {
    const mark = this.#marks.findLast(
      ({ number, nextSequence }) => number <= blockNumber && nextSequence <= count,
    );
    const tree =
      mark === undefined
        ? FlowTree.empty(this.#hasher)
        : FlowTree.restore(mark.snapshot, this.#hasher);
    for (let sequence = mark?.nextSequence ?? 0; sequence < count; sequence += 1) {
      const entry = await this.entryAt(sequenceOf(sequence));
      if (entry === undefined) refuseDamaged('entry', 0);
      tree.append(entry.nodes);
    }
    return tree;
  }

  /** Drops orphans of rollbacks that no reorg the follower can unwind reaches; gives the oldest left. */
  async #forgetOrphans(
    blockNumber: number,
    batch: KeyValueWrite[],
    signal: AbortSignal,
  ): Promise<number> {
    const before = blockNumber - MAX_BLOCK_MARKS;
    if (this.#oldestOrphanBlock >= before) return this.#oldestOrphanBlock;
    let oldest = Number.POSITIVE_INFINITY;
    for await (const [key, value] of this.#kv.entries(rangeOf(KEY.orphan), { signal })) {
      const block = readSafeU64(viewOf(value), 0);
      if (block < before) batch.push({ type: 'delete', key });
      else oldest = Math.min(oldest, block);
    }
    return oldest;
  }

  async #sequences(
    range: Parameters<KeyValueStore['entries']>[0],
    signal: AbortSignal,
  ): Promise<Sequence[]> {
    const found: Sequence[] = [];
    for await (const [key] of this.#kv.entries(range, { signal })) {
      found.push(sequenceOf(lastNumber(key)));
    }
    return found;
  }
}
