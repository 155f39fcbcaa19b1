import {
  compareBytes,
  MAX_MULTI_GET_KEYS,
  MAX_SCAN_BYTES,
  MAX_SCAN_KEYS,
  MAX_SCAN_STEPS,
} from '@cairn/primitives';
import { keyText } from '../key-text.ts';
import { isSpecialKey, ROLE, ZERO_ADDRESS } from '../replay/role.ts';
import {
  decodeExpiry,
  EXPIRY_RANGE,
  expiryKey,
  isReservedKey,
  successorOfPrefix,
} from '../reserved-keys.ts';
import { StateError } from '../store/errors.ts';
import { TABLE } from '../store/keyspace.ts';
import type { Row } from '../store/row.ts';
import type { StreamState } from '../store/stream-state.ts';
import type { StreamId } from '../stream-id.ts';
import { assertSameHistory, decodeCursor, encodeCursor } from './scan-cursor.ts';
import { after, type ReadOptions, type StreamReads } from './stream-reads.ts';

/** A key as a scan finds it. */
export interface ScannedKey {
  readonly key: Uint8Array;
  /** The sequence that wrote it. */
  readonly version: number;
  /** Length of the value; 0 for deletions, which only differences and histories show. */
  readonly valueBytes: number;
  /** The value, unless only keys were asked for or it is longer than a whole page may be. */
  readonly value?: Uint8Array;
}

/** A part of an answer. */
export interface ScanPage {
  /** The version that everything is of. */
  readonly version: number;
  readonly keys: readonly ScannedKey[];
  /** Goes on behind the last key, at the same version; absent at the end. */
  readonly cursor?: Uint8Array;
}

/** What to scan. */
export interface ScanOptions extends ReadOptions {
  /** The first key. */
  readonly from?: Uint8Array;
  /** The key before which to end. */
  readonly to?: Uint8Array;
  /** Keys that begin with these bytes; instead of `from` and `to`. */
  readonly prefix?: Uint8Array;
  readonly isReverse?: boolean;
  /** Keys of a page, at most 4,096; 256 unless told. */
  readonly limit?: number;
  /** Bytes of keys and values of a page, at most 8 MiB; 1 MiB unless told. At least one key is given. */
  readonly maxBytes?: number;
  readonly isKeysOnly?: boolean;
  /** Also keys that say something of other keys; no unless told. */
  readonly withReserved?: boolean;
  /** From the page before: the same range and direction, and it names the version. */
  readonly cursor?: Uint8Array;
}

const DEFAULT_KEYS = 256;
const DEFAULT_BYTES: number = 1024 * 1024;

/**
 * What the official node does not answer: many keys at one version in one call, bounded, with cursors
 * that stay at the version. Keys whose time is over, by the chain's clock at that version, are not
 * there.
 */
export class StreamScans {
  readonly #state: StreamState;
  readonly #reads: StreamReads;

  constructor(state: StreamState, reads: StreamReads) {
    this.#state = state;
    this.#reads = reads;
  }

