#!/usr/bin/env node
// The npm compiler behind the command line that forge expects of a native one: `--version`, and standard JSON from
// standard input to standard output. The version comes from the package, so asking for it does not load the compiler.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const WORKSPACE = dirname(dirname(fileURLToPath(import.meta.url)));

if (process.argv.includes('--version')) {
  const { version } = require('solc/package.json');
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else {
  const input = readFileSync(0, 'utf8');
  process.stdout.write(require('solc').compile(input, { import: readSource }));
}

/** A source that forge names by its path and does not hand over: imports between files of a dependency above us. */
function readSource(path) {
  try {
    return { contents: readFileSync(resolve(WORKSPACE, path), 'utf8') };
  } catch (cause) {
    return { error: String(cause) };
  }
}
