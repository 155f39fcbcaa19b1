import { multiply, pointOf } from '../field.ts';

/** What a kernel module exports; see `scripts/codec-source.mjs`, `scripts/combination-source.mjs`. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  readonly PRODUCTS: WebAssembly.Global;
  readonly LOW_POINTS: WebAssembly.Global;
  readonly HIGH_POINTS: WebAssembly.Global;
  readonly FOLDED: WebAssembly.Global;
  readonly FREE: WebAssembly.Global;
  encodePanel(
    input: number,
    output: number,
    stride: number,
    width: number,
    log: number,
    cosets: number,
    blockLog: number,
    strip: number,
    scratch: number,
  ): void;
  decodePanel(
    input: number,
    output: number,
    stride: number,
    width: number,
    log: number,
    present: number,
    blockLog: number,
    strip: number,
    scratch: number,
    plan: number,
    missing: number,
    missingRows: number,
    keeps: number,
  ): void;
  addColumns(
    input: number,
    stride: number,
    width: number,
    rows: number,
    coefficients: number,
    sums: number,
  ): void;
  combineSums(sums: number, to: number, rows: number): void;
  spreadCombinations(from: number, to: number, rows: number): void;
  gatherCombinations(from: number, to: number, rows: number): void;
}

const PAGE_BYTES = 65_536;
const SUBFIELD_SIZE = 256;

/** An instance of a kernel module with its tables written, and the memory that calls share out. */
export class KernelModule {
  readonly exports: KernelExports;
  /** Where memory begins that is for calls: a multiple of 64. */
  readonly free: number;

  /** @param instance - of one of the two modules in `generated/` */
  constructor(instance: WebAssembly.Instance) {
    this.exports = instance.exports as unknown as KernelExports; // our own module, built with this
    this.free = Number(this.exports.FREE.value);
    this.#writeTables();
  }

  /** The memory, of at least so many bytes. What was had before is of no use any more. */
  require(bytes: number): Uint8Array {
    const { memory } = this.exports;
    const missing = bytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
    return new Uint8Array(memory.buffer);
  }

  #writeTables(): void {
    const { PRODUCTS, LOW_POINTS, HIGH_POINTS, FOLDED } = this.exports;
    const memory = this.require(this.free);
    const highestOfLow = pointOf(SUBFIELD_SIZE / 2); // b_7
    for (let element = 0; element < SUBFIELD_SIZE; element += 1) {
      const at = Number(PRODUCTS.value) + element * 32;
      for (let nibble = 0; nibble < 16; nibble += 1) {
        memory[at + nibble] = multiply(element, nibble);
        memory[at + 16 + nibble] = multiply(element, nibble << 4);
      }
      memory[Number(LOW_POINTS.value) + element] = pointOf(element);
      const highPoint = pointOf(element << 8);
      memory[Number(HIGH_POINTS.value) + 2 * element] = highPoint;
      memory[Number(HIGH_POINTS.value) + 2 * element + 1] = highPoint >> 8;
      memory[Number(FOLDED.value) + element] = multiply(element, highestOfLow);
    }
  }
}
