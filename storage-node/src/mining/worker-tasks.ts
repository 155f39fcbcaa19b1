import type { PuzzleDigests, RecallRange } from '@cairn/pora';
import type { ShardConfig } from '@cairn/wire-protocol';
import type { PieceBits } from './sealed-record.ts';

/** Seals a segment's pieces. */
export interface SealTask {
  readonly kind: 'seal';
  /** 262,144 bytes. */
  readonly bytes: Uint8Array;
  readonly minerId: Uint8Array;
  /** First sector of the segment. */
  readonly position: number;
  /** Pieces to seal. */
  readonly wanted: PieceBits;
  /** The context of each of the 64 pieces; of those not wanted any. */
  readonly contexts: readonly Uint8Array[];
}

/** What a sealed segment is. */
export interface SealResult {
  /** Sealed pieces in their places, zeros elsewhere. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Wanted pieces that are not zeros. */
  readonly sealed: PieceBits;
}

/** What a thread mines for a while. */
export interface MineTask {
  readonly kind: 'mine';
  /** Where sealed copies lie, in files of `fileBytes` each. */
  readonly directory: string;
  readonly fileBytes: number;
  readonly digests: PuzzleDigests;
  readonly range: RecallRange;
  /** Hashes up to this win, 32 bytes big-endian. */
  readonly limit: Uint8Array;
  readonly shard: ShardConfig;
  /** Which pieces are sealed: a `SealedTable`'s memory. */
  readonly table: SharedArrayBuffer;
  /** One 32-bit number: the generation of the puzzle that counts. */
  readonly control: SharedArrayBuffer;
  /** Of this puzzle; the thread ends when another one counts. */
  readonly generation: number;
  /** 24 bytes that no other task begins its nonces with. */
  readonly noncePrefix: Uint8Array;
  /** How long to mine, rests included. */
  readonly sliceMs: number;
  /** Share of the time to work, above 0 … 1. */
  readonly duty: number;
}

/** A piece whose hash won. */
export interface Hit {
  readonly nonce: Uint8Array;
  /** Segment of the flow. */
  readonly segment: number;
  readonly piece: number;
  readonly hash: Uint8Array;
  readonly sealed: Uint8Array;
}

/** What a thread did in its while. */
export interface MineResult {
  readonly hits: readonly Hit[];
  /** Nonces whose pad was made. */
  readonly pads: number;
  /** Those whose segment is here and was hashed. */
  readonly attempts: number;
  /** CPU and waits for the disk. */
  readonly busyMs: number;
}

/** Files of sealed copies: the numbered ones of a flat file store. */
export const SEALED_FILE_BYTES: number = 2 ** 30;
