import { isRecord } from '@cairn/primitives';
import type { MatrixShape } from './row-codec.ts';
import type { DecodePlan } from './wasm/decode-plan.ts';
import { loadKernel } from './wasm/load-kernel.ts';
import type { PanelKernel } from './wasm/panel-kernel.ts';
import { panelBytes } from './wasm/tiling.ts';

/** A range of columns for a thread; all bytes lie in memory that the threads share. */
export interface ColumnsTask {
  readonly build: 'strict' | 'relaxed';
  readonly shape: MatrixShape;
  /** Bytes `from` … `to` of each row, multiples of 64. */
  readonly from: number;
  readonly to: number;
  /** The rows to work from, one after another: data rows, or those that a plan is for. */
  readonly rows: Uint8Array;
  /** Parity rows, or data rows. */
  readonly result: Uint8Array;
  /** Of a decoder. */
  readonly plan?: DecodePlan;
  /** One shared number: no further column is written once it is not 0. */
  readonly stop: Int32Array;
}

/** The thread's kernels: compiled once, with the first task that needs them. */
const kernels = new Map<string, Promise<PanelKernel>>();

/**
 * Entry for worker threads: fills the task's columns of `result`.
 *
 * @param task - a `ColumnsTask` of this package's codec
 * @throws {RangeError} if it is not one; {WebAssembly.CompileError} for a build that does not run here
 */
export async function run(task: unknown): Promise<unknown> {
  if (!isColumnsTask(task)) throw new RangeError('a codec thread does columns of shared memory');
  const { build, shape, from, to, rows, result, plan, stop } = task;
  let loading = kernels.get(build);
  if (loading === undefined) {
    loading = loadKernel(build);
    kernels.set(build, loading);
    loading.catch(() => kernels.delete(build)); // for want of memory, say: the next task tries again
  }
  const kernel = await loading;
  const { dataRows, rowBytes } = shape;
  const step = panelBytes(shape, plan === undefined ? shape.rows : dataRows + plan.missing.length);
  const chosen =
    plan === undefined
      ? []
      : Array.from({ length: dataRows }, (_, index) => ({
          index,
          bytes: rows.subarray(index * rowBytes, (index + 1) * rowBytes),
        }));
  for (let at = from; at < to && Atomics.load(stop, 0) === 0; at += step) {
    const end = Math.min(at + step, to);
    if (plan === undefined) kernel.encodeColumns(rows, result, shape, at, end);
    else kernel.decodeColumns(chosen, plan, result, shape, at, end);
  }
  return undefined;
}

function isColumnsTask(task: unknown): task is ColumnsTask {
  return (
    isRecord(task) &&
    isShared(task['rows']) &&
    isShared(task['result']) &&
    task['stop'] instanceof Int32Array
  );
}

function isShared(value: unknown): boolean {
  return value instanceof Uint8Array && value.buffer instanceof SharedArrayBuffer;
}
