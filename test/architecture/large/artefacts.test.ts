import { assertGenerated } from '../generated.ts';

describe('generated artefacts that take a compiler', () => {
  it('contract ABIs and bytecode are what their sources make', () => {
    assertGenerated('contracts/scripts/build.mjs');
  });

  for (const folder of ['commitments', 'erasure-codec']) {
    it(`the kernels of ${folder} are what their sources make`, () => {
      assertGenerated(`foundation/${folder}/scripts/build.mjs`);
    });
  }
});
