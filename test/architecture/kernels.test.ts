import { assertGenerated } from './generated.ts';

describe('kernels', function () {
  this.timeout(240_000);

  for (const folder of ['commitments', 'erasure-codec']) {
    it(`of ${folder} are what their sources make`, () => {
      assertGenerated(`foundation/${folder}/scripts/build.mjs`);
    });
  }
});
