// `npm test`: every test, at a tenth of the soak size. `--soak` runs the full counts and the forge
// soak profile instead and takes hours; its figures go into docs/reliability.md.
import { buildIfStale } from './build.mjs';
import { closeWith, mochaStep, runStep, UNIT_TESTS } from './run-steps.mjs';

const soak = process.argv.includes('--soak');
const env = soak ? { CAIRN_SOAK: '1' } : {};

buildIfStale(); // journeys run the built command, as users do
/**
 * Two lanes, each one step after another: the second waits much for blocks, polls and restarts,
 * while the first computes.
 */
const lanes = [
  [
    mochaStep('architecture', ['test/architecture'], env),
    mochaStep('unit tests', UNIT_TESTS, env),
    {
      name: 'contracts',
      command: process.execPath,
      args: ['contracts/scripts/forge.mjs', ...(soak ? ['--soak'] : [])],
    },
    mochaStep('journeys', ['test/journeys'], env),
  ],
  [mochaStep('interop', ['test/interop'], env), mochaStep('faults', ['test/faults'], env)],
];
const results = await Promise.all(
  lanes.map(async (steps) => {
    const done = [];
    for (const step of steps) done.push(await runStep(step));
    return done;
  }),
);
closeWith(results.flat());
