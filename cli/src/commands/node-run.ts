import { resolve } from 'node:path';
import { environmentName } from '@cairn/node-runtime/config';
import { exampleConfig } from '@cairn/storage-node';
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
    await io.writeOut(exampleConfig());
    return EXIT.ok;
  }
  if (options.config === undefined) {
    throw usageError(
      'config',
      'say which node with --config FILE; `cairn node run --example > cairn.toml` makes one to edit',
    );
  }
  // The daemon reads its settings from its file, the environment and its own arguments.
  Object.assign(process.env, settingsOf(options.set ?? []));
  const [node = 'node', program = 'cairn'] = process.argv;
  process.argv = [node, program, '--config', resolve(io.cwd, options.config)];
  await import('@cairn/storage-node/main');
  return typeof process.exitCode === 'number' ? process.exitCode : EXIT.ok;
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
