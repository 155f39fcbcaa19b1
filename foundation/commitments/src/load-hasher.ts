import { KECCAK_SCALAR_WASM } from './generated/keccak-scalar-wasm.ts';
import { KECCAK_SIMD_WASM } from './generated/keccak-simd-wasm.ts';
import type { Hasher } from './hasher.ts';
import { instantiateKernel } from './instantiate-kernel.ts';
import { KernelHasher } from './kernel-hasher.ts';
import { nobleHasher } from './noble-hasher.ts';

/** Which implementation to load. */
export interface LoadHasherOptions {
  /** `auto`, the default, takes the fastest that runs here: simd, then scalar, then noble. */
  readonly kernel?: 'auto' | 'simd' | 'scalar' | 'noble';
}

const KERNELS = [
  { name: 'simd', base64: KECCAK_SIMD_WASM },
  { name: 'scalar', base64: KECCAK_SCALAR_WASM },
] as const;

/**
 * Loads a hasher of its own for the caller: a compiled kernel and about 400 KiB of memory.
 * Costs some milliseconds; load one per thread and pass it on.
 *
 * @throws {Error} the engine's, if a kernel asked for by name does not run here; `auto` never throws
 */
export async function loadHasher({ kernel = 'auto' }: LoadHasherOptions = {}): Promise<Hasher> {
  for (const { name, base64 } of KERNELS) {
    if (kernel !== 'auto' && kernel !== name) continue;
    const instance = await instantiateKernel(base64, kernel === name);
    if (instance !== undefined) return new KernelHasher(name, instance);
  }
  return nobleHasher;
}
