// `npm run verify`: types, format, lint, promise rules, architecture and unit tests; about a minute
// of a machine that has two cores to itself.
// What waits for real chains and processes is left to `npm test`.
import { closeWith, mochaStep, runInLanes, SLOW_TESTS, UNIT_TESTS } from './run-steps.mjs';

const bin = (name) => `node_modules/.bin/${name}`;
/** Two runs of about equal length: each process costs seconds to start. */
const halves = [0, 1].map((half) => {
  const paths = [...UNIT_TESTS, 'test/architecture'].filter((_path, index) => index % 2 === half);
  return mochaStep(`unit and architecture tests, ${half + 1} of 2`, [...SLOW_TESTS, ...paths]);
});
const results = await runInLanes(
  [
    ...halves,
    { name: 'types', command: bin('tsc'), args: ['-p', 'tsconfig.json'] },
    { name: 'promise rules', command: bin('oxlint'), args: ['--type-aware', '--deny-warnings'] },
    { name: 'format and lint', command: bin('biome'), args: ['ci', '--error-on-warnings', '.'] },
  ],
  { quiet: true },
);
closeWith(results);
