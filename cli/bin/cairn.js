#!/usr/bin/env node
// Runs the command; in a checkout it first builds what is stale. Plain JavaScript, so that it starts
// without a build.
import { existsSync } from 'node:fs';

const build = new URL('../../scripts/build.mjs', import.meta.url);
if (existsSync(build)) {
  const { buildIfStale } = await import(build);
  try {
    buildIfStale();
  } catch (error) {
    process.stderr.write(`cairn: the build failed: ${error.message}\nRun: npx tsc -b\n`);
    process.exit(1);
  }
}
const { runProcess } = await import('../dist/main.js');
await runProcess();
