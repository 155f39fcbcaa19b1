/** Builds the codec's kernels: see scripts/assemble-kernels.mjs for what it takes. */
import { assembleKernels } from '../../../scripts/assemble-kernels.mjs';
import { codecSource } from './codec-source.mjs';
import { combinationSource } from './combination-source.mjs';

/** The same kernels with and without relaxed SIMD. */
function kernelOf(build, constant, needs, features) {
  return {
    name: `codec-${build}`,
    source: codecSource(build) + combinationSource(build),
    constant,
    what: `Kernels of the row codec; needs ${needs}`,
    features,
  };
}

await assembleKernels(new URL('../', import.meta.url), () => import('assemblyscript/asc'), [
  kernelOf('strict', 'CODEC_STRICT_WASM', 'WebAssembly SIMD', ['simd']),
  kernelOf('relaxed', 'CODEC_RELAXED_WASM', 'relaxed WebAssembly SIMD', ['simd', 'relaxed-simd']),
]);
