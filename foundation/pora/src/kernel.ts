import { isZeroBytes, SEGMENT_BYTES } from '@cairn/primitives';
import { PIECE_BYTES, PIECE_SECTORS, SEGMENT_PIECES, WORD_BYTES } from './params.ts';
import { maskPrompt, type PuzzleDigests } from './reference.ts';

const SEED_BYTES = 64;
const PROMPT_BYTES = 96;

/** What a kernel module exports; see `scripts/pora-source.mjs`. */
interface KernelExports {
  readonly memory: WebAssembly.Memory;
  readonly BATCH: WebAssembly.Global;
  readonly PROMPT: WebAssembly.Global;
  readonly NONCES: WebAssembly.Global;
  readonly SEEDS: WebAssembly.Global;
  readonly PADS: WebAssembly.Global;
  readonly RECALLS: WebAssembly.Global;
  readonly SEGMENT: WebAssembly.Global;
  readonly HELD: WebAssembly.Global;
  readonly THRESHOLD: WebAssembly.Global;
  readonly HASH: WebAssembly.Global;
  readonly MASK_PROMPTS: WebAssembly.Global;
  prepareAttempts(count: number): void;
  findPiece(attempt: number, first: number): number;
  sealPieces(count: number): void;
  unsealPieces(count: number): void;
}

/** A piece whose hash wins. */
export interface WinningPiece {
  /** Its place in the segment, 0 … 63. */
  readonly index: number;
  /** 32 bytes. */
  readonly hash: Uint8Array;
}

/**
 * One instance of a kernel: about 700 KiB of memory that every call reuses. Not for sharing between
 * threads.
 */
export class PoraKernel {
  readonly name: 'simd' | 'scalar';
  /** Where a segment is put to be hashed, sealed or unsealed: 262,144 bytes of the kernel's memory. */
  readonly segment: Uint8Array<ArrayBuffer>;
  /** Attempts that are prepared at once. */
  readonly batch: number;
  readonly #kernel: KernelExports;
  readonly #memory: Uint8Array<ArrayBuffer>;

  /** @param instance - of one of the two modules in `generated/` */
  constructor(name: 'simd' | 'scalar', instance: WebAssembly.Instance) {
    this.name = name;
    this.#kernel = instance.exports as unknown as KernelExports; // our own module, built with this
    this.#memory = new Uint8Array(this.#kernel.memory.buffer);
    this.batch = Number(this.#kernel.BATCH.value);
    this.segment = this.#part('SEGMENT', 0, SEGMENT_BYTES);
  }

  /** Takes what all following attempts share. */
  setPuzzle({ minerId, subtask, range }: PuzzleDigests, limit: Uint8Array): void {
    const prompt = this.#part('PROMPT', 0, 4 * WORD_BYTES);
    prompt.set(minerId, 0);
    prompt.set(subtask, 2 * WORD_BYTES);
    prompt.set(range, 3 * WORD_BYTES);
    this.#part('THRESHOLD', 0, WORD_BYTES).set(limit);
  }

  /**
   * Prepares an attempt for each nonce: pads and what they recall.
   *
   * @param nonces - 32 bytes each, at most `batch` of them
   * @throws {RangeError} if there are more
   */
  prepare(nonces: Uint8Array): void {
    const count = nonces.length / WORD_BYTES;
    if (!Number.isInteger(count) || count > this.batch) {
      throw new RangeError(`${nonces.length} bytes are not up to ${this.batch} nonces`);
    }
    this.#part('NONCES', 0, nonces.length).set(nonces);
    this.#kernel.prepareAttempts(count);
  }

  /** What chooses the segment of a prepared attempt: 32 bytes, valid until the next are prepared. */
  recall(attempt: number): Uint8Array {
    return this.#part('RECALLS', attempt * WORD_BYTES, WORD_BYTES);
  }

  /** A prepared attempt's seed and pad, valid until the next are prepared. */
  attempt(index: number): { readonly seed: Uint8Array; readonly pad: Uint8Array } {
    const padBytes = 4 * PIECE_BYTES;
    return {
      seed: this.#part('SEEDS', index * SEED_BYTES, SEED_BYTES),
      pad: this.#part('PADS', index * padBytes, padBytes),
    };
  }

  /**
   * The first piece of `segment`, from `first` on, whose hash wins in a prepared attempt.
   *
   * @param held - 8 bytes: bit i, from the first byte's lowest on, for each piece that is sealed
   */
  find(attempt: number, held: Uint8Array, first = 0): WinningPiece | undefined {
    this.#part('HELD', 0, SEGMENT_PIECES / 8).set(held);
    const index = this.#kernel.findPiece(attempt, first);
    if (index < 0) return undefined;
    return { index, hash: this.#part('HASH', 0, WORD_BYTES).slice() };
  }

  /** Seals pieces that lie one after another from the beginning of `segment`, in place. */
  seal(terms: SegmentSeals): void {
    this.#kernel.sealPieces(this.#setPrompts(terms));
  }

  /** Gives back the content of sealed pieces, in place. */
  unseal(terms: SegmentSeals): void {
    this.#kernel.unsealPieces(this.#setPrompts(terms));
  }

  /** Which of the segment's pieces are zeros only: bits as in `find`. */
  zeroPieces(): Uint8Array {
    const bits = new Uint8Array(SEGMENT_PIECES / 8);
    for (let piece = 0; piece < SEGMENT_PIECES; piece += 1) {
      const start = piece * PIECE_BYTES;
      if (!isZeroBytes(this.segment.subarray(start, start + PIECE_BYTES))) continue;
      bits[piece >> 3] = (bits[piece >> 3] ?? 0) | (1 << (piece & 7));
    }
    return bits;
  }

  #setPrompts({ minerId, position, contexts }: SegmentSeals): number {
    if (contexts.length > SEGMENT_PIECES || position % PIECE_SECTORS !== 0) {
      throw new RangeError(
        `${contexts.length} pieces from sector ${position} are not in a segment`,
      );
    }
    for (const [piece, context] of contexts.entries()) {
      const prompt = maskPrompt({ minerId, context, position: position + piece * PIECE_SECTORS });
      this.#part('MASK_PROMPTS', piece * PROMPT_BYTES, PROMPT_BYTES).set(prompt);
    }
    return contexts.length;
  }

  #part(
    name: Exclude<keyof KernelExports, 'memory' | 'BATCH'>,
    offset: number,
    length: number,
  ): Uint8Array<ArrayBuffer> {
    const start = Number((this.#kernel[name] as WebAssembly.Global).value) + offset;
    return this.#memory.subarray(start, start + length) as Uint8Array<ArrayBuffer>;
  }
}

/** What consecutive pieces are sealed with. */
export interface SegmentSeals {
  readonly minerId: Uint8Array;
  /** First sector of the first piece. */
  readonly position: number;
  /** The context of each, 32 bytes; at most 64. */
  readonly contexts: readonly Uint8Array[];
}
