import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { repositoryRoot } from './house.ts';

/** What is generated and committed, and the command that says whether it is what its source makes. */
const GENERATED: readonly (readonly [what: string, script: string])[] = [
  ['contract ABIs and bytecode', 'contracts/scripts/build.mjs'],
  ['hash kernels', 'foundation/commitments/scripts/build.mjs'],
  ['the example configuration', 'storage-node/scripts/example-config.mjs'],
];

describe('generated artefacts', function () {
  this.timeout(60_000);
  for (const [what, script] of GENERATED) {
    it(`${what} are what their sources make`, () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], {
        cwd: repositoryRoot,
        encoding: 'utf8',
      });
      assert.equal(status, 0, `${stdout}${stderr}`);
    });
  }
});
