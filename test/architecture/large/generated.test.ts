import { assertGenerated } from '../generated.ts';

describe('generated artefacts', () => {
  for (const daemon of ['storage-node', 'da-node']) {
    it(`the example configuration of ${daemon} is what its schema makes`, () => {
      assertGenerated(`${daemon}/scripts/example-config.ts`);
    });
  }
});
