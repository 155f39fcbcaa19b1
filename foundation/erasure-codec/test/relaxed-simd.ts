import { setFlagsFromString } from 'node:v8';
import { CODEC_RELAXED_WASM } from '../src/generated/codec-relaxed-wasm.ts';

/** Whether the engine has relaxed SIMD without being asked. */
export const HAS_RELAXED: boolean = hasRelaxed();

/**
 * What `load` gives while relaxed SIMD is on, also where it is still behind a flag, as in Node 20;
 * what is loaded stays usable. `undefined`, and a line that says so, where the engine has none.
 */
export async function withRelaxed<Result>(
  load: () => Promise<Result>,
): Promise<Result | undefined> {
  if (!HAS_RELAXED) setFlagsFromString('--experimental-wasm-relaxed-simd');
  try {
    if (hasRelaxed()) return await load();
    process.stderr.write('      not tested: this engine has no relaxed SIMD\n');
    return undefined;
  } finally {
    if (!HAS_RELAXED) setFlagsFromString('--no-experimental-wasm-relaxed-simd');
  }
}

function hasRelaxed(): boolean {
  return WebAssembly.validate(Uint8Array.from(Buffer.from(CODEC_RELAXED_WASM, 'base64')));
}
