import type { MatrixShape, PlacedRow } from '../row-codec.ts';
import type { DecodePlan } from './decode-plan.ts';
import { KernelModule } from './kernel-module.ts';
import { tilingOf } from './tiling.ts';

/** Rows of a panel lie an odd number of cache lines apart, so that they do not share cache sets. */
const LINE_BYTES = 64;

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

function strideOf(width: number): number {
  return width + (width % (2 * LINE_BYTES) === 0 ? LINE_BYTES : 0);
}

function alignedTo(bytes: number, offset: number): number {
  return Math.ceil(offset / bytes) * bytes;
}
