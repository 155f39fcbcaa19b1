import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { diskFault, syncDirectory } from '@cairn/node-runtime/files';
import { formatBytes, systemClock } from '@cairn/primitives';
import type { OfflineStores, SnapshotTotals } from '@cairn/storage-node/db';
import { outputExists } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type DbOptions, withDatabase } from '../local-database.ts';
import { writeJson } from '../output.ts';
import { Progress } from '../progress.ts';

/**
 * Copies everything of a data directory into one file or to standard output. A file gets its name
 * once it is whole and durable.
 *
 * @throws {CliError} CLI_OUTPUT_EXISTS; {StorageNodeError} DB_DAMAGED
 */
export async function dbSnapshot(
  typed: string,
  options: DbOptions,
  context: CommandContext,
): Promise<number> {
  const { io } = context;
  const totals = await withDatabase(options, context, (stores) =>
    typed === '-' ? toStdout(stores, context) : toFile(stores, resolve(io.cwd, typed), context),
  );
  const { pieces, pieceBytes, entries, sha256 } = totals;
  if (options.json === true && typed !== '-') {
    await writeJson(io, { path: resolve(io.cwd, typed), pieces, pieceBytes, entries, sha256 });
  } else {
    io.writeErr(
      `${pieces} segments, ${formatBytes(pieceBytes)}, and ${entries} entries copied; sha256 ${sha256}\n`,
    );
  }
  return EXIT.ok;
}

async function toStdout(
  stores: OfflineStores,
  { io, signal }: CommandContext,
): Promise<SnapshotTotals> {
  const { writeSnapshot } = await import('@cairn/storage-node/db');
  return writeSnapshot(stores, (bytes) => io.writeOut(bytes), { signal });
}

async function toFile(
  stores: OfflineStores,
  path: string,
  { io, signal }: CommandContext,
): Promise<SnapshotTotals> {
  const { writeSnapshot } = await import('@cairn/storage-node/db');
  if ((await stat(path).catch(() => undefined)) !== undefined) throw outputExists(path);
  const progress = new Progress({ io, clock: systemClock() });
  const part = `${path}.part`;
  try {
    const file = await open(part, 'w', 0o600);
    let written = 0;
    try {
      const write = async (bytes: Uint8Array): Promise<void> => {
        for (let done = 0; done < bytes.length; ) {
          done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
        }
        written += bytes.length;
        progress.update('copying', written, 0);
      };
      const totals = await writeSnapshot(stores, write, { signal });
      await file.sync();
      await rename(part, path);
      await syncDirectory(dirname(path));
      return totals;
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined); // the first failure is told
    if (error instanceof Error && 'syscall' in error) {
      throw await diskFault(error, { path, operation: 'write' });
    }
    throw error;
  } finally {
    progress.clear();
  }
}
