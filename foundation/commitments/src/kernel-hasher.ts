import { SECTOR_BYTES, SEGMENT_BYTES } from '@cairn/primitives';
import { assertSegmentFits, HASH_BYTES, type Hasher, outputFor } from './hasher.ts';
import { zeroSubtreeRoot } from './zero-hashes.ts';

/** Bytes keccak-256 takes in at once (its rate). */
const BLOCK_BYTES = 136;
const NODE_BYTES = 2 * HASH_BYTES;
/** Items up to so many bytes are copied in words by a loop: a view of each costs more than copying it. */
const MAX_LOOP_BYTES = 256;

/** What a kernel module exports; see `scripts/keccak-source.mjs`. */
interface KernelExports {
  readonly memory: WebAssembly.Memory;
  readonly ZERO_LEAF: WebAssembly.Global;
  readonly INPUT: WebAssembly.Global;
  readonly OUTPUT: WebAssembly.Global;
  hashNodes(input: number, output: number, count: number): void;
  hashSectors(input: number, output: number, count: number): void;
  hashBlocks(input: number, output: number, count: number, blocks: number): void;
  segmentRoot(sectors: number, leaves: number): void;
}

/**
 * A hasher over one instance of a kernel module. It owns about 400 KiB of memory that every call
 * reuses; calls finish before they return, so nothing is shared between them.
 */
export class KernelHasher implements Hasher {
  readonly name: 'simd' | 'scalar';
  readonly #kernel: KernelExports;
  readonly #memory: Uint8Array;
  readonly #words: Uint32Array;
  readonly #input: number;
  readonly #output: number;

  /** @param instance - of one of the two modules in `generated/` */
  constructor(name: 'simd' | 'scalar', instance: WebAssembly.Instance) {
    this.name = name;
    this.#kernel = instance.exports as unknown as KernelExports; // our own module, built with this
    this.#memory = new Uint8Array(this.#kernel.memory.buffer);
    this.#words = new Uint32Array(this.#kernel.memory.buffer);
    this.#input = Number(this.#kernel.INPUT.value);
    this.#output = Number(this.#kernel.OUTPUT.value);
    this.#memory.set(zeroSubtreeRoot(0), Number(this.#kernel.ZERO_LEAF.value));
  }

  hashMany(input: Uint8Array, itemBytes: number, output?: Uint8Array): Uint8Array {
    const hashes = outputFor(input, itemBytes, output);
    const count = input.length / itemBytes;
    const isWhole = itemBytes === SECTOR_BYTES || itemBytes === NODE_BYTES;
    const blocks = Math.floor(itemBytes / BLOCK_BYTES) + 1;
    const batch = Math.floor(SEGMENT_BYTES / (isWhole ? itemBytes : blocks * BLOCK_BYTES));
    for (let first = 0; first < count; first += batch) {
      const items = Math.min(batch, count - first);
      const bytes = input.subarray(first * itemBytes, (first + items) * itemBytes);
      if (isWhole) this.#memory.set(bytes, this.#input);
      if (itemBytes === NODE_BYTES) {
        this.#kernel.hashNodes(this.#input, this.#output, items);
      } else if (itemBytes === SECTOR_BYTES) {
        this.#kernel.hashSectors(this.#input, this.#output, items);
      } else {
        this.#pad(bytes, itemBytes, blocks);
        this.#kernel.hashBlocks(this.#input, this.#output, items, blocks);
      }
      const end = this.#output + items * HASH_BYTES;
      hashes.set(this.#memory.subarray(this.#output, end), first * HASH_BYTES);
    }
    return hashes;
  }

  segmentRoot(data: Uint8Array, leaves: number): Uint8Array {
    assertSegmentFits(data.length, leaves);
    const sectors = Math.ceil(data.length / SECTOR_BYTES);
    this.#memory.set(data, this.#input);
    this.#memory.fill(0, this.#input + data.length, this.#input + sectors * SECTOR_BYTES);
    this.#kernel.segmentRoot(sectors, leaves);
    return this.#memory.slice(this.#output, this.#output + HASH_BYTES);
  }

  /** Copies items to the input, each followed by keccak's padding up to whole blocks. */
  #pad(bytes: Uint8Array, itemBytes: number, blocks: number): void {
    const isShort = itemBytes <= MAX_LOOP_BYTES && itemBytes % 4 === 0;
    if (isShort && bytes.byteOffset % 4 === 0) {
      this.#padShort(bytes, itemBytes, blocks);
      return;
    }
    let to = this.#input;
    for (let from = 0; from < bytes.length; from += itemBytes) {
      const end = to + blocks * BLOCK_BYTES;
      this.#memory.set(bytes.subarray(from, from + itemBytes), to);
      this.#memory.fill(0, to + itemBytes, end);
      this.#memory[to + itemBytes] = 0x01;
      this.#memory[end - 1] = (this.#memory[end - 1] ?? 0) | 0x80; // may be the byte before, too
      to = end;
    }
  }

  /** `#pad` of items that are whole words and begin at one: the input, and so each block, does, too. */
  #padShort(bytes: Uint8Array, itemBytes: number, blocks: number): void {
    const [memory, words] = [this.#memory, this.#words];
    const source = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const [itemWords, step] = [itemBytes / 4, (blocks * BLOCK_BYTES) / 4];
    let to = this.#input / 4;
    for (let from = 0; from < source.length; from += itemWords) {
      for (let word = 0; word < itemWords; word += 1) words[to + word] = source[from + word] ?? 0;
      for (let word = itemWords; word < step; word += 1) words[to + word] = 0;
      memory[to * 4 + itemBytes] = 0x01;
      to += step;
      memory[to * 4 - 1] = (memory[to * 4 - 1] ?? 0) | 0x80; // may be in the word of the byte before
    }
  }
}
