import { assertNatural } from '@cairn/primitives';
import { HASH_BYTES, MAX_ITEM_BYTES, outputFor } from './hasher.ts';
import { itemsOf } from './row-suite.ts';

const BLOCK_BYTES = 64;
const WORD_BYTES = 4;
const HASH_WORDS = HASH_BYTES / WORD_BYTES;
/** Messages hashed at a time. */
const LANES = 4;
/** Bytes of the kernel's input and output; see `scripts/blake3-source.mjs`. */
const INPUT_BYTES = LANES * MAX_ITEM_BYTES;
const OUTPUT_BYTES = INPUT_BYTES / 2;

/** What the kernel module exports; see `scripts/blake3-source.mjs`. */
interface KernelExports {
  readonly memory: WebAssembly.Memory;
  readonly KEY: WebAssembly.Global;
  readonly INPUT: WebAssembly.Global;
  readonly OUTPUT: WebAssembly.Global;
  hashMessages(count: number, blocks: number, lastBytes: number): void;
  expandMessage(bytes: number, first: number, count: number): void;
}

/**
 * Keyed BLAKE3 in bulk over one instance of the kernel module. It owns 448 KiB of memory that
 * every call reuses; calls finish before they return, so nothing is shared between them.
 */
export class Blake3Kernel {
  readonly #kernel: KernelExports;
  readonly #memory: Uint8Array;
  readonly #key: number;
  readonly #input: number;
  readonly #output: number;

  /** @param instance - of the BLAKE3 module in `generated/` */
  constructor(instance: WebAssembly.Instance) {
    this.#kernel = instance.exports as unknown as KernelExports; // our own module, built with this
    this.#memory = new Uint8Array(this.#kernel.memory.buffer);
    this.#key = Number(this.#kernel.KEY.value);
    this.#input = Number(this.#kernel.INPUT.value);
    this.#output = Number(this.#kernel.OUTPUT.value);
  }

  /**
   * The hash of each message, in order, 32 bytes each.
   *
   * @param key - 32 bytes
   * @param messages - one after another, or each on its own
   * @param messageBytes - bytes of one message, 1 … 65,536
   * @throws {RangeError} if a length does not fit
   */
  hashEach(
    key: Uint8Array,
    messages: Uint8Array | readonly Uint8Array[],
    messageBytes: number,
  ): Uint8Array {
    const isJoined = messages instanceof Uint8Array;
    const total = isJoined
      ? messages.length
      : itemsOf(messages, messageBytes).length * messageBytes;
    const hashes = outputFor({ length: total }, messageBytes);
    const count = total / messageBytes;
    const blocks = Math.ceil(messageBytes / BLOCK_BYTES);
    const lastBytes = messageBytes - (blocks - 1) * BLOCK_BYTES;
    // Whole groups of lanes: the idle ones of a last group read and write inside the buffers, too.
    const batch = LANES * Math.floor(INPUT_BYTES / (LANES * blocks * BLOCK_BYTES));
    this.#memory.set(key, this.#key);
    for (let first = 0; first < count; first += batch) {
      const end = Math.min(first + batch, count);
      if (isJoined && messageBytes === blocks * BLOCK_BYTES) {
        const bytes = messages.subarray(first * messageBytes, end * messageBytes);
        this.#memory.set(bytes, this.#input);
      } else if (isJoined && messageBytes === HASH_BYTES) {
        this.#loadHashes(messages.subarray(first * messageBytes, end * messageBytes));
      } else {
        const some = isJoined
          ? itemsOf(messages.subarray(first * messageBytes, end * messageBytes), messageBytes)
          : messages.slice(first, end);
        this.#loadEach(some, blocks * BLOCK_BYTES);
      }
      this.#kernel.hashMessages(end - first, blocks, lastBytes);
      hashes.set(this.#outputOf((end - first) * HASH_BYTES), first * HASH_BYTES);
    }
    return hashes;
  }

  /**
   * The first `length` bytes of a message's extended output.
   *
   * @param key - 32 bytes
   * @param message - at most 64 bytes
   * @throws {RangeError} if a length does not fit
   */
  expand(key: Uint8Array, message: Uint8Array, length: number): Uint8Array {
    assertNatural(length, 'length');
    if (message.length > BLOCK_BYTES) {
      throw new RangeError(`${message.length} bytes are expanded, at most ${BLOCK_BYTES} can be`);
    }
    this.#memory.set(key, this.#key);
    this.#memory.set(message, this.#input);
    this.#memory.fill(0, this.#input + message.length, this.#input + BLOCK_BYTES);
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += OUTPUT_BYTES) {
      const piece = Math.min(OUTPUT_BYTES, length - at);
      const blocks = Math.ceil(piece / BLOCK_BYTES);
      this.#kernel.expandMessage(message.length, at / BLOCK_BYTES, blocks);
      bytes.set(this.#outputOf(piece), at);
    }
    return bytes;
  }

  /** Copies messages to the input, each followed by zeros up to whole blocks. */
  #loadEach(messages: readonly Uint8Array[], paddedBytes: number): void {
    for (const [item, message] of messages.entries()) {
      const at = this.#input + item * paddedBytes;
      this.#memory.set(message, at);
      this.#memory.fill(0, at + message.length, at + paddedBytes);
    }
  }

  /** `#loadEach` of hashes that follow each other: a copy of its own for each would take longest. */
  #loadHashes(hashes: Uint8Array): void {
    const { buffer, byteOffset, length } = hashes;
    const isAligned = byteOffset % WORD_BYTES === 0;
    const words = isAligned
      ? new Uint32Array(buffer, byteOffset, length / WORD_BYTES)
      : new Uint32Array(hashes.slice().buffer);
    const input = new Uint32Array(this.#memory.buffer, this.#input, 2 * words.length);
    input.fill(0);
    for (let from = 0; from < words.length; from += HASH_WORDS) {
      for (let word = 0; word < HASH_WORDS; word += 1) {
        input[2 * from + word] = words[from + word] ?? 0;
      }
    }
  }

  #outputOf(bytes: number): Uint8Array {
    return this.#memory.subarray(this.#output, this.#output + bytes);
  }
}
