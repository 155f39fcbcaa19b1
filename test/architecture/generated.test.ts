import { assertGenerated } from './generated.ts';

describe('generated artefacts', function () {
  this.timeout(60_000);

  it('the example configuration is what its schema makes', () => {
    assertGenerated('storage-node/scripts/example-config.ts');
  });
});