  /**
   * A page of keys in order.
   *
   * @throws {StateError} KV_TOO_MUCH, KV_CURSOR, KV_ROLLED_BACK
   */
  async scan(stream: StreamId, options: ScanOptions): Promise<ScanPage> {
    const { limit = DEFAULT_KEYS, maxBytes = DEFAULT_BYTES, isReverse = false, signal } = options;
    assertWithin('keys of a page', limit, MAX_SCAN_KEYS);
    assertWithin('bytes of a page', maxBytes, MAX_SCAN_BYTES);
    const cursor = options.cursor === undefined ? undefined : decodeCursor(options.cursor);
    return this.#reads.steady(
      { signal, ...pin(cursor?.version ?? options.version) },
      async (version) => {
        const mark = await this.#markOf(stream, version, signal);
        if (cursor !== undefined) assertSameHistory(cursor, mark);
        const range = rangeOf(options, cursor?.key);
        const expiry = await this.#expiryAt(stream, version, signal);
        const keys: ScannedKey[] = [];
        let bytes = 0;
        let steps = 0;
        let last: Uint8Array | undefined;
        const rows = this.#state.tables.walk(
          { table: TABLE.keys, stream },
          { ...range, reverse: isReverse },
          { version, signal },
        );
        for await (const [key, row] of rows) {
          const isFull = keys.length === limit || (keys.length > 0 && bytes >= maxBytes);
          if (isFull || steps === MAX_SCAN_STEPS) {
            const bound = last === undefined ? key : isReverse ? last : after(last);
            return { version, keys, cursor: encodeCursor({ version, mark, key: bound }) };
          }
          steps += 1;
          last = key;
          if (row === undefined || row.valueBytes === 0) continue;
          if (options.withReserved !== true && isReservedKey(key)) continue;
          if (await expiry(key, row)) continue;
          const isKeysOnly = options.isKeysOnly === true;
          const isForNext =
            !isKeysOnly && row.valueBytes > maxBytes - bytes && row.valueBytes <= maxBytes;
          if (isForNext && keys.length > 0) {
            const bound = isReverse ? after(key) : key;
            return { version, keys, cursor: encodeCursor({ version, mark, key: bound }) };
          }
          const found = await this.#scanned(key, row, isKeysOnly ? 0 : maxBytes - bytes);
          keys.push(found);
          bytes += key.length + (found.value?.length ?? 0) + 32;
        }
        return { version, keys };
      },
    );
  }

  /**
   * Many keys at one version, in the order asked; `undefined` for those that are not there.
   *
   * @throws {StateError} KV_TOO_MUCH beyond 1,024 keys; values past `maxBytes` in all are left out
   */
  async multiGet(
    stream: StreamId,
    keys: readonly Uint8Array[],
    options: ReadOptions & { readonly maxBytes?: number },
  ): Promise<{ readonly version: number; readonly keys: readonly (ScannedKey | undefined)[] }> {
    const { signal, maxBytes = MAX_SCAN_BYTES } = options;
    assertWithin('keys', keys.length, MAX_MULTI_GET_KEYS);
    return this.#reads.steady(options, async (version) => {
      const expiry = await this.#expiryAt(stream, version, signal);
      const found: (ScannedKey | undefined)[] = [];
      let bytes = 0;
      for (const key of keys) {
        const row = await this.#state.tables.rowAt(
          { table: TABLE.keys, stream, key },
          version,
          signal,
        );
        const isThere = row !== undefined && row.valueBytes > 0 && !(await expiry(key, row));
        const one = isThere ? await this.#scanned(key, row, maxBytes - bytes) : undefined;
        bytes += one?.value?.length ?? 0;
        found.push(one);
      }
      return { version, keys: found };
    });
  }

  /**
   * Keys that were written or deleted after version `since` and up to the version read, in order, as
   * they are then: a key that changed twice is there once, a deleted one with no byte.
   *
   * @throws {StateError} KV_TOO_MUCH if over 65,536 rows changed; KV_CURSOR, KV_ROLLED_BACK
   */
  async difference(
    stream: StreamId,
    options: ReadOptions & {
      readonly since: number;
      readonly limit?: number;
      readonly cursor?: Uint8Array;
    },
  ): Promise<ScanPage> {
    const { since, limit = DEFAULT_KEYS, signal } = options;
    assertWithin('keys of a page', limit, MAX_SCAN_KEYS);
    const cursor = options.cursor === undefined ? undefined : decodeCursor(options.cursor);
    return this.#reads.steady(
      { signal, ...pin(cursor?.version ?? options.version) },
      async (version) => {
        const mark = await this.#markOf(stream, version, signal);
        if (cursor !== undefined) assertSameHistory(cursor, mark);
        const changed = await this.#changedKeys(stream, { after: since, through: version }, signal);
        const first =
          cursor === undefined ? 0 : changed.findIndex((key) => compareBytes(key, cursor.key) >= 0);
        const rest = first < 0 ? [] : changed.slice(first);
        const keys: ScannedKey[] = [];
        let bytes = 0;
        for (const key of rest) {
          if (keys.length === limit || bytes >= DEFAULT_BYTES) {
            return { version, keys, cursor: encodeCursor({ version, mark, key }) };
          }
          const row = await this.#state.tables.rowAt(
            { table: TABLE.keys, stream, key },
            version,
            signal,
          );
          if (row === undefined) continue;
          const found = await this.#scanned(key, row, DEFAULT_BYTES - bytes);
          keys.push(found);
          bytes += key.length + (found.value?.length ?? 0) + 32;
        }
        return { version, keys };
      },
    );
  }

  /**
   * Versions of one key, newest first, deletions among them.
   *
   * @param options - `version`: the newest to show; that of the last one shown less one goes on
   * @throws {StateError} KV_TOO_MUCH
   */
  async history(
    stream: StreamId,
    key: Uint8Array,
    options: ReadOptions & { readonly limit?: number; readonly isKeysOnly?: boolean },
  ): Promise<readonly ScannedKey[]> {
    const { limit = DEFAULT_KEYS, signal } = options;
    assertWithin('versions of a page', limit, MAX_SCAN_KEYS);
    return this.#reads.steady(options, async (version) => {
      const found: ScannedKey[] = [];
      let bytes = 0;
      for await (const row of this.#state.tables.rowsBefore(
        { table: TABLE.keys, stream, key },
        version,
        signal,
      )) {
        if (found.length === limit) break;
        const left = options.isKeysOnly === true ? 0 : DEFAULT_BYTES - bytes;
        const one = await this.#scanned(key, row, left);
        bytes += one.value?.length ?? 0;
        found.push(one);
      }
      return found;
    });
  }

  /** Whether a key's time is over at a version. */
  async isExpired(stream: StreamId, key: Uint8Array, options: ReadOptions): Promise<boolean> {
    const { signal } = options;
    return this.#reads.steady(options, async (version) => {
      const row = await this.#state.tables.rowAt(
        { table: TABLE.keys, stream, key },
        version,
        signal,
      );
      return row !== undefined && (await this.#expiryAt(stream, version, signal))(key, row);
    });
  }

  async #scanned(key: Uint8Array, row: Row, maxBytes: number): Promise<ScannedKey> {
    const { version, valueBytes } = row;
    if (valueBytes === 0 || valueBytes > maxBytes) return { key, version, valueBytes };
    return { key, version, valueBytes, value: await this.#reads.bytesOf(row, 0, valueBytes) };
  }

  /** What tells this history from another at a version. */
  async #markOf(stream: StreamId, version: number, signal: AbortSignal): Promise<Uint8Array> {
    const root = await this.#state.tables.rootAt(stream, version, signal);
    return root?.stateRoot.slice(0, 8) ?? new Uint8Array(8);
  }

  /**
   * Whether keys are expired at a version. An expiry counts if it was written with the key's newest
   * value or later, and, for a special key, only if its own key is special too: else whoever may
   * write to the stream could end what it may not write.
   */
  async #expiryAt(
    stream: StreamId,
    version: number,
    signal: AbortSignal,
  ): Promise<(key: Uint8Array, row: Row) => Promise<boolean>> {
    const { tables } = this.#state;
    const name = { table: TABLE.keys, stream };
    let hasAny = false;
    for await (const _ of tables.walk(name, EXPIRY_RANGE, { version, signal })) {
      hasAny = true;
      break;
    }
    if (!hasAny) return async () => false;
    const now = await this.#state.timeAt(version, signal);
    return async (key, row) => {
      if (isReservedKey(key)) return false;
      const expiry = await tables.rowAt({ ...name, key: expiryKey(key) }, version, signal);
      if (expiry === undefined || expiry.version < row.version) return false;
      const time = decodeExpiry(
        await this.#reads.bytesOf(expiry, 0, Math.min(expiry.valueBytes, 9)),
      );
      if (time === undefined || time > now) return false;
      const special = [key, expiryKey(key)].map((one) => ({
        kind: ROLE.specialKey,
        account: ZERO_ADDRESS,
        key: one,
      }));
      const view = await tables.roleView(stream, special, { version, signal });
      return !isSpecialKey(view, stream, key) || isSpecialKey(view, stream, expiryKey(key));
    };
  }

  async #changedKeys(
    stream: StreamId,
    span: { readonly after: number; readonly through: number },
    signal: AbortSignal,
  ): Promise<Uint8Array[]> {
    const changed = new Map<string, Uint8Array>();
    let rows = 0;
    for await (const { sequence } of this.#state.tables.rootsBetween(stream, span, signal)) {
      for await (const change of this.#state.tables.changesOf(sequence, signal)) {
        if (change.table !== TABLE.keys || change.stream !== stream) continue;
        changed.set(keyText(change.key), change.key);
        rows += 1;
        assertWithin('rows changed', rows, MAX_SCAN_STEPS);
      }
    }
    return [...changed.values()].sort(compareBytes);
  }
}

/** The range that is left of what was asked for. */
function rangeOf(
  { from, to, prefix, isReverse }: ScanOptions,
  bound: Uint8Array | undefined,
): { from?: Uint8Array; to?: Uint8Array } {
  const end = prefix === undefined ? to : successorOfPrefix(prefix);
  const [first, last] = [prefix ?? from, end?.length === 0 ? undefined : end];
  const left = isReverse === true ? [first, bound ?? last] : [bound ?? first, last];
  return {
    ...(left[0] === undefined ? {} : { from: left[0] }),
    ...(left[1] === undefined ? {} : { to: left[1] }),
  };
}

function pin(version: number | undefined): { readonly version?: number } {
  return version === undefined ? {} : { version };
}

function assertWithin(what: string, count: number, max: number): void {
  if (count <= max) return;
  throw new StateError(
    { code: 'KV_TOO_MUCH', what, count, max },
    `${count} ${what}, at most ${max}`,
  );
}
