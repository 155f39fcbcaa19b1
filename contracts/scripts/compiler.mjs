import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

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
 * @param layouts source paths whose contracts' storage layouts are wanted too
 * @returns the compiler's `contracts` output: source path to contract name to ABI and bytecode
 * @throws {Error} with the compiler's messages: every error, and every warning about our own sources
 */
export function compileContracts(layouts = []) {
  const solc = require('solc');
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(
      soliditySources(join(WORKSPACE, 'src')).map((path) => [
        relative(WORKSPACE, path).split(sep).join('/'),
        { content: readFileSync(path, 'utf8') },
      ]),
    ),
    settings: {
      ...SETTINGS,
      outputSelection: {
        '*': { '*': ['abi', 'evm.bytecode.object'] },
        ...Object.fromEntries(layouts.map((source) => [source, { '*': ['storageLayout'] }])),
      },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readDependency }));
  const faults = (output.errors ?? []).filter(isOurs);
  if (faults.length > 0) throw new Error(faults.map((fault) => fault.formattedMessage).join('\n'));
  return output.contracts;
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
