// What the compiler made of `src` when the Solidity tests were compiled, for whoever needs the same again: the whole set takes
// half a minute. It stands under a hash of all that it depends on, so a changed source, setting or compiler finds nothing.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

/** Beside forge's own cache, which git ignores; one compilation at a time. */
const PLACE = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  'cache',
  'src-compilation.json',
);

/** Packages whose content goes into the result. */
const PACKAGES = ['solc', '@openzeppelin/contracts'];

/**
 * Hash of everything that decides what the compiler makes of our sources.
 *
 * @param {Record<string, string>} sources content by path, those under `src` only
 * @param {{ optimizer: object, evmVersion: string, metadata: object }} settings
 */
export function compilationKey(sources, { optimizer, evmVersion, metadata }) {
  const versions = PACKAGES.map((name) => require(`${name}/package.json`).version);
  const files = Object.keys(sources)
    .sort()
    .map((path) => [path, sources[path]]);
  const { enabled, runs } = optimizer;
  const { appendCBOR, bytecodeHash } = metadata;
  const decisive = [versions, enabled, runs, evmVersion, appendCBOR, bytecodeHash, files];
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}

/** The output kept under `key`; `undefined` where there is none. */
export function readCompilation(key) {
  try {
    const kept = JSON.parse(readFileSync(PLACE, 'utf8'));
    return kept.key === key ? kept.output : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps what a compilation made of our sources.
 *
 * @param {Record<string, string>} sources as for `compilationKey`
 * @param {Parameters<typeof compilationKey>[1]} settings
 * @param {{ contracts?: object, errors?: object[] }} output the compiler's, with ABI, bytecode and storage layout
 */
export function keepCompilation(sources, settings, { contracts = {}, errors }) {
  const kept = Object.keys(sources).map((path) => [path, essencesOf(contracts[path] ?? {})]);
  const output = { errors, contracts: Object.fromEntries(kept) };
  mkdirSync(dirname(PLACE), { recursive: true });
  // Whoever reads meanwhile finds the old file whole or the new one.
  const unfinished = `${PLACE}.${process.pid}`;
  writeFileSync(unfinished, JSON.stringify({ key: compilationKey(sources, settings), output }));
  renameSync(unfinished, PLACE);
}

function essencesOf(contracts) {
  return Object.fromEntries(
    Object.entries(contracts).map(([name, { abi, evm, storageLayout }]) => {
      return [name, { abi, evm: { bytecode: { object: evm.bytecode.object } }, storageLayout }];
    }),
  );
}
