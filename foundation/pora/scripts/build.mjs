/** Builds the kernels of random access proofs: see scripts/assemble-kernels.mjs for what it takes. */
import { assembleKernels } from '../../../scripts/assemble-kernels.mjs';
import { poraSource } from './pora-source.mjs';

await assembleKernels(new URL('../', import.meta.url), () => import('assemblyscript/asc'), [
  {
    name: 'pora-simd',
    source: poraSource('simd'),
    constant: 'PORA_SIMD_WASM',
    what: 'Kernel of random access proofs, two of each at a time; needs WebAssembly SIMD',
    features: ['simd'],
  },
  {
    name: 'pora-scalar',
    source: poraSource('scalar'),
    constant: 'PORA_SCALAR_WASM',
    what: 'Kernel of random access proofs, one of each at a time; runs everywhere',
    features: [],
  },
]);
