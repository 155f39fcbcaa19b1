import { resolve } from 'node:path';
import { isFault, silentLogger } from '@cairn/primitives';
import type { OfflineStores } from '@cairn/storage-node/db';
import { usageError } from './errors.ts';
import type { CommandContext } from './io.ts';

/** What every `cairn db` command takes. */
export interface DbOptions {
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** Where the data lies. @throws {CliError} CLI_USAGE */
export function dataDirectoryOf(options: DbOptions, { io }: CommandContext): string {
  if (options.dataDir !== undefined) return resolve(io.cwd, options.dataDir);
  throw usageError('data-dir', 'say where the data lies with --data-dir DIRECTORY');
}

/**
 * Runs `work` on a data directory that no node runs on, and closes it.
 *
 * @throws {StorageError} DIRECTORY_LOCKED where one runs; {StorageNodeError} DB_NOT_FOUND; what `work`
 * throws
 */
export async function withDatabase<Result>(
  options: DbOptions,
  context: CommandContext,
  work: (stores: OfflineStores) => Promise<Result>,
): Promise<Result> {
  const { openOffline } = await import('@cairn/storage-node/db');
  const directory = dataDirectoryOf(options, context);
  const stores = await openOffline(directory, { logger: silentLogger(), signal: context.signal });
  try {
    return await work(stores);
  } finally {
    await stores.close();
  }
}

/** Whether a node runs where a command wanted to work by itself. */
export function isRunning(error: unknown): boolean {
  return isFault(error, 'DIRECTORY_LOCKED');
}
