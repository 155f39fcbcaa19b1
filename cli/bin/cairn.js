#!/usr/bin/env node
// Runs the command. In a checkout it first builds what is stale, and runs the program that the build
// put together, which starts in half the time. Plain JavaScript, so that it starts without a build.
import { existsSync } from 'node:fs';

const build = new URL('../../scripts/build.mjs', import.meta.url);
const isCheckout = existsSync(build);
if (isCheckout) {
  const { buildIfStale } = await import(build);
  try {
    buildIfStale();
  } catch (error) {
    process.stderr.write(`cairn: the build failed: ${error.message}\nRun: npx tsc -b\n`);
    process.exit(1);
  }
}
// Whoever asks for stacks wants them to name sources; reading the maps takes time.
if (process.env.CAIRN_DEBUG) process.setSourceMapsEnabled(true);
const { runProcess } = await import(isCheckout ? '../../dist/cairn.js' : '../dist/main.js');
await runProcess();
