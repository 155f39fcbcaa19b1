// Compiles the contracts and writes their ABIs, bytecode and provable storage slots to src/generated.
//
//   node contracts/scripts/build.mjs           writes
//   node contracts/scripts/build.mjs --check   compares, and exits 1 where a committed file differs
//
// Neither compiles anything where the Solidity tests have compiled the same sources.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileContracts, keptContracts, WORKSPACE } from './compiler.mjs';

const GENERATED = join(WORKSPACE, 'src', 'generated');

/** Deployable contracts by the prefix of their exports. */
const ARTEFACTS = {
  flow: { source: 'src/log/Flow.sol', contract: 'Flow' },
  priceMarket: { source: 'src/log/PriceMarket.sol', contract: 'PriceMarket' },
  chunkLinearReward: { source: 'src/reward/ChunkLinearReward.sol', contract: 'ChunkLinearReward' },
  chunkDecayReward: { source: 'src/reward/ChunkDecayReward.sol', contract: 'ChunkDecayReward' },
  possession: { source: 'src/possession/Possession.sol', contract: 'Possession' },
  poraMine: { source: 'src/pora/PoraMine.sol', contract: 'PoraMine' },
  directory: { source: 'src/Directory.sol', contract: 'Directory' },
  randaoEntropy: { source: 'src/quorum/RandaoEntropy.sol', contract: 'RandaoEntropy' },
  stakeHub: { source: 'src/stake/StakeHub.sol', contract: 'StakeHub' },
  signerRegistry: { source: 'src/stake/SignerRegistry.sol', contract: 'SignerRegistry' },
  sortition: { source: 'src/stake/Sortition.sol', contract: 'Sortition' },
  slasher: { source: 'src/stake/Slasher.sol', contract: 'Slasher' },
  quorumVerifier: { source: 'src/da/QuorumVerifier.sol', contract: 'QuorumVerifier' },
  daEntrance: { source: 'src/da/DAEntrance.sol', contract: 'DAEntrance' },
  daMining: { source: 'src/da/DAMining.sol', contract: 'DAMining' },
  orderingHub: { source: 'src/shards/OrderingHub.sol', contract: 'OrderingHub' },
  epochMirror: { source: 'src/shards/EpochMirror.sol', contract: 'EpochMirror' },
  jobBoard: { source: 'src/compute/JobBoard.sol', contract: 'JobBoard' },
  stakeGovernor: { source: 'src/governance/StakeGovernor.sol', contract: 'StakeGovernor' },
  timelock: { source: 'src/governance/Timelock.sol', contract: 'Timelock' },
  nitroCertificateValidator: {
    source: 'src/da/NitroCertificateValidator.sol',
    contract: 'NitroCertificateValidator',
  },
};

/** State that proofs are made of: variables that begin a storage slot of their own, by contract. */
const PROVABLE = {
  sortition: ['headerHash', '_snapshotHashes'],
  daEntrance: ['_batches', '_voids'],
};

const artefacts = renderAll(keptContracts() ?? compileContracts());
if (process.argv.includes('--check')) check(artefacts);
else write(artefacts);

/** Content of each generated file by file name. */
function renderAll(contracts) {
  const artefacts = Object.entries(ARTEFACTS).map(([prefix, { source, contract }]) => {
    const compiled = contracts[source][contract];
    return [`${toKebabCase(prefix)}.ts`, renderArtefact(prefix, source, compiled)];
  });
  return new Map([...artefacts, ['storage-slots.ts', renderSlots(contracts)]]);
}

function renderArtefact(prefix, source, { abi, evm }) {
  const entries = abi.map((entry) => `  ${JSON.stringify(entry)},\n`).join('');
  return `// Generated from contracts/${source} by "node contracts/scripts/build.mjs". Do not edit: change the source and run it.

/** ABI of ${source}. */
export const ${prefix}Abi = [
${entries}] as const;

/** Creation bytecode of ${source}, without constructor arguments. */
export const ${prefix}Bytecode: \`0x\${string}\` =
  '0x${evm.bytecode.object}';
`;
}

/** The slots as the compiler lays them out; a mapping's is what its keys are hashed with. */
function renderSlots(contracts) {
  const blocks = Object.entries(PROVABLE).map(([prefix, labels]) => {
    const { source, contract } = ARTEFACTS[prefix];
    const { storage } = contracts[source][contract].storageLayout;
    const lines = labels.map((label) => {
      const variable = storage.find((entry) => entry.label === label);
      if (variable === undefined || variable.offset !== 0) {
        throw new Error(`${source}: ${label} does not begin a storage slot`);
      }
      return `  ${label.replace(/^_/, '')}: ${variable.slot},\n`;
    });
    return `
/** Storage slots of ${source}. */
export const ${prefix}Slots = {
${lines.join('')}} as const;
`;
  });
  return `// Generated from the contracts by "node contracts/scripts/build.mjs". Do not edit: change a source and run it.
${blocks.join('')}`;
}

function write(files) {
  rmSync(GENERATED, { recursive: true, force: true });
  mkdirSync(GENERATED, { recursive: true });
  for (const [name, content] of files) writeFileSync(join(GENERATED, name), content);
  process.stdout.write(`wrote ${files.size} artefacts to contracts/src/generated\n`);
}

function check(files) {
  const committed = readdirSync(GENERATED);
  const stale = [
    ...committed.filter((name) => !files.has(name)),
    ...[...files].flatMap(([name, content]) =>
      committed.includes(name) && readFileSync(join(GENERATED, name), 'utf8') === content
        ? []
        : [name],
    ),
  ];
  if (stale.length === 0) {
    process.stdout.write(`${files.size} artefacts match their sources\n`);
    return;
  }
  process.stderr.write(
    `stale in contracts/src/generated: ${stale.join(', ')}; run "node contracts/scripts/build.mjs"\n`,
  );
  process.exitCode = 1;
}

function toKebabCase(name) {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
