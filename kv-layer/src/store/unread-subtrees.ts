import type { Hasher } from '@cairn/commitments';
import {
  compareBytes,
  concatBytes,
  type FileStore,
  isFault,
  type KeyValueStore,
  type KeyValueWrite,
  readSafeU64,
  Semaphore,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import { keyText } from '../key-text.ts';
import { type StreamId, streamIdBytes, streamIdOf } from '../stream-id.ts';
import { bytesNamer } from '../tree/digests.ts';
import { prefixBytes } from '../tree/key-symbols.ts';
import { ascent } from '../tree/sorted-tree.ts';
import { pageName } from '../tree/tree-page.ts';
import { StateError } from './errors.ts';
import { KEY, type Keyspace, LATEST_HEAD_BYTES, TABLE } from './keyspace.ts';
import { damaged } from './row.ts';
import { SubtreeIntake } from './subtree-intake.ts';

/** What subtrees are read from and stored in. */
export interface UnreadDeps {
  readonly kv: KeyValueStore;
  readonly keys: Keyspace;
  /** Has the rows as they were in the snapshot. */
  readonly values: FileStore;
  readonly hasher: Hasher;
}

/** Rows of a snapshot that lie in the value file. */
export interface Subtree {
  readonly stream: StreamId;
  readonly first: Uint8Array;
  readonly last: Uint8Array;
  /** Where the rows begin in the value file, and their bytes. */
  readonly position: number;
  readonly sizeBytes: number;
  readonly rows: number;
  /** Of the branch that they are below. */
  readonly hash: Uint8Array;
}

interface Listed extends Subtree {
  isRead: boolean;
  /** While it is read. */
  reading?: Promise<void> | undefined;
}

/** The subtrees of one stream. */
interface Part {
  /** In the order of their keys. */
  readonly subtrees: Listed[];
  /** Those that were not read, by the name of their topmost page. */
  readonly byPage: Map<string, Listed>;
  unread: number;
  /** Before this index all were read. */
  next: number;
}

const HEAD_BYTES = 1 + 8 + 4 + 4 + 32 + 4;
const READ = Uint8Array.of(1);
/** Subtrees that are looked at beyond where a walk begins: they have more rows than it looks up at once. */
const MAX_AHEAD = 32;
/** Subtrees that are in memory at once: each takes up to some 20 MB while it is hashed and stored. */
const READ_TOGETHER = 4;
/** Records that are deleted together. */
const DELETED_TOGETHER = 4096;

/** Where a subtree's record is stored. */
export function subtreeKey(
  keys: Keyspace,
  { stream, first }: Pick<Subtree, 'stream' | 'first'>,
): Uint8Array {
  return keys.key(KEY.subtree, streamIdBytes(stream), first);
}

/** A subtree’s record: 0, or 1 once it was read; position u64, bytes u32, rows u32, hash 32, length of the last key u32, last key. */
export function encodeSubtree(subtree: Subtree): Uint8Array {
  const { position, sizeBytes, rows, hash, last } = subtree;
  const head = new Uint8Array(HEAD_BYTES);
  const view = viewOf(head);
  writeSafeU64(view, 1, position);
  view.setUint32(9, sizeBytes);
  view.setUint32(13, rows);
  head.set(hash, 17);
  view.setUint32(49, last.length);
  return concatBytes(head, last);
}

/**
 * What a state began with and did not look at yet: subtrees of a snapshot whose hashes the state's root
 * is made of, and whose rows lie in the value file as they came. Whoever needs a row or a page of one waits
 * until the subtree was read, proven by its hash and stored like everything else; from then on nothing
 * tells it apart.
 *
 * A key between two subtrees needs both: only once they are proven is it sure that they end where they say.
 * One that is written there, and was not asked for, needs neither: what the root is then is sure once all are proven.
 */
export class UnreadSubtrees {
  readonly #deps: UnreadDeps;
  readonly #parts = new Map<StreamId, Part>();
  readonly #nameOf: (bytes: Uint8Array) => Uint8Array;
  /** Each subtree waits once, however many wait for it, so no more wait than there are. */
  readonly #room = new Semaphore({
    limit: READ_TOGETHER,
    maxWaiting: Number.POSITIVE_INFINITY,
  });
  #left = 0;
  #refused: StateError | undefined;

  private constructor(deps: UnreadDeps) {
    this.#deps = deps;
    this.#nameOf = bytesNamer(deps.hasher);
  }

  /** @throws {StateError} KV_STATE_DAMAGED; what the store throws */
  static async load(deps: UnreadDeps, signal: AbortSignal): Promise<UnreadSubtrees> {
    const unread = new UnreadSubtrees(deps);
    const range = deps.keys.range(KEY.subtree);
    for await (const [key, value] of deps.kv.entries(range, { signal })) unread.#list(key, value);
    return unread;
  }

  /** How many were not read. */
  get left(): number {
    return this.#left;
  }

  /** Why the snapshot is none, once a subtree turned out to be another than its hash says. */
  get refused(): StateError | undefined {
    return this.#refused;
  }

  /**
   * Reads what a key's row is in, or would be.
   *
   * @returns `undefined` if there is nothing to wait for
   * @throws {StateError} KV_SNAPSHOT_ROOT, KV_SNAPSHOT_MALFORMED; what store and value file throw
   */
  ready(stream: StreamId, key: Uint8Array): Promise<void> | undefined {
    if (this.#left === 0) return undefined;
    const part = this.#parts.get(stream);
    if (part === undefined || part.unread === 0) return undefined;
    const [from, to] = around(part.subtrees, key);
    return this.#readAll(part.subtrees.slice(from, to));
  }

  /** `ready` of the rows that are stored under keys. */
  async readyStored(stored: readonly Uint8Array[]): Promise<void> {
    if (this.#left === 0) return;
    for (const key of stored) {
      if (key[5] !== TABLE.keys) continue;
      const stream = streamIdOf(key.subarray(6, LATEST_HEAD_BYTES));
      await this.ready(stream, key.subarray(LATEST_HEAD_BYTES));
    }
  }

  /** Reads the subtrees whose topmost pages have names. Pages are asked for from above, so these come first. */
  async readyPages(stream: StreamId, names: readonly Uint8Array[]): Promise<void> {
    const part = this.#left === 0 ? undefined : this.#parts.get(stream);
    if (part === undefined || part.unread === 0) return;
    const wanted = names.flatMap((name) => part.byPage.get(keyText(name)) ?? []);
    await this.#readAll(wanted);
  }

  /**
   * Reads the first of what a walk through rows comes to.
   *
   * @param from - the key at which it begins: itself the first, or in reverse behind the first; from the end
   * of the rows unless told
   * @returns how far the rows are all there: the key before which, or in reverse with which, the known part
   * ends; `undefined` where nothing ends it
   */
  async readyFrom(
    stream: StreamId,
    from: Uint8Array | undefined,
    isReverse: boolean,
  ): Promise<Uint8Array | undefined> {
    const part = this.#left === 0 ? undefined : this.#parts.get(stream);
    if (part === undefined || part.unread === 0) return undefined;
    const { subtrees } = part;
    const edge = isReverse ? subtrees.length : 0;
    let [low, high] = from === undefined ? [edge, edge] : around(subtrees, from, isReverse);
    // One at the end has no neighbour there.
    low = Math.min(low, subtrees.length - 1);
    high = Math.max(high, 1);
    await this.#readAll(subtrees.slice(low, high));
    if (isReverse) {
      const end = Math.max(0, low - MAX_AHEAD);
      while (low > end && subtrees[low - 1]?.isRead === true) low -= 1;
      return low === 0 ? undefined : subtrees[low]?.first;
    }
    const end = Math.min(subtrees.length, high + MAX_AHEAD);
    while (high < end && subtrees[high]?.isRead === true) high += 1;
    const last = subtrees[high - 1]?.last;
    return high === subtrees.length || last === undefined
      ? undefined
      : concatBytes(last, Uint8Array.of(0));
  }

  /**
   * Reads one more subtree, or forgets some of those that were read once all are.
   *
   * @returns whether there is more to do
   * @throws as `ready`
   */
  async readNext({ signal }: { readonly signal: AbortSignal }): Promise<boolean> {
    signal.throwIfAborted();
    for (const part of this.#parts.values()) {
      while (part.subtrees[part.next]?.isRead === true) part.next += 1;
      const next = part.subtrees[part.next];
      if (next === undefined) continue;
      await this.#readAll([next]);
      return true;
    }
    return this.#forgetRead(signal);
  }

  /** Deletes the records of what was read. @returns whether there were any */
  async #forgetRead(signal: AbortSignal): Promise<boolean> {
    if (this.#parts.size === 0) return false;
    const { kv, keys } = this.#deps;
    const batch: KeyValueWrite[] = [];
    const range = { ...keys.range(KEY.subtree), limit: DELETED_TOGETHER };
    for await (const [key] of kv.entries(range, { signal })) {
      batch.push({ type: 'delete', key: key.slice() });
    }
    if (batch.length > 0) await kv.write(batch);
    else this.#parts.clear();
    return batch.length > 0;
  }

  async #readAll(subtrees: readonly Listed[]): Promise<void> {
    for (const subtree of subtrees) {
      if (subtree.isRead) continue;
      subtree.reading ??= this.#readInTurn(subtree).finally(() => {
        subtree.reading = undefined;
      });
      await subtree.reading;
    }
  }

  #readInTurn(subtree: Listed): Promise<void> {
    const { signal } = new AbortController(); // to its end, since others may wait for it as well
    return this.#room.run(() => this.#read(subtree), signal);
  }

  async #read(subtree: Listed): Promise<void> {
    const { kv, keys, values } = this.#deps;
    const bytes = await values.read(subtree.position, subtree.sizeBytes);
    let writes: readonly KeyValueWrite[];
    try {
      writes = new SubtreeIntake(this.#deps, subtree).take(bytes);
    } catch (error) {
      if (isSnapshotRefusal(error)) this.#refused ??= error;
      throw error;
    }
    const key = subtreeKey(keys, subtree);
    const value = encodeSubtree(subtree);
    value.set(READ);
    // Synced: were it lost where a later write is not, it would be read again over what changed since.
    await kv.write([...writes, { type: 'put', key, value }], { sync: true });
    subtree.isRead = true;
    const part = this.#parts.get(subtree.stream);
    if (part === undefined) return;
    part.unread -= 1;
    part.byPage.delete(this.#pageOf(subtree));
    this.#left -= 1;
  }

  #list(key: Uint8Array, value: Uint8Array): void {
    const lastBytes = value.length < HEAD_BYTES ? -1 : viewOf(value).getUint32(49);
    if (key.length < 37 || value.length !== HEAD_BYTES + lastBytes)
      damaged('subtree', value.length);
    const view = viewOf(value);
    const stream = streamIdOf(key.subarray(5, 37));
    const isRead = value[0] === READ[0];
    const subtree: Listed = {
      stream,
      first: key.slice(37),
      last: value.slice(HEAD_BYTES),
      position: readSafeU64(view, 1),
      sizeBytes: view.getUint32(9),
      rows: view.getUint32(13),
      hash: value.slice(17, 49),
      isRead,
    };
    let part = this.#parts.get(stream);
    if (part === undefined) {
      part = { subtrees: [], byPage: new Map(), unread: 0, next: 0 };
      this.#parts.set(stream, part);
    }
    part.subtrees.push(subtree);
    if (isRead) return;
    part.byPage.set(this.#pageOf(subtree), subtree);
    part.unread += 1;
    this.#left += 1;
  }

  #pageOf({ first, last }: Subtree): string {
    const position = ascent(first, last);
    return keyText(pageName({ position, path: prefixBytes(first, position) }, this.#nameOf));
  }
}

/** Whether an error says that a snapshot is none, or another than what was vouched for. */
export function isSnapshotRefusal(error: unknown): error is StateError {
  if (!(error instanceof StateError)) return false;
  return isFault(error, 'KV_SNAPSHOT_ROOT') || isFault(error, 'KV_SNAPSHOT_MALFORMED');
}

/**
 * The one subtree that a key is in, or its neighbours on both sides: from the first index to before the second.
 *
 * @param isBehind - whether what is just before the key is asked for, and not the key itself
 */
function around(subtrees: readonly Subtree[], key: Uint8Array, isBehind = false): [number, number] {
  let low = 0;
  let high = subtrees.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareBytes((subtrees[middle] as Subtree).first, key);
    if (order < 0 || (order === 0 && !isBehind)) low = middle + 1;
    else high = middle;
  }
  const before = subtrees[low - 1];
  if (before !== undefined && compareBytes(key, before.last) <= 0) return [low - 1, low];
  return [Math.max(0, low - 1), Math.min(subtrees.length, low + 1)];
}
