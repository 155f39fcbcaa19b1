import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { repositoryRoot } from './house.ts';

/** Scripts in TypeScript run from source, as the tests do. */
const flags = [
  ...((process.features as { typescript?: unknown }).typescript ? [] : ['--import', 'tsx']),
  '--conditions=@cairn/source',
];

/**
 * Runs a generator's `--check`, with more `options`.
 *
 * @throws if what is committed is not what its sources make
 */
export function assertGenerated(script: string, ...options: string[]): void {
  const { NODE_OPTIONS: _options, ...env } = process.env;
  const command = [...flags, script, '--check', ...options];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: repositoryRoot,
    env,
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
}
