// `npm test`: every test, at a tenth of the soak size. `--soak` runs the full counts and the forge
// soak profile instead and takes hours; its figures go into docs/reliability.md.
import { buildIfStale } from './build.mjs';
import { closeWith, mochaStep, runInTwoLanes, UNIT_TESTS } from './run-steps.mjs';

const soak = process.argv.includes('--soak');
const env = soak ? { CAIRN_SOAK: '1' } : {};

buildIfStale(); // journeys run the built command, as users do
const isFoundation = (path) => path.startsWith('foundation/');
const foundation = UNIT_TESTS.filter(isFoundation);
const above = UNIT_TESTS.filter((path) => !isFoundation(path));

const results = await runInTwoLanes([
  mochaStep('faults', ['test/faults'], env),
  mochaStep('unit tests of nodes and commands', above, env),
  mochaStep('unit tests of the foundation', foundation, env),
  mochaStep('journeys', ['test/journeys'], env),
  {
    name: 'contracts',
    command: process.execPath,
    args: ['contracts/scripts/forge.mjs', ...(soak ? ['--soak'] : [])],
  },
  mochaStep('interop', ['test/interop'], env),
  mochaStep('architecture', ['test/architecture'], env),
]);
closeWith(results);
