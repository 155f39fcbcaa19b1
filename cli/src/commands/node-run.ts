import { resolve } from 'node:path';
import { environmentName } from '@cairn/node-runtime/config';
import type { NodeProcess } from '@cairn/storage-node/process';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';

/** What `cairn node run` takes. */
export interface NodeRunOptions {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly example?: boolean;
}

/** Runs a storage node or an indexer in this process until it is told to stop. */
export async function nodeRun(options: NodeRunOptions, { io }: CommandContext): Promise<number> {
  if (options.example === true) {
    const { exampleConfig } = await import('@cairn/storage-node/config');
    await io.writeOut(exampleConfig());
    return EXIT.ok;
  }
  if (options.config === undefined) {
    throw usageError(
      'config',
      'say which node with --config FILE; `cairn node run --example > cairn.toml` makes one to edit',
    );
  }
  const env = { ...io.env, ...settingsOf(options.set ?? []) };
  const { runProcess } = await import('@cairn/storage-node/process');
  return runProcess(['--config', resolve(io.cwd, options.config)], processHost(env));
}

/** This process, as a node takes it. */
export function processHost(env: Readonly<Record<string, string | undefined>>): NodeProcess {
  return {
    env,
    stdout: process.stdout,
    stderr: process.stderr,
    on: process.on.bind(process),
    off: process.off.bind(process),
    exit: process.exit.bind(process),
  };
}

/**
 * Environment variables for settings such as `storage.shard=0/2`.
 *
 * @throws {CliError} CLI_USAGE for text of another form
 */
export function settingsOf(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, path = '', value = ''] = /^([\w-]+(?:\.[\w-]+)+)=(.*)$/s.exec(text) ?? [];
      if (path === '') {
        throw usageError('set', `"${text}" is not a setting; write for instance storage.shard=0/2`);
      }
      return [`CAIRN_${path.split('.').map(environmentName).join('__')}`, value];
    }),
  );
}
