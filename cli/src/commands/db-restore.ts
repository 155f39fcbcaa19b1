import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatBytes } from '@cairn/primitives';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type DbOptions, dataDirectoryOf } from '../local-database.ts';
import { writeJson } from '../output.ts';

/** Read at once from a snapshot. */
const READ_BYTES = 1_048_576;

/**
 * Makes a data directory from a snapshot; it has its name once everything in it is verified.
 *
 * @throws {StorageNodeError} DB_EXISTS, SNAPSHOT_DAMAGED
 */
export async function dbRestore(
  typed: string,
  options: DbOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const directory = dataDirectoryOf(options, context);
  const { restoreSnapshot } = await import('@cairn/storage-node/db');
  const path = resolve(io.cwd, typed);
  if (typed !== '-') await stat(path);
  const stream =
    typed === '-' ? io.stdin() : createReadStream(path, { highWaterMark: READ_BYTES, signal });
  const { pieces, pieceBytes, entries, sha256 } = await restoreSnapshot(stream, directory, {
    signal,
  });
  if (options.json === true) {
    await writeJson(io, { directory, pieces, pieceBytes, entries, sha256, verified: true });
  } else {
    io.writeErr(
      `${pieces} segments, ${formatBytes(pieceBytes)}, verified and restored to ${directory}\n`,
    );
  }
  return EXIT.ok;
}
