import { resolve } from 'node:path';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type NodeRunOptions, processHost, settingsOf } from './node-run.ts';

/** Runs a key-value node in this process until it is told to stop. */
export async function kvNodeRun(options: NodeRunOptions, { io }: CommandContext): Promise<number> {
  if (options.example === true) {
    const { exampleConfig } = await import('@cairn/kv-node/config');
    await io.writeOut(exampleConfig());
    return EXIT.ok;
  }
  if (options.config === undefined) {
    throw usageError(
      'config',
      'say which node with --config FILE; `cairn kv-node run --example > kv.toml` makes one to edit',
    );
  }
  const env = { ...io.env, ...settingsOf(options.set ?? []) };
  const { runProcess } = await import('@cairn/kv-node/process');
  return runProcess(['--config', resolve(io.cwd, options.config)], processHost(env));
}
