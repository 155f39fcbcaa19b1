import { assertGenerated } from './generated.ts';

describe('hash kernels', function () {
  this.timeout(120_000);

  it('are what their sources make', () => {
    assertGenerated('foundation/commitments/scripts/build.mjs');
  });
});
