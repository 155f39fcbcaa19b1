import { type Browser, chromium } from 'playwright-core';
import { hasProgram } from './programs.ts';

const CHROMIUM = process.env['CAIRN_CHROMIUM'] ?? '/usr/bin/chromium';
/** WebGPU on Chromium's own software renderer; a sandbox needs rights that CI does not give. */
const FLAGS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
];

let shared: Promise<Browser> | undefined;

/**
 * Headless Chromium for all the tests of a run: started when the first asks, closed after the last.
 *
 * @returns `undefined` where there is none
 */
export function sharedBrowser(): Promise<Browser | undefined> {
  if (shared === undefined && !hasProgram(CHROMIUM)) return Promise.resolve(undefined);
  shared ??= chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  return shared;
}

after(async () => {
  await (await shared)?.close();
});
