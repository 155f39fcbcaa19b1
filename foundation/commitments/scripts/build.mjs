/** Builds the hash kernels: see scripts/assemble-kernels.mjs for what it takes. */
import { assembleKernels } from '../../../scripts/assemble-kernels.mjs';
import { blake3Source } from './blake3-source.mjs';
import { keccakSource } from './keccak-source.mjs';

await assembleKernels(new URL('../', import.meta.url), () => import('assemblyscript/asc'), [
  {
    name: 'keccak-simd',
    source: keccakSource('simd'),
    constant: 'KECCAK_SIMD_WASM',
    what: 'Keccak-256 kernel, two hashes at a time; needs WebAssembly SIMD',
    features: ['simd'],
  },
  {
    name: 'keccak-scalar',
    source: keccakSource('scalar'),
    constant: 'KECCAK_SCALAR_WASM',
    what: 'Keccak-256 kernel, one hash at a time; runs everywhere',
    features: [],
  },
  {
    name: 'blake3-simd',
    source: blake3Source(),
    constant: 'BLAKE3_SIMD_WASM',
    what: 'Keyed BLAKE3 kernel, four messages at a time; needs WebAssembly SIMD',
    features: ['simd'],
  },
]);
