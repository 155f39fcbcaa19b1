import { CODEC_RELAXED_WASM } from '../generated/codec-relaxed-wasm.ts';
import { CODEC_STRICT_WASM } from '../generated/codec-strict-wasm.ts';
import { PanelKernel } from './panel-kernel.ts';

/**
 * `strict` runs wherever WebAssembly SIMD does; `relaxed` is faster and newer. `auto` is `relaxed`
 * where the engine has it.
 */
export type KernelBuild = 'strict' | 'relaxed' | 'auto';

/** The build that `auto` means here. */
export function buildFor(build: KernelBuild): Exclude<KernelBuild, 'auto'> {
  if (build !== 'auto') return build;
  return WebAssembly.validate(moduleBytes(CODEC_RELAXED_WASM)) ? 'relaxed' : 'strict';
}

/** @throws {WebAssembly.CompileError} if the engine has no SIMD, or not the one asked for */
export async function loadKernel(build: Exclude<KernelBuild, 'auto'>): Promise<PanelKernel> {
  return new PanelKernel(await loadInstance(build));
}

/** The kernel module, compiled. @throws {WebAssembly.CompileError} as `loadKernel` */
export function loadModule(build: Exclude<KernelBuild, 'auto'>): Promise<WebAssembly.Module> {
  const base64 = build === 'relaxed' ? CODEC_RELAXED_WASM : CODEC_STRICT_WASM;
  return WebAssembly.compile(moduleBytes(base64));
}

/** An instance of the kernel module. @throws {WebAssembly.CompileError} as `loadKernel` */
export async function loadInstance(
  build: Exclude<KernelBuild, 'auto'>,
): Promise<WebAssembly.Instance> {
  return WebAssembly.instantiate(await loadModule(build));
}

function moduleBytes(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}
