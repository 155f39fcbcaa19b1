#!/usr/bin/env node
// The npm compiler behind the command line that forge expects of a native one: `--version`, and standard JSON from
// standard input to standard output. The version comes from the package, so asking for it does not load the compiler.
// What it makes of `src` is kept for build.mjs.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepCompilation } from './kept-compilation.mjs';

const require = createRequire(import.meta.url);
const WORKSPACE = dirname(dirname(fileURLToPath(import.meta.url)));

if (process.argv.includes('--version')) {
  const { version } = require('solc/package.json');
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else {
  const input = JSON.parse(readFileSync(0, 'utf8'));
  const output = require('solc').compile(JSON.stringify(input), { import: readSource });
  keepOwn(input, JSON.parse(output));
  process.stdout.write(output);
}

/** Keeps what came of `src`, if forge asked for all of it: it leaves out what has not changed. */
function keepOwn({ sources, settings }, output) {
  const paths = Object.keys(sources).filter((path) => path.startsWith('src/'));
  const isAskedFor = (path) => settings.outputSelection[path]?.['*']?.includes('storageLayout');
  const isSound = (output.errors ?? []).every(({ severity }) => severity !== 'error');
  if (!isSound || settings.viaIR || !paths.every(isAskedFor)) return;
  const own = Object.fromEntries(paths.map((path) => [path, sources[path].content]));
  keepCompilation(own, settings, output);
}

/** A source that forge names by its path and does not hand over: imports between files of a dependency above us. */
function readSource(path) {
  try {
    return { contents: readFileSync(resolve(WORKSPACE, path), 'utf8') };
  } catch (cause) {
    return { error: String(cause) };
  }
}
