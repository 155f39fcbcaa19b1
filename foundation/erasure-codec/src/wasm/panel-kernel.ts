import { multiply, pointOf } from '../field.ts';
import type { MatrixShape, PlacedRow } from '../row-codec.ts';
import type { DecodePlan } from './decode-plan.ts';

/** What a kernel module exports; see `scripts/codec-source.mjs`. */
interface KernelExports {
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
}

const PAGE_BYTES = 65_536;
const SUBFIELD_SIZE = 256;
/** One of the two halves of the scratch memory at most: an L2 cache of 2 MiB holds both. */
const SCRATCH_BYTES = 2 ** 20;
const MAX_STRIP_BYTES = 512;
/** A block of rows stays in an L1 cache of 48 KiB beside the tables. */
const BLOCK_BYTES = 2 ** 15;
/** Rows of a panel lie an odd number of cache lines apart, so that they do not share cache sets. */
const LINE_BYTES = 64;
/** All rows of a panel at most: some milliseconds of work, and what bounds the memory. */
const PANEL_BYTES = 2 ** 24;
/** A row's part in a panel at most: longer ones copy no faster, and few of them stay in the caches. */
const MAX_PANEL_ROW_BYTES = 4096;

/**
 * One instance of a kernel module and its memory, which grows to what the largest shape so far took
 * and stays below 24 MiB. A call works on a range of columns, finishes before it returns and leaves
 * nothing behind.
 */
export class PanelKernel {
  readonly #exports: KernelExports;
  readonly #free: number;

  /** @param instance - of one of the two modules in `generated/` */
  constructor(instance: WebAssembly.Instance) {
    this.#exports = instance.exports as unknown as KernelExports; // our own module, built with this
    this.#free = Number(this.#exports.FREE.value);
    this.#writeTables();
  }

  /**
   * Writes bytes `from` … `to` of all parity rows.
   *
   * @param data - the shape's data rows one after another
   * @param parity - its parity rows
   * @param from - a multiple of 64, as `to` is
   * @param to - at most `panelBytes(shape, shape.rows)` further
   */
  encodeColumns(
    data: Uint8Array,
    parity: Uint8Array,
    { log2K, dataRows, cosets, rows, rowBytes }: MatrixShape,
    from: number,
    to: number,
  ): void {
    const width = to - from;
    const stride = strideOf(width);
    const { strip, blockLog } = tilingOf(log2K);
    const scratch = this.#free;
    const input = scratch + 2 * dataRows * Math.min(strip, width);
    const output = input + dataRows * stride;
    const memory = this.#require(input + rows * stride);
    for (let row = 0; row < dataRows; row += 1) {
      const start = row * rowBytes;
      memory.set(data.subarray(start + from, start + to), input + row * stride);
    }
    const tiling = [log2K, cosets, blockLog, strip, scratch] as const;
    this.#exports.encodePanel(input, output, stride, width, ...tiling);
    for (let row = 0; row < rows - dataRows; row += 1) {
      const start = output + row * stride;
      parity.set(memory.subarray(start, start + width), row * rowBytes + from);
    }
  }

  /**
   * Writes bytes `from` … `to` of the plan's missing data rows.
   *
   * @param chosen - the rows the plan is for
   * @param data - the shape's data rows one after another
   * @param from - a multiple of 64, as `to` is
   * @param to - at most `panelBytes(shape, 2 · dataRows)` further
   */
  decodeColumns(
    chosen: readonly PlacedRow[],
    plan: DecodePlan,
    data: Uint8Array,
    { log2K, dataRows, rowBytes }: MatrixShape,
    from: number,
    to: number,
  ): void {
    const width = to - from;
    const stride = strideOf(width);
    const { strip, blockLog } = tilingOf(log2K);
    const entries = this.#free;
    const missing = entries + plan.entries.byteLength;
    const scratch = alignedTo(LINE_BYTES, missing + plan.missing.byteLength);
    const input = scratch + 2 * dataRows * Math.min(strip, width);
    const output = input + dataRows * stride;
    const memory = this.#require(output + plan.missing.length * stride);
    new Uint32Array(memory.buffer, entries, plan.entries.length).set(plan.entries);
    new Uint32Array(memory.buffer, missing, plan.missing.length).set(plan.missing);
    for (const [place, { bytes }] of chosen.entries()) {
      memory.set(bytes.subarray(from, to), input + place * stride);
    }
    const tiling = [log2K, plan.present, blockLog, strip, scratch] as const;
    const lists = [entries, missing, plan.missing.length, Number(plan.keepsData)] as const;
    this.#exports.decodePanel(input, output, stride, width, ...tiling, ...lists);
    for (const [place, entry] of plan.missing.entries()) {
      const start = output + place * stride;
      data.set(memory.subarray(start, start + width), (entry >>> 16) * rowBytes + from);
    }
  }

  /** The memory, of at least so many bytes. */
  #require(bytes: number): Uint8Array {
    const { memory } = this.#exports;
    const missing = bytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
    return new Uint8Array(memory.buffer);
  }

  #writeTables(): void {
    const { PRODUCTS, LOW_POINTS, HIGH_POINTS, FOLDED } = this.#exports;
    const memory = this.#require(this.#free);
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

/** The most bytes of each row that a call takes if it brings or takes away so many rows. */
export function panelBytes({ log2K, rowBytes }: MatrixShape, movedRows: number): number {
  const { strip } = tilingOf(log2K);
  const most = Math.floor(PANEL_BYTES / movedRows / strip) * strip;
  return Math.min(rowBytes, MAX_PANEL_ROW_BYTES, Math.max(strip, most));
}

function strideOf(width: number): number {
  return width + (width % (2 * LINE_BYTES) === 0 ? LINE_BYTES : 0);
}

/** Bytes of a strip, and the log2 of the rows of a block: even, below `log2K`. */
function tilingOf(log2K: number): { readonly strip: number; readonly blockLog: number } {
  const strip = Math.min(MAX_STRIP_BYTES, SCRATCH_BYTES / 2 ** log2K);
  const blockLog = Math.min(Math.log2(BLOCK_BYTES / strip), log2K - 1);
  return { strip, blockLog: blockLog - (blockLog % 2) };
}

function alignedTo(bytes: number, offset: number): number {
  return Math.ceil(offset / bytes) * bytes;
}
