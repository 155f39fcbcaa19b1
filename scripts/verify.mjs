// `npm run verify`: types, format, lint, promise rules, architecture and unit tests; under a minute.
import { closeWith, mochaStep, runStep, UNIT_TESTS } from './run-steps.mjs';

const bin = (name) => `node_modules/.bin/${name}`;
const quick = await Promise.all(
  [
    { name: 'types', command: bin('tsc'), args: ['-p', 'tsconfig.json'] },
    { name: 'format and lint', command: bin('biome'), args: ['ci', '--error-on-warnings', '.'] },
    { name: 'promise rules', command: bin('oxlint'), args: ['--type-aware', '--deny-warnings'] },
  ].map((step) => runStep(step, { quiet: true })),
);
const tests = [];
if (quick.every(({ ok }) => ok)) {
  tests.push(await runStep(mochaStep('architecture', ['test/architecture'])));
  tests.push(await runStep(mochaStep('unit tests', UNIT_TESTS)));
}
closeWith([...quick, ...tests]);
