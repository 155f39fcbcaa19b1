import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compilationKey, readCompilation } from './kept-compilation.mjs';

const require = createRequire(import.meta.url);

/** Root of the contracts workspace. */
export const WORKSPACE = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Compiler settings of everything that is deployed; `foundry.toml` repeats them for the tests.
 *
 * `runs` weighs the price of a call above that of deployment. Bytecode carries no metadata, so that it depends on
 * the code alone and not on comments or paths.
 */
export const SETTINGS = {
  optimizer: { enabled: true, runs: 10_000 },
  evmVersion: 'prague',
  metadata: { appendCBOR: false, bytecodeHash: 'none' },
};

/**
 * Compiles every Solidity file under `src` with the compiler from npm.
 *
 * @returns the compiler's `contracts` output: source path to contract name to ABI, bytecode and storage layout
 * @throws {Error} with the compiler's messages: every error, and every warning about our own sources
 */
export function compileContracts() {
  const solc = require('solc');
  const sources = readSources();
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(
      Object.entries(sources).map(([path, content]) => [path, { content }]),
    ),
    settings: {
      ...SETTINGS,
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'storageLayout'] } },
    },
  };
  return contractsOf(JSON.parse(solc.compile(JSON.stringify(input), { import: readDependency })));
}

/**
 * The same without compiling, where the Solidity tests have compiled exactly these sources with these settings.
 *
 * @returns as `compileContracts`; `undefined` where nothing is kept for what stands in `src` now
 */
export function keptContracts() {
  const output = readCompilation(compilationKey(readSources(), SETTINGS));
  return output === undefined ? undefined : contractsOf(output);
}

/** Contracts of a compiler's output, unless one of its messages stops the build. */
function contractsOf(output) {
  const faults = (output.errors ?? []).filter(isOurs);
  if (faults.length > 0) throw new Error(faults.map((fault) => fault.formattedMessage).join('\n'));
  return output.contracts;
}

/** Content of each file under `src` by its path in the workspace. */
function readSources() {
  return Object.fromEntries(
    soliditySources(join(WORKSPACE, 'src')).map((path) => [
      relative(WORKSPACE, path).split(sep).join('/'),
      readFileSync(path, 'utf8'),
    ]),
  );
}

/** Whether a message stops the build; a warning inside a dependency does not. */
function isOurs({ severity, sourceLocation }) {
  return severity === 'error' || sourceLocation?.file.startsWith('src/') !== false;
}

/** Answers the compiler's question for a source outside `src`. */
function readDependency(path) {
  try {
    return { contents: readFileSync(require.resolve(path), 'utf8') };
  } catch (cause) {
    return { error: String(cause) };
  }
}

/** Solidity files below `folder`, in an order that does not depend on the machine. */
function soliditySources(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.sol'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
