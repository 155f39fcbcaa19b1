import { type Address, MAX_VALUE_SLICE_BYTES } from '@cairn/primitives';
import {
  hasWritePermission,
  isAdmin,
  isSpecialKey,
  isWriterOfKey,
  isWriterOfStream,
  ROLE,
  type RoleSlot,
  type RoleView,
  ZERO_ADDRESS,
} from '../replay/role.ts';
import { StateError } from '../store/errors.ts';
import { TABLE } from '../store/keyspace.ts';
import type { Row } from '../store/row.ts';
import type { RowRange } from '../store/state-tables.ts';
import type { StreamState } from '../store/stream-state.ts';
import type { StreamId } from '../stream-id.ts';

/** A part of a value, and what is said of the whole. */
export interface ValueSlice {
  /** The sequence that wrote or deleted the key; 0 if nobody ever did. */
  readonly version: number;
  /** Length of the whole value; 0 if there is none. */
  readonly valueBytes: number;
  readonly bytes: Uint8Array;
}

/** A part of the value of a key that was looked for. */
export interface KeySlice extends ValueSlice {
  readonly key: Uint8Array;
}

/** How reads are bounded and pinned. */
export interface ReadOptions {
  readonly signal: AbortSignal;
  /**
   * The state to read: after every entry up to this sequence. The newest unless told, and for
   * sequences that were not applied yet.
   */
  readonly version?: number;
}

/** Which part of a value is wanted; of length 0 for none of it. */
export interface SliceOptions extends ReadOptions {
  readonly start: number;
  readonly length: number;
}

/** How often a read begins anew because entries were taken back meanwhile. */
const MAX_READS = 3;
const NO_KEY = new Uint8Array(0);

/**
 * Reads as the official node answers them, of any version. Nothing here waits for the writer, and no
 * walk looks at a row twice.
 */
export class StreamReads {
  readonly #state: StreamState;

  constructor(state: StreamState) {
    this.#state = state;
  }

  /** The newest version there is; −1 before the first entry. */
  get newestVersion(): number {
    return this.#state.nextSequence - 1;
  }

  /** The version a read is pinned to. */
  pinned(version: number | undefined): number {
    return version === undefined ? this.newestVersion : Math.min(version, this.newestVersion);
  }

