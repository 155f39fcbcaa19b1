// `npm run verify`: types, format, lint, promise rules, architecture and unit tests; under a minute.
// What waits for real chains and processes is left to `npm test`.
import { closeWith, mochaStep, runStep, SLOW_TESTS, UNIT_TESTS } from './run-steps.mjs';

const bin = (name) => `node_modules/.bin/${name}`;
const half = Math.ceil(UNIT_TESTS.length / 2);
/** Two lanes, since the second core is half a core: each runs its steps one after another. */
const lanes = [
  [
    { name: 'types', command: bin('tsc'), args: ['-p', 'tsconfig.json'] },
    { name: 'promise rules', command: bin('oxlint'), args: ['--type-aware', '--deny-warnings'] },
    mochaStep('architecture', [...SLOW_TESTS, 'test/architecture']),
    mochaStep('unit tests of the foundation', [...SLOW_TESTS, ...UNIT_TESTS.slice(0, half)]),
  ],
  [
    { name: 'format and lint', command: bin('biome'), args: ['ci', '--error-on-warnings', '.'] },
    mochaStep('unit tests of the rest', [...SLOW_TESTS, ...UNIT_TESTS.slice(half)]),
  ],
];
const results = await Promise.all(
  lanes.map(async (steps) => {
    const done = [];
    for (const step of steps) done.push(await runStep(step, { quiet: true }));
    return done;
  }),
);
closeWith(results.flat());
