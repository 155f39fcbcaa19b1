import type { ShardConfig } from '@cairn/wire-protocol';
import { PIECE_BITS_BYTES, type PieceBits } from './sealed-record.ts';

/** Segments that a new table has room for: 16 KiB. */
const FIRST_SEGMENTS = 2048;

/**
 * Which pieces of a shard's segments are sealed, in memory that threads share: 8 bytes for each
 * segment of the shard up to the last sealed one, 32 MiB for a tebibyte.
 */
export class SealedTable {
  readonly #shard: ShardConfig;
  #bits: Uint8Array<SharedArrayBuffer>;
  #segments = 0;

  constructor(shard: ShardConfig) {
    this.#shard = shard;
    this.#bits = new Uint8Array(new SharedArrayBuffer(FIRST_SEGMENTS * PIECE_BITS_BYTES));
  }

  /** The memory; another one once there is no room left in it. */
  get shared(): SharedArrayBuffer {
    return this.#bits.buffer;
  }

  get shard(): ShardConfig {
    return this.#shard;
  }

  /** Segments with a sealed piece. */
  get segments(): number {
    return this.#segments;
  }

  /** Notes which pieces of a segment of the shard are sealed. */
  set(segment: number, sealed: PieceBits): void {
    const at = placeInTable(segment, this.#shard) * PIECE_BITS_BYTES;
    this.#makeRoom(at + PIECE_BITS_BYTES);
    const had = isAny(this.#bits.subarray(at, at + PIECE_BITS_BYTES));
    this.#bits.set(sealed, at);
    this.#segments += Number(isAny(sealed)) - Number(had);
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#bits.length) return;
    let size = this.#bits.length;
    while (size < bytes) size *= 2;
    const larger = new Uint8Array(new SharedArrayBuffer(size));
    larger.set(this.#bits);
    this.#bits = larger;
  }
}

/** A segment's place among those of its shard. */
export function placeInTable(segment: number, { count }: Pick<ShardConfig, 'count'>): number {
  return Math.floor(segment / count);
}

function isAny(bits: Uint8Array): boolean {
  return bits.some((byte) => byte !== 0);
}
