// `npm test`: every test, at a tenth of the soak size or less. `--soak` runs the full counts and the forge
// soak profile instead and takes hours; its figures go into docs/reliability.md.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildIfStale } from './build.mjs';
import { closeWith, mochaStep, root, runInLanes, UNIT_TESTS } from './run-steps.mjs';

const soak = process.argv.includes('--soak');
const env = soak ? { CAIRN_SOAK: '1' } : {};

/** A network that waits for blocks leaves its thread to others; more lanes would need more memory. */
const LANES = soak ? 2 : 4;

buildIfStale(); // journeys run the built command, as users do
const isFoundation = (path) => path.startsWith('foundation/');
const foundation = UNIT_TESTS.filter(isFoundation);
// The longest step, so in two: what waits for chains and processes, and what lies below.
const isDaemon = (path) => ['da-node', 'devnet', 'cli'].includes(path.split('/')[0]);
const above = UNIT_TESTS.filter((path) => !isFoundation(path) && !isDaemon(path));

// Files through the command, over HTTP and by the official clients share one network.
const tours = ['test/journeys', 'test/interop'].flatMap((folder) =>
  readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
);
const isShared = (path) => readFileSync(join(root, path), 'utf8').includes('sharedNetwork(');

// What waits longest first.
const steps = [
  mochaStep(
    'journeys of whole networks',
    tours.filter((path) => !isShared(path)),
    env,
  ),
  mochaStep('unit tests of blobs and commands', UNIT_TESTS.filter(isDaemon), env),
  mochaStep('unit tests of storage, streams and clients', above, env),
  {
    name: 'contracts',
    command: process.execPath,
    args: ['contracts/scripts/forge.mjs', ...(soak ? ['--soak'] : [])],
  },
  mochaStep('journeys and interop on one network', tours.filter(isShared), env),
  mochaStep('faults', ['test/faults', 'test/simulation'], env),
  mochaStep('unit tests of the foundation', foundation, env),
  // After the contracts: it looks at what their tests compiled.
  mochaStep('architecture', ['test/architecture'], env),
];
closeWith(await runInLanes(steps, { lanes: LANES }));
