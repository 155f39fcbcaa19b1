import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskFault, errnoOf } from './errors.ts';

/** How a file is written whole. */
export interface WriteAtomicOptions {
  /** 0o644 unless told, less what the process's umask takes away. */
  readonly mode?: number;
  /** Whether a file that is there is replaced; true unless told. */
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Replaces a file's content so that a crash leaves the old one or the new one, whole and durable.
 *
 * @param bytes - the content; text is written as UTF-8
 * @throws {StorageError} DISK_FULL, DISK_IO, with EEXIST for a name that is taken and not to be
 *   overwritten; the signal's reason; the old file is untouched then
 */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array | string,
  { mode = 0o644, overwrite = true, signal }: WriteAtomicOptions = {},
): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(bytes, signal === undefined ? {} : { signal });
      await handle.sync();
    } finally {
      await handle.close();
    }
    signal?.throwIfAborted();
    if (overwrite) await rename(temporary, path);
    else {
      await link(temporary, path); // fails where the name is taken; renaming would replace
      await rm(temporary);
    }
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first failure is the one told
    signal?.throwIfAborted();
    const neededBytes = bytes.length;
    throw await diskFault(error, { path, operation: 'write', neededBytes });
  }
}

/** The whole file; `undefined` if there is none. @throws {StorageError} DISK_IO */
export async function readFileIfPresent(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw await diskFault(error, { path, operation: 'read' });
  }
}

/** Makes a directory's names durable: those of files made, renamed or removed in it. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
