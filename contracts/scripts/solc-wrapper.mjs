#!/usr/bin/env node
// The npm compiler behind the command line that forge expects of a native one: `--version`, and standard JSON from
// standard input to standard output. The version comes from the package, so asking for it does not load the compiler.
// What it makes of `src` is kept for build.mjs. Tests are compiled apart and without optimizing, which takes a third of the
// time: with `dynamic_test_linking` they deploy what was made of `src`, which is what they are about. Contracts of
// `test/forge/support` stand for others where gas is counted, so they are compiled as `src` is.

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
  const [own, tests] = [true, false].map((optimized) => compilePart(input, optimized));
  keepOwn(input, own);
  process.stdout.write(JSON.stringify(joined(own, tests)));
}

/** Compiles all sources, and gives what is asked for of those that are optimized, or of the others. */
function compilePart(input, optimized) {
  const { outputSelection, optimizer } = input.settings;
  const asked = Object.entries(outputSelection).filter(([path]) => isOptimized(path) === optimized);
  if (asked.length === 0) return {};
  const settings = {
    ...input.settings,
    outputSelection: Object.fromEntries(asked),
    optimizer: { ...optimizer, enabled: optimized },
  };
  const part = JSON.stringify({ ...input, settings });
  return JSON.parse(require('solc').compile(part, { import: readSource }));
}

function isOptimized(path) {
  return !path.endsWith('.t.sol');
}

/** One output of two. Sources have the same numbers in both, which the maps of bytecode use. */
function joined(own, tests) {
  const errors = new Map(
    [own, tests]
      .flatMap((output) => output.errors ?? [])
      .map((error) => [error.formattedMessage, error]),
  );
  return {
    errors: [...errors.values()],
    sources: { ...tests.sources, ...own.sources },
    contracts: { ...tests.contracts, ...own.contracts },
  };
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
