import type { MatrixShape, PlacedRow } from '../row-codec.ts';
import type { DecodePlan } from './decode-plan.ts';
import { KernelModule } from './kernel-module.ts';

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
  readonly #module: KernelModule;

  /** @param instance - of one of the two modules in `generated/` */
  constructor(instance: WebAssembly.Instance) {
    this.#module = new KernelModule(instance);
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
    const scratch = this.#module.free;
    const input = scratch + 2 * dataRows * Math.min(strip, width);
    const output = input + dataRows * stride;
    const memory = this.#module.require(input + rows * stride);
    for (let row = 0; row < dataRows; row += 1) {
      const start = row * rowBytes;
      memory.set(data.subarray(start + from, start + to), input + row * stride);
    }
    const tiling = [log2K, cosets, blockLog, strip, scratch] as const;
    this.#module.exports.encodePanel(input, output, stride, width, ...tiling);
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
    const entries = this.#module.free;
    const missing = entries + plan.entries.byteLength;
    const scratch = alignedTo(LINE_BYTES, missing + plan.missing.byteLength);
    const input = scratch + 2 * dataRows * Math.min(strip, width);
    const output = input + dataRows * stride;
    const memory = this.#module.require(output + plan.missing.length * stride);
    new Uint32Array(memory.buffer, entries, plan.entries.length).set(plan.entries);
    new Uint32Array(memory.buffer, missing, plan.missing.length).set(plan.missing);
    for (const [place, { bytes }] of chosen.entries()) {
      memory.set(bytes.subarray(from, to), input + place * stride);
    }
    const tiling = [log2K, plan.present, blockLog, strip, scratch] as const;
    const lists = [entries, missing, plan.missing.length, Number(plan.keepsData)] as const;
    this.#module.exports.decodePanel(input, output, stride, width, ...tiling, ...lists);
    for (const [place, entry] of plan.missing.entries()) {
      const start = output + place * stride;
      data.set(memory.subarray(start, start + width), (entry >>> 16) * rowBytes + from);
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
