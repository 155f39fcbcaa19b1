// Runs named commands, shows their output, and adds up the tests they counted.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** What test runners here print about their result; the last match of each counts. */
const COUNTS = [
  { kind: 'passed', pattern: /^\s*(\d+) passing\b/gm },
  { kind: 'failed', pattern: /^\s*(\d+) failing\b/gm },
  { kind: 'skipped', pattern: /^\s*(\d+) pending\b/gm },
];
const PLAIN = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm;

/** The test counts in a runner's output. */
export function countTests(output) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { kind, pattern } of COUNTS) {
    for (const match of output.matchAll(pattern)) counts[kind] += Number(match[1]);
  }
  for (const match of output.matchAll(PLAIN)) {
    counts.passed += Number(match[1]);
    counts.failed += Number(match[2]);
    counts.skipped += Number(match[3] ?? 0);
  }
  return counts;
}

/**
 * Runs one step to its end.
 *
 * @param {{ name: string, command: string, args: string[], env?: Record<string, string> }} step
 * @returns {Promise<{ name: string, ok: boolean, seconds: number, passed: number, failed: number, skipped: number }>}
 */
export function runStep({ name, command, args, env = {} }, { quiet = false } = {}) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const take = (chunk) => {
      output += chunk;
      if (!quiet) process.stdout.write(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('error', (error) => take(`${error.message}\n`));
    child.on('close', (code) => {
      const ok = code === 0;
      if (quiet && !ok) process.stdout.write(output);
      const seconds = (performance.now() - started) / 1000;
      process.stdout.write(`${ok ? 'ok' : 'FAILED'}  ${name} (${seconds.toFixed(1)} s)\n`);
      const counts = countTests(output);
      // A runner that died before counting is one failure, so that a sum of zero never hides it.
      if (!ok && counts.failed === 0) counts.failed = 1;
      resolve({ name, ok, seconds, ...counts });
    });
  });
}

/**
 * Runs steps, the first ones first, several at a time. Longest first ends soonest.
 *
 * @param {Parameters<typeof runStep>[0][]} steps
 * @param {{ lanes?: number, quiet?: boolean }} options `lanes`: how many at a time, 2 unless told,
 * where steps keep a thread busy: the second thread of a core is half a core
 */
export async function runInLanes(steps, { lanes = 2, ...options } = {}) {
  const waiting = [...steps];
  const results = [];
  const work = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      results.push(await runStep(step, options));
    }
  };
  await Promise.all(Array.from({ length: lanes }, work));
  return results;
}

/** Prints the sum of `results` as the closing line and sets the exit code. */
export function closeWith(results) {
  const sum = (kind) => results.reduce((total, result) => total + result[kind], 0);
  const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
  process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed${skipped}\n`);
  process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
}

/** A mocha run over `paths`. */
export function mochaStep(name, paths, env = {}) {
  return {
    name,
    command: process.execPath,
    args: ['node_modules/mocha/bin/mocha.js', ...paths],
    env,
  };
}

/**
 * Suites that take seconds each, for `npm test`, not `verify`: on `real` chains, disks and
 * processes, and the `large` ones, of big matrices, many inputs, artefacts compiled anew.
 */
export const SLOW_TESTS = ['**/test/**/real/**', '**/test/**/large/**'].flatMap((pattern) => [
  '--ignore',
  pattern,
]);

/** The unit tests of every package: the `test` folder beside each `src`. */
export const UNIT_TESTS = [
  'foundation/primitives/test',
  'foundation/commitments/test',
  'foundation/attestation/test',
  'foundation/erasure-codec/test',
  'foundation/pora/test',
  'foundation/wire-protocol/test',
  'foundation/chain-access/test',
  'foundation/node-runtime/test',
  'contracts/test',
  'log-layer/test',
  'kv-layer/test',
  'kv-layer/node/test',
  'light-client/test',
  'client-sdk/test',
  'storage-node/test',
  'da-node/test',
  'devnet/test',
  'cli/test',
];
