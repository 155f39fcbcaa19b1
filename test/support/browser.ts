import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { repositoryRoot } from '../architecture/house.ts';
import { hasProgram } from './programs.ts';

const CHROMIUM = process.env['CAIRN_CHROMIUM'] ?? '/usr/bin/chromium';
/** WebGPU on Chromium's own software renderer; a sandbox needs rights that CI does not give. */
const FLAGS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
];

/** A busy machine loads a page for long. */
const PATIENCE_MS = 240_000;

let shared: Promise<Browser> | undefined;

/**
 * Headless Chromium for all the tests of a run: started when the first asks, closed after the last.
 *
 * @returns `undefined` where there is none
 */
export function sharedBrowser(): Promise<Browser | undefined> {
  if (shared === undefined && !hasProgram(CHROMIUM)) return Promise.resolve(undefined);
  shared ??= chromium.launch({
    executablePath: CHROMIUM,
    args: FLAGS,
    timeout: PATIENCE_MS,
  });
  return shared;
}

/** A page of its own, on which everything is awaited as long as a test may take. */
export async function newPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  return page;
}

/**
 * One script of a page's program and all that it imports.
 *
 * @param entry - from the repository's root
 */
export async function bundlePage(entry: string, format: 'iife' | 'esm' = 'iife'): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: repositoryRoot,
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'browser',
    format,
    target: 'es2022',
    conditions: ['@cairn/source'],
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? assert.fail('nothing was bundled');
}

after(async () => {
  await (await shared)?.close();
});
