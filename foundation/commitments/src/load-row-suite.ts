import { Blake3Kernel } from './blake3-kernel.ts';
import { BLAKE3_SIMD_WASM } from './generated/blake3-simd-wasm.ts';
import { HASH_BYTES, MAX_ITEM_BYTES } from './hasher.ts';
import { instantiateKernel } from './instantiate-kernel.ts';
import { BLAKE3_KEYS, plainBlake3Suite, type RowSuite, sha256Suite } from './row-suite.ts';

/**
 * The suite of a blob's header, as fast as it runs here, with the same bytes everywhere.
 *
 * Suite 0 is a kernel of the caller's own where WebAssembly SIMD runs, with 448 KiB of memory
 * whatever it hashes: load one per thread and pass it on. Elsewhere it is `plainBlake3Suite`, some
 * sixty times slower, which also hashes digests and rows beyond 64 KiB. Suite 1 is `sha256Suite`;
 * where the platform has a faster SHA-256, make one with `sha256SuiteOver`.
 */
export async function loadRowSuite(id: RowSuite['id']): Promise<RowSuite> {
  if (id === 1) return sha256Suite;
  const instance = await instantiateKernel(BLAKE3_SIMD_WASM, false);
  return instance === undefined ? plainBlake3Suite : suiteOver(new Blake3Kernel(instance));
}

function suiteOver(kernel: Blake3Kernel): RowSuite {
  return {
    ...plainBlake3Suite,
    leaves: (rows, rowBytes) =>
      rowBytes > MAX_ITEM_BYTES
        ? plainBlake3Suite.leaves(rows, rowBytes)
        : kernel.hashEach(BLAKE3_KEYS.leaf, rows, rowBytes),
    parents: (hashes) => kernel.hashEach(BLAKE3_KEYS.node, hashes, 2 * HASH_BYTES),
    expand: (seed, length) => kernel.expand(BLAKE3_KEYS.expand, seed, length),
  };
}