  /**
   * A part of a key's value. Never written: version 0 and no value; deleted: the deletion's version.
   *
   * @throws {StateError} KV_TOO_MUCH beyond 262,144 bytes, KV_KEY_EMPTY, KV_SLICE_START, in this order
   */
  value(stream: StreamId, key: Uint8Array, options: SliceOptions): Promise<ValueSlice> {
    return this.steady(options, async (version) => {
      assertSlice(options);
      assertKeyGiven(key);
      const row = await this.#state.tables.rowAt(
        { table: TABLE.keys, stream, key },
        version,
        options.signal,
      );
      return this.#slice(row, options);
    });
  }

  /**
   * `value` without waiting: whole values of the newest version that lie beside their keys, as long as
   * the index can be asked at once. Most of what a node is asked.
   *
   * @returns `undefined` for everything else, faults among it: ask `value`
   */
  valueNow(
    stream: StreamId,
    key: Uint8Array,
    { start, length, version }: Pick<SliceOptions, 'start' | 'length' | 'version'>,
  ): ValueSlice | undefined {
    if (start !== 0 || key.length === 0 || length > MAX_VALUE_SLICE_BYTES) return undefined;
    if (this.#state.isTakingBack) return undefined;
    const pinned = this.pinned(version);
    if (pinned < this.#state.oldestVersion) return undefined;
    const row = this.#state.tables.rowNow({ table: TABLE.keys, stream, key }, pinned);
    if (row === null) return undefined;
    if (row === undefined) return { version: 0, valueBytes: 0, bytes: NO_KEY };
    const { valueBytes, inline } = row;
    if (inline === undefined || valueBytes > length) return undefined;
    return { version: row.version, valueBytes, bytes: inline };
  }

  /**
   * A key's value, whole.
   *
   * @param maxBytes - `KV_TOO_MUCH` beyond
   * @returns `undefined` if there is none
   */
  wholeValue(
    stream: StreamId,
    key: Uint8Array,
    { maxBytes, ...options }: ReadOptions & { readonly maxBytes: number },
  ): Promise<ValueSlice | undefined> {
    return this.steady(options, async (version) => {
      assertKeyGiven(key);
      const name = { table: TABLE.keys, stream, key };
      const row = await this.#state.tables.rowAt(name, version, options.signal);
      if (row === undefined || row.valueBytes === 0) return undefined;
      const { valueBytes } = row;
      if (valueBytes > maxBytes) refuse('bytes of a value', valueBytes, maxBytes);
      return { version: row.version, valueBytes, bytes: await this.bytesOf(row, 0, valueBytes) };
    });
  }

  /** The smallest key after `key`, or at it if `isInclusive`. @throws as `value` */
  next(
    stream: StreamId,
    key: Uint8Array,
    options: SliceOptions & { readonly isInclusive: boolean },
  ): Promise<KeySlice | undefined> {
    assertSlice(options);
    assertKeyGiven(key);
    return this.#find(stream, { from: options.isInclusive ? key : after(key) }, options);
  }

  /** The largest key before `key`, or at it if `isInclusive`. @throws as `value` */
  previous(
    stream: StreamId,
    key: Uint8Array,
    options: SliceOptions & { readonly isInclusive: boolean },
  ): Promise<KeySlice | undefined> {
    assertSlice(options);
    assertKeyGiven(key);
    const to = options.isInclusive ? after(key) : key;
    return this.#find(stream, { to, reverse: true }, options);
  }

  /** The smallest key. @throws as `value` */
  first(stream: StreamId, options: SliceOptions): Promise<KeySlice | undefined> {
    assertSlice(options);
    return this.#find(stream, {}, options);
  }

  /** The largest key. @throws as `value` */
  last(stream: StreamId, options: SliceOptions): Promise<KeySlice | undefined> {
    assertSlice(options);
    return this.#find(stream, { reverse: true }, options);
  }

  /** Whether the account may write the key; true for anyone in a stream that is still new. */
  hasWritePermission(
    stream: StreamId,
    { account, key }: { readonly account: Address; readonly key: Uint8Array },
    options: ReadOptions,
  ): Promise<boolean> {
    const slots = [
      slot(ROLE.admin, account),
      slot(ROLE.writer, account),
      slot(ROLE.specialKey, ZERO_ADDRESS, key),
      slot(ROLE.specialWriter, account, key),
    ];
    return this.#ask(stream, slots, options, (view) =>
      hasWritePermission(view, account, stream, key),
    );
  }

  isAdmin(stream: StreamId, account: Address, options: ReadOptions): Promise<boolean> {
    const slots = [slot(ROLE.admin, account)];
    return this.#ask(stream, slots, options, (view) => isAdmin(view, account, stream));
  }

  isSpecialKey(stream: StreamId, key: Uint8Array, options: ReadOptions): Promise<boolean> {
    const slots = [slot(ROLE.specialKey, ZERO_ADDRESS, key)];
    return this.#ask(stream, slots, options, (view) => isSpecialKey(view, stream, key));
  }

  isWriterOfKey(
    stream: StreamId,
    { account, key }: { readonly account: Address; readonly key: Uint8Array },
    options: ReadOptions,
  ): Promise<boolean> {
    const slots = [slot(ROLE.specialWriter, account, key)];
    return this.#ask(stream, slots, options, (view) => isWriterOfKey(view, account, stream, key));
  }

  isWriterOfStream(stream: StreamId, account: Address, options: ReadOptions): Promise<boolean> {
    const slots = [slot(ROLE.writer, account)];
    return this.#ask(stream, slots, options, (view) => isWriterOfStream(view, account, stream));
  }

  /**
   * Bytes of a row's value, within it.
   *
   * @throws what the value file throws
   */
  async bytesOf({ inline, position }: Row, start: number, length: number): Promise<Uint8Array> {
    if (inline !== undefined) return inline.slice(start, start + length);
    return position === undefined || length === 0
      ? NO_KEY
      : this.#state.values.read(position + start, length);
  }

  /**
   * Runs a read at one version, anew if entries were taken back meanwhile.
   *
   * @throws {StateError} KV_ROLLED_BACK if that happens again and again, KV_VERSION_PRUNED; what `read`
   * throws
   */
  async steady<Result>(
    { version: asked, signal }: ReadOptions,
    read: (version: number) => Promise<Result>,
  ): Promise<Result> {
    let version = this.pinned(asked);
    for (let count = 0; count < MAX_READS; count += 1) {
      signal.throwIfAborted();
      await this.#state.settled({ signal });
      const { branch } = this.#state;
      version = this.pinned(asked);
      this.#assertKept(version);
      const result = await read(version);
      if (branch === this.#state.branch) return result;
    }
    throw new StateError(
      { code: 'KV_ROLLED_BACK', version },
      `the chain took entries back while version ${version} was read, ${MAX_READS} times`,
    );
  }

  #assertKept(version: number): void {
    const { oldestVersion: oldest } = this.#state;
    if (version >= oldest || version < 0) return;
    throw new StateError(
      { code: 'KV_VERSION_PRUNED', version, oldest },
      `version ${version} is older than the snapshot of version ${oldest} that this state began with`,
    );
  }

  #find(stream: StreamId, range: RowRange, options: SliceOptions): Promise<KeySlice | undefined> {
    return this.steady(options, async (version) => {
      const { signal } = options;
      const rows = this.#state.tables.walk({ table: TABLE.keys, stream }, range, {
        version,
        signal,
      });
      for await (const [key, row] of rows) {
        if (row === undefined || row.valueBytes === 0) continue;
        return { key, ...(await this.#slice(row, options)) };
      }
      return undefined;
    });
  }

  async #slice(row: Row | undefined, { start, length }: SliceOptions): Promise<ValueSlice> {
    if (row === undefined) return { version: 0, valueBytes: 0, bytes: NO_KEY };
    const { version, valueBytes } = row;
    if (length === 0) return { version, valueBytes, bytes: NO_KEY };
    if (start > valueBytes) {
      throw new StateError(
        { code: 'KV_SLICE_START', start, valueBytes },
        `a part from byte ${start} of a value of ${valueBytes} bytes`,
      );
    }
    const bytes = await this.bytesOf(row, start, Math.min(length, valueBytes - start));
    return { version, valueBytes, bytes };
  }

  #ask(
    stream: StreamId,
    slots: readonly RoleSlot[],
    options: ReadOptions,
    question: (view: RoleView) => boolean,
  ): Promise<boolean> {
    return this.steady(options, async (version) => {
      const { signal } = options;
      return question(await this.#state.tables.roleView(stream, slots, { version, signal }));
    });
  }
}

function slot(kind: RoleSlot['kind'], account: Address, key: Uint8Array = NO_KEY): RoleSlot {
  return { kind, account, key };
}

/** The key right behind: nothing lies between. */
export function after(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

function assertSlice({ length }: SliceOptions): void {
  if (length > MAX_VALUE_SLICE_BYTES) refuse('bytes of a value', length, MAX_VALUE_SLICE_BYTES);
}

function assertKeyGiven(key: Uint8Array): void {
  if (key.length > 0) return;
  throw new StateError({ code: 'KV_KEY_EMPTY' }, 'a key has at least one byte');
}

function refuse(what: string, count: number, max: number): never {
  throw new StateError(
    { code: 'KV_TOO_MUCH', what, count, max },
    `${count} ${what}, at most ${max}`,
  );
}
