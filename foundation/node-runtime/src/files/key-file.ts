import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './atomic-file.ts';
import { diskFault, errnoOf, StorageError } from './errors.ts';

/** The largest secret file read: a keystore is under 2 KiB. */
const MAX_SECRET_BYTES = 65_536;

/**
 * The text of a file only its owner can read: a raw-hex development key, a Web3 v3 keystore or a
 * password, without white space at its ends. Nothing of it is ever logged or put into a fault.
 *
 * @throws {StorageError} KEY_FILE_MISSING; KEY_FILE_PERMISSIONS if group or others have any right
 * to it; KEY_FILE_TOO_LARGE above 64 KiB; DISK_IO
 */
export async function readSecretFile(path: string): Promise<string> {
  try {
    const handle = await open(path, constants.O_RDONLY);
    try {
      const { mode, size } = await handle.stat();
      if ((mode & 0o077) !== 0) throw openToOthers(path, mode);
      if (size > MAX_SECRET_BYTES) {
        throw new StorageError(
          { code: 'KEY_FILE_TOO_LARGE', path, maxBytes: MAX_SECRET_BYTES },
          `${path} has ${size} bytes; a key file has at most ${MAX_SECRET_BYTES}`,
        );
      }
      return (await handle.readFile('utf8')).trim();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      throw new StorageError(
        { code: 'KEY_FILE_MISSING', path },
        `there is no key file at ${path}`,
        { cause: error },
      );
    }
    throw await diskFault(error, { path, operation: 'read' });
  }
}

/**
 * Writes a new secret file, readable by its owner only and durable once this resolves. If it cannot
 * be written, nothing is left under its name.
 *
 * @throws {StorageError} KEY_FILE_EXISTS rather than overwrite anything; DISK_FULL, DISK_IO
 */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const faultOf = (error: unknown): Promise<StorageError> =>
    diskFault(error, { path, operation: 'write', neededBytes: text.length });
  let handle: FileHandle;
  try {
    handle = await open(path, 'wx', 0o600);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') {
      throw new StorageError(
        { code: 'KEY_FILE_EXISTS', path },
        `${path} exists already and is not overwritten`,
      );
    }
    throw await faultOf(error);
  }
  try {
    try {
      await handle.writeFile(text.endsWith('\n') ? text : `${text}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined); // the first failure is the one to tell
    throw await faultOf(error);
  }
}

function openToOthers(path: string, mode: number): StorageError {
  const shown = `0${(mode & 0o777).toString(8)}`;
  return new StorageError(
    { code: 'KEY_FILE_PERMISSIONS', path, mode: shown },
    `${path} has mode ${shown}, so others may read the key; run: chmod 600 ${path}`,
  );
}
