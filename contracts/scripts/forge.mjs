// Runs the Solidity tests with the forge from npm, offline, and exits 1 unless all of them pass.
//
//   node contracts/scripts/forge.mjs [--soak] [forge test options]
//
// --soak takes the profile with fifty times the fuzz runs and eight times the invariant calls. The last line is always
// "N passed, N failed".

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const workspace = dirname(dirname(fileURLToPath(import.meta.url)));
const options = process.argv.slice(2);
const soak = options.includes('--soak');

const forge = join(dirname(require.resolve('@foundry-rs/forge/package.json')), 'bin.mjs');
const run = spawnSync(
  process.execPath,
  [forge, 'test', '--offline', '--color', 'never', ...options.filter((name) => name !== '--soak')],
  {
    cwd: workspace,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FOUNDRY_PROFILE: soak ? 'soak' : 'default' },
  },
);
if (run.error) throw run.error;
process.stdout.write(run.stdout);

const counts = [...run.stdout.matchAll(/^Suite result: .*?(\d+) passed; (\d+) failed;/gm)];
const passed = counts.reduce((sum, [, count]) => sum + Number(count), 0);
const failed = counts.reduce((sum, [, , count]) => sum + Number(count), 0);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
// A run that compiled nothing or found no test is no success.
if (run.status !== 0 || failed > 0 || passed === 0) process.exitCode = 1;
