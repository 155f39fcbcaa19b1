import { HASH_BYTES, type Hasher } from '@cairn/commitments';
import { MAX_INLINE_VALUE_BYTES, viewOf } from '@cairn/primitives';
import { copyWithViews, EMPTY_HASH, MAX_LOOP_BYTES, partDigests } from '../tree/digests.ts';
import { TABLE } from './keyspace.ts';
import { INLINE_RECORD, placedLeafHashes, rowRecordBytes } from './row.ts';
import { MARK, MAX_ROW_KEY_BYTES, ROW_HEAD_BYTES } from './snapshot-format.ts';

const NUMBERS_AT = 6;
/** Rows that are hashed together. */
const MAX_ROWS = 4096;
/** The larger half of a number that is exact. */
const MAX_HIGH = 0x1f_ffff;

/** Why rows are not read on: all of it is `full`, or what is behind them. */
export type RowsEnd = 'full' | 'cut' | 'long' | 'mark' | 'malformed';

/** Rows of a snapshot that lie in memory one after another, in columns: each by itself would cost as much again. */
export class SnapshotRows {
  /** How many there are. */
  count = 0;
  /** Bytes that they take. */
  bytes = 0;
  /** Why there are no more. */
  end: RowsEnd = 'full';
  /** Where they are cut: bytes that are needed to go on, as far as that is known. */
  needed = 0;
  readonly tables: number[] = [];
  /** Where in the window each begins. */
  readonly #starts: number[] = [];
  readonly #keyStarts: number[] = [];
  readonly #keyBytes: number[] = [];
  readonly #valueStarts: number[] = [];
  readonly #valueBytes: number[] = [];
  #window: Uint8Array = EMPTY_HASH;

  /**
   * Reads the rows that a window begins with and that lie in it whole, up to one whose value is too long
   * for a row.
   *
   * @param next - above every version
   */
  read(window: Uint8Array, next: number): void {
    this.#window = window;
    this.count = 0;
    let at = 0;
    this.end = 'full';
    while (this.count < MAX_ROWS) {
      this.needed = 1;
      const end = this.#readRow(window, at, next);
      if (end < 0) break;
      at = end;
    }
    this.bytes = at;
  }

  /** @returns where the row ends; −1 and `end` says why there is none */
  #readRow(window: Uint8Array, at: number, next: number): number {
    if (at >= window.length) return this.#stop('cut');
    if (window[at] !== MARK.row) return this.#stop('mark');
    this.needed = ROW_HEAD_BYTES;
    if (at + ROW_HEAD_BYTES > window.length) return this.#stop('cut');
    const table = window[at + 1];
    const keyBytes = u32(window, at + 2);
    const isSound =
      (table === TABLE.keys || table === TABLE.roles) &&
      keyBytes <= MAX_ROW_KEY_BYTES &&
      number(window, at + NUMBERS_AT) < next &&
      u32(window, at + NUMBERS_AT + 8) <= MAX_HIGH &&
      u32(window, at + NUMBERS_AT + 16) <= MAX_HIGH;
    if (!isSound) return this.#stop('malformed');
    const valueBytes = number(window, at + NUMBERS_AT + 16);
    this.needed = ROW_HEAD_BYTES + keyBytes;
    if (at + this.needed > window.length) return this.#stop('cut');
    if (valueBytes > MAX_INLINE_VALUE_BYTES) return this.#stop('long');
    this.needed += valueBytes;
    const end = at + this.needed;
    if (end > window.length) return this.#stop('cut');
    const { count } = this;
    this.tables[count] = table;
    this.#starts[count] = at;
    this.#keyStarts[count] = at + ROW_HEAD_BYTES;
    this.#keyBytes[count] = keyBytes;
    this.#valueStarts[count] = end - valueBytes;
    this.#valueBytes[count] = valueBytes;
    this.count = count + 1;
    return end;
  }

  #stop(end: RowsEnd): -1 {
    this.end = end;
    return -1;
  }

  /**
   * The rows as they are stored, with the hashes of their leaves one after another.
   *
   * @param heads - what the stored keys of each table begin with
   */
  made(heads: readonly Uint8Array[], hasher: Hasher): MadeRows {
    const { count } = this;
    const windows = new Array<Uint8Array>(count).fill(this.#window);
    const lengths = this.#valueBytes.slice(0, count);
    const parts = { bytes: windows, starts: this.#valueStarts, lengths };
    const digests = partDigests(parts, hasher);
    let size = 0;
    for (let index = 0; index < count; index += 1) {
      const head = heads[this.tables[index] ?? 0]?.length ?? 0;
      size += head + (this.#keyBytes[index] ?? 0) + rowRecordBytes(lengths[index] ?? 0);
    }
    const arena = new Uint8Array(size);
    const [into, window, hashed] = [viewOf(arena), viewOf(this.#window), viewOf(digests)];
    const headViews = heads.map(viewOf);
    const keys: Uint8Array[] = [];
    const records: Uint8Array[] = [];
    const recordStarts: number[] = [];
    let at = 0;
    for (let index = 0; index < count; index += 1) {
      const head = headViews[this.tables[index] ?? 0] ?? into;
      const keyBytes = this.#keyBytes[index] ?? 0;
      const start = at;
      copyWithViews(head, 0, into, at, head.byteLength);
      at += head.byteLength;
      if (keyBytes > MAX_LOOP_BYTES) arena.set(this.#part(this.#keyStarts, index, keyBytes), at);
      else copyWithViews(window, this.#keyStarts[index] ?? 0, into, at, keyBytes);
      at += keyBytes;
      keys.push(arena.subarray(start, at));
      const valueBytes = lengths[index] ?? 0;
      const end = at + rowRecordBytes(valueBytes);
      const { headBytes, digest, place, inline } = INLINE_RECORD;
      copyWithViews(window, (this.#starts[index] ?? 0) + NUMBERS_AT, into, at, digest);
      copyWithViews(hashed, index * HASH_BYTES, into, at + digest, HASH_BYTES);
      arena[at + place] = inline;
      const value = at + headBytes;
      if (valueBytes > MAX_LOOP_BYTES) {
        arena.set(this.#part(this.#valueStarts, index, valueBytes), value);
      } else copyWithViews(window, this.#valueStarts[index] ?? 0, into, value, valueBytes);
      records.push(arena.subarray(at, end));
      recordStarts.push(at);
      at = end;
    }
    const keyParts = {
      bytes: windows,
      starts: this.#keyStarts,
      lengths: this.#keyBytes.slice(0, count),
    };
    const placed = { view: into, starts: recordStarts };
    return { keys, records, hashes: placedLeafHashes(keyParts, placed, hasher) };
  }

  #part(starts: readonly number[], index: number, length: number): Uint8Array {
    const start = starts[index] ?? 0;
    return this.#window.subarray(start, start + length);
  }
}

/** Rows to be stored. */
export interface MadeRows {
  readonly keys: readonly Uint8Array[];
  readonly records: readonly Uint8Array[];
  /** Of the leaves, one after another. */
  readonly hashes: Uint8Array;
}

/** A number of 64 bits of which the larger half is at most `MAX_HIGH`; beyond all numbers if it is not. */
function number(bytes: Uint8Array, at: number): number {
  const high = u32(bytes, at);
  return high > MAX_HIGH ? Number.POSITIVE_INFINITY : high * 2 ** 32 + u32(bytes, at + 4);
}

function u32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) * 2 ** 24 +
    (((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0))
  );
}
