import { instantiateKernel } from '@cairn/commitments';
import { PORA_SCALAR_WASM } from './generated/pora-scalar-wasm.ts';
import { PORA_SIMD_WASM } from './generated/pora-simd-wasm.ts';
import { PoraKernel } from './kernel.ts';

/** Which implementation to load. */
export interface LoadPoraKernelOptions {
  /** `auto`, the default, takes the fastest that runs here. */
  readonly kernel?: 'auto' | 'simd' | 'scalar';
}

/**
 * Loads a kernel of its own for the caller; one for each thread.
 *
 * @throws {Error} the engine's, if none runs here
 */
export async function loadPoraKernel({
  kernel = 'auto',
}: LoadPoraKernelOptions = {}): Promise<PoraKernel> {
  if (kernel !== 'scalar') {
    const instance = await instantiateKernel(PORA_SIMD_WASM, kernel === 'simd');
    if (instance !== undefined) return new PoraKernel('simd', instance);
  }
  const instance = await instantiateKernel(PORA_SCALAR_WASM, true);
  if (instance === undefined) throw new Error('a required kernel is there or throws');
  return new PoraKernel('scalar', instance);
}
