import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { repositoryRoot } from './house.ts';

/** What is generated and committed, and the command that says whether it is what its source makes. */
const GENERATED: readonly (readonly [what: string, script: string])[] = [
  ['contract ABIs and bytecode', 'contracts/scripts/build.mjs'],
  ['hash kernels', 'foundation/commitments/scripts/build.mjs'],
  ['the example configuration', 'storage-node/scripts/example-config.ts'],
];

/** Scripts in TypeScript run from source, as the tests do. */
const flags = [
  ...((process.features as { typescript?: unknown }).typescript ? [] : ['--import', 'tsx']),
  '--conditions=@cairn/source',
];

describe('generated artefacts', function () {
  this.timeout(60_000);
  for (const [what, script] of GENERATED) {
    it(`${what} are what their sources make`, () => {
      const { NODE_OPTIONS: _options, ...env } = process.env;
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [...flags, script, '--check'],
        {
          cwd: repositoryRoot,
          env,
          encoding: 'utf8',
        },
      );
      assert.equal(status, 0, `${stdout}${stderr}`);
    });
  }
});
