import {
  assertExtendable,
  combinableRows,
  extendCombinations,
  type RowCombiner,
} from '../combination.ts';
import { MAX_PARITY_COSETS } from '../params.ts';
import { CombinationKernel } from './combination-kernel.ts';
import { buildFor, type KernelBuild, loadInstance } from './load-kernel.ts';

/** Which kernels to load. */
export interface LoadWasmCombinerOptions {
  /** `auto` unless told. `relaxed` differs little here: it extends faster. */
  readonly build?: KernelBuild;
}

const LARGEST_ROWS = 4096;

/**
 * The combiner in WebAssembly SIMD, some twenty times as fast as `scalarCombiner`: kernels and at
 * most 2.5 MiB of memory of its own for the caller. Loading costs some milliseconds, calls are
 * synchronous. Load one per thread and pass it on to whatever commits or verifies.
 *
 * @throws {WebAssembly.CompileError} if the engine has no SIMD, or not the one asked for
 */
export async function loadWasmCombiner({
  build = 'auto',
}: LoadWasmCombinerOptions = {}): Promise<RowCombiner> {
  const actual = buildFor(build);
  const kernel = new CombinationKernel(await loadInstance(actual));
  return {
    name: actual === 'relaxed' ? 'wasm-relaxed' : 'wasm',
    combineRows(rows, rowBytes, coefficients) {
      return kernel.combineRows(combinableRows(rows, rowBytes, coefficients), coefficients);
    },
    extend(combinations, shape) {
      assertExtendable(combinations, shape);
      const { dataRows, cosets } = shape;
      const isFast = dataRows >= 2 && dataRows <= LARGEST_ROWS && cosets <= MAX_PARITY_COSETS;
      return isFast ? kernel.extend(combinations, shape) : extendCombinations(combinations, shape);
    },
  };
}
