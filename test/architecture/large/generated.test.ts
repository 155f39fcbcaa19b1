import { isSoak } from '../../support/soak.ts';
import { assertGenerated } from '../generated.ts';

describe('generated artefacts', () => {
  for (const daemon of ['storage-node', 'da-node', 'kv-layer/node']) {
    it(`the example configuration of ${daemon} is what its schema makes`, () => {
      assertGenerated(`${daemon}/scripts/example-config.ts`);
    });
  }

  for (const folder of ['commitments', 'erasure-codec', 'pora']) {
    it(`the kernels of ${folder} are ${isSoak ? 'what their sources make' : 'of their sources'}`, () => {
      const anew = isSoak ? ['--anew'] : [];
      assertGenerated(`foundation/${folder}/scripts/build.mjs`, ...anew);
    });
  }

  it('contract ABIs and bytecode are what their sources make', () => {
    assertGenerated('contracts/scripts/build.mjs');
  });
});
