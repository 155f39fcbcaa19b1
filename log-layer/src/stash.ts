import {
  type Checksum,
  GIB,
  type KeyValueStore,
  type KeyValueWrite,
  type Root,
  rootOf,
  SECTOR_BYTES,
} from '@cairn/primitives';
import { KEY, keyOf, lastNumber, rangeOf } from './keyspace.ts';
import type { LogMetrics } from './metrics.ts';
import { encodePiece, type PieceRecord, soundPiece } from './piece.ts';

/** Bytes the stash keeps unless told. */
export const DEFAULT_STASH_BYTES: number = GIB;
/** Pieces the stash keeps at most: bounds the memory of its index at about 20 MiB. */
const MAX_STASHED_PIECES = 65_536;

interface Stashed {
  readonly ordinal: number;
  readonly sizeBytes: number;
}

/**
 * Pieces of entries that a reorg removed and that stood in the way of others. The oldest are
 * dropped when room is short.
 *
 * They are kept in the key-value store, not in a file store of their own: so the move is one atomic
 * batch with the deletion of the piece's old record, and needs no second order of syncs. Reorgs are
 * rare and short, so what a key-value store costs for large values does not matter.
 */
export class Stash {
  readonly #kv: KeyValueStore;
  readonly #checksum: Checksum;
  readonly #maxBytes: number;
  readonly #metrics: LogMetrics;
  /** By root and index, oldest first. */
  readonly #pieces = new Map<string, Stashed>();
  #bytes = 0;
  #nextOrdinal = 0;

  private constructor(options: StashOptions) {
    this.#kv = options.kv;
    this.#checksum = options.checksum;
    this.#maxBytes = options.maxBytes;
    this.#metrics = options.metrics;
  }

  /** Reads the index of what is stashed. */
  static async open(options: StashOptions, signal: AbortSignal): Promise<Stash> {
    const stash = new Stash(options);
    await stash.reload(signal);
    return stash;
  }

  /** Reads the index again, after writes of `writesFor` failed; drops what is damaged. */
  async reload(signal: AbortSignal): Promise<void> {
    this.#pieces.clear();
    this.#bytes = 0;
    const damaged: KeyValueWrite[] = [];
    for await (const [key, value] of this.#kv.entries(rangeOf(KEY.stash), { signal })) {
      const ordinal = lastNumber(key);
      const record = soundPiece(ordinal, value, this.#checksum);
      if (record !== undefined) this.#remember(ordinal, record);
      else damaged.push(...removal(ordinal));
    }
    if (damaged.length > 0) await this.#kv.write(damaged);
    this.#metrics.stashedBytes.set(this.#bytes);
  }

  /** The writes that stash a piece, dropping the oldest for it. The caller writes them, all or none. */
  writesFor(record: PieceRecord, data: Uint8Array): KeyValueWrite[] {
    const key = keyText(rootOf(record.root), record.index, record.sizeBytes);
    if (this.#pieces.has(key) || data.length > this.#maxBytes) return [];
    const ordinal = this.#nextOrdinal;
    const writes: KeyValueWrite[] = [
      { type: 'put', key: keyOf(KEY.stash, ordinal), value: encodePiece(record, this.#checksum) },
      { type: 'put', key: keyOf(KEY.stashData, ordinal), value: data },
    ];
    this.#remember(ordinal, record);
    for (const [oldest, stashed] of this.#pieces) {
      if (this.#bytes <= this.#maxBytes && this.#pieces.size <= MAX_STASHED_PIECES) break;
      this.#pieces.delete(oldest);
      this.#bytes -= stashed.sizeBytes;
      this.#metrics.droppedStash.add(1);
      writes.push(...removal(stashed.ordinal));
    }
    this.#metrics.stashedBytes.set(this.#bytes);
    return writes;
  }

  /** A stashed piece of that file, with its bytes; `undefined` if there is none or it is damaged. */
  async find(
    root: Root,
    index: number,
    sizeBytes: number,
  ): Promise<{ readonly record: PieceRecord; readonly data: Uint8Array } | undefined> {
    const stashed = this.#pieces.get(keyText(root, index, sizeBytes));
    if (stashed === undefined) return undefined;
    const { ordinal } = stashed;
    const keys = [keyOf(KEY.stash, ordinal), keyOf(KEY.stashData, ordinal)];
    const [value, data] = await this.#kv.getMany(keys);
    if (value === undefined || data === undefined) return undefined;
    const record = soundPiece(ordinal, value, this.#checksum);
    return this.#checksum(data) === record?.checksum ? { record, data } : undefined;
  }

  #remember(ordinal: number, record: PieceRecord): void {
    const sizeBytes = record.sectors * SECTOR_BYTES;
    const key = keyText(rootOf(record.root), record.index, record.sizeBytes);
    this.#pieces.set(key, { ordinal, sizeBytes });
    this.#bytes += sizeBytes;
    this.#nextOrdinal = Math.max(this.#nextOrdinal, ordinal + 1);
  }
}

interface StashOptions {
  readonly kv: KeyValueStore;
  readonly checksum: Checksum;
  readonly maxBytes: number;
  readonly metrics: LogMetrics;
}

function removal(ordinal: number): KeyValueWrite[] {
  return [
    { type: 'delete', key: keyOf(KEY.stash, ordinal) },
    { type: 'delete', key: keyOf(KEY.stashData, ordinal) },
  ];
}

function keyText(root: Root, index: number, sizeBytes: number): string {
  return `${root}:${index}:${sizeBytes}`;
}
