import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, link, lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  acquireDirectoryLock,
  errnoOf,
  readFileIfPresent,
  syncDirectory,
  writeFileAtomic,
} from '@cairn/node-runtime/files';
import { isFault, isRecord, parseJson, stringifyJson, utf8Text } from '@cairn/primitives';
import { SdkError } from '../errors.ts';

/** A file that is being brought to disk, beside the place it will take. */
export interface PartialFile {
  /** Bytes of an earlier run that can be trusted: of the same file, verified and synced. */
  readonly keptBytes: number;
  /** Writes all of `bytes` at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Makes what was written durable, and lets a later run go on from `doneBytes`. */
  keep(doneBytes: number): Promise<void>;
  /**
   * Makes what was written durable and gives it its name.
   *
   * @throws {SdkError} SDK_PATH_EXISTS if somebody took the name, or the partial file's, meanwhile
   */
  publish(options: { readonly overwrite: boolean }): Promise<void>;
  /** Lets go of it; what a later run can use stays. To be called whatever happened. */
  close(): Promise<void>;
}

/** Which file, so that a later run goes on with the same one only. */
export interface PartialIdentity {
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * Opens `<path>.part`, which `<path>.part.json` says is ours and how far it got. One process at a
 * time has it: `<path>.part.lock` is there meanwhile.
 *
 * @param resume - whether to go on where an earlier run was; if not, its bytes are dropped
 * @throws {SdkError} SDK_PATH_EXISTS if one of these names is taken by something that is not ours,
 *   or by another download under way; {StorageError} DISK_FULL, DISK_IO
 */
export async function openPartialFile(
  path: string,
  { name, sizeBytes }: PartialIdentity,
  { resume }: { readonly resume: boolean },
): Promise<PartialFile> {
  const part = `${path}.part`;
  const record = `${path}.part.json`;
  const unlock = await lock(`${path}.part.lock`, part);
  const remember = (doneBytes: number): Promise<void> =>
    writeFileAtomic(record, stringifyJson({ version: 1, name, sizeBytes, doneBytes }));
  try {
    const checkpoint = await readCheckpoint(record);
    const thereBytes = await sizeOf(part);
    if (checkpoint === undefined && thereBytes !== undefined) throw taken(part);
    const isSame = checkpoint?.name === name && checkpoint.sizeBytes === sizeBytes;
    const doneBytes = resume && isSame ? checkpoint.doneBytes : 0;
    const keptBytes = doneBytes <= Math.min(thereBytes ?? 0, sizeBytes) ? doneBytes : 0;
    // First the record: a partial file without one is somebody else's.
    if (keptBytes === 0) await remember(0);
    const handle = await openPart(part, thereBytes === undefined, keptBytes);
    return {
      keptBytes,
      write: (bytes, position) => writeAll(handle, bytes, position),
      async keep(doneBytes) {
        await handle.datasync();
        await remember(doneBytes);
      },
      async publish({ overwrite }) {
        await giveName(handle, { part, path, sizeBytes, overwrite });
        await rm(record, { force: true });
      },
      async close() {
        await handle.close();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/**
 * Opens a file under a name of chance beside `path`, for where nothing is gone on with: no name
 * that may be taken is needed, and nothing stays unless it is published.
 */
export async function openScratchFile(path: string, sizeBytes: number): Promise<PartialFile> {
  const part = `${path}.${randomBytes(8).toString('hex')}.part`;
  const handle = await openPart(part, true, 0);
  return {
    keptBytes: 0,
    write: (bytes, position) => writeAll(handle, bytes, position),
    keep: () => handle.datasync(),
    publish: ({ overwrite }) => giveName(handle, { part, path, sizeBytes, overwrite }),
    async close() {
      await handle.close();
      await rm(part, { force: true });
    },
  };
}

/** The partial file, cut to what is kept of it. @throws {SdkError} SDK_PATH_EXISTS */
async function openPart(part: string, isNew: boolean, keptBytes: number): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_EXCL } = constants;
  let handle: FileHandle;
  try {
    handle = await open(part, O_RDWR | O_CREAT | (isNew ? O_EXCL : 0), 0o644);
  } catch (error) {
    throw errnoOf(error) === 'EEXIST' ? taken(part) : error;
  }
  try {
    await handle.truncate(keptBytes);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Without `overwrite` a link is made first, which fails if somebody took the name meanwhile. */
async function giveName(
  handle: FileHandle,
  {
    part,
    path,
    sizeBytes,
    overwrite,
  }: {
    readonly part: string;
    readonly path: string;
    readonly sizeBytes: number;
    readonly overwrite: boolean;
  },
): Promise<void> {
  await handle.sync();
  const [mine, named] = [await handle.stat(), await statIfPresent(part)];
  // What has the name is published, so it must be what was written here, all of it.
  if (named?.ino !== mine.ino || named.dev !== mine.dev || mine.size !== sizeBytes) {
    throw taken(part);
  }
  if (overwrite) await rename(part, path);
  else {
    try {
      await link(part, path);
    } catch (error) {
      throw errnoOf(error) === 'EEXIST' ? taken(path) : error;
    }
    await rm(part);
  }
  await syncDirectory(dirname(path));
}

interface Checkpoint extends PartialIdentity {
  readonly doneBytes: number;
}

/** @throws {SdkError} SDK_PATH_EXISTS if something else has the name */
async function readCheckpoint(record: string): Promise<Checkpoint | undefined> {
  const bytes = await readFileIfPresent(record);
  if (bytes === undefined) return undefined;
  let value: unknown;
  try {
    value = parseJson(utf8Text(bytes));
  } catch {
    throw taken(record); // ours is always whole: it is replaced in one step
  }
  if (!isRecord(value) || value['version'] !== 1) throw taken(record);
  const { name, sizeBytes, doneBytes } = value;
  if (typeof name !== 'string' || !isLength(sizeBytes) || !isLength(doneBytes)) throw taken(record);
  return { name, sizeBytes, doneBytes };
}

function isLength(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Length of the partial file, if there is one. @throws {SdkError} SDK_PATH_EXISTS if it is no file */
async function sizeOf(part: string): Promise<number | undefined> {
  const stats = await statIfPresent(part);
  if (stats !== undefined && !stats.isFile()) throw taken(part);
  return stats?.size;
}

/** Of the name itself: a link is not followed. */
async function statIfPresent(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Takes a partial file for this process; the result gives it up. */
async function lock(directory: string, part: string): Promise<() => Promise<void>> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return [];
    throw errnoOf(error) === 'ENOTDIR' ? taken(directory) : error;
  });
  if (names.some((name) => !name.startsWith('LOCK.'))) throw taken(directory);
  try {
    await acquireDirectoryLock(directory);
  } catch (error) {
    if (!isFault(error, 'DIRECTORY_LOCKED')) throw error;
    throw new SdkError(
      { code: 'SDK_PATH_EXISTS', path: part },
      `another download is writing ${part}`,
      { cause: error },
    );
  }
  return async () => {
    // Moved away in one step: who comes next finds the lock whole, or none.
    const gone = `${directory}.${randomBytes(8).toString('hex')}`;
    await rename(directory, gone);
    await rm(gone, { recursive: true });
  };
}

/** A name is taken. */
export function taken(path: string): SdkError {
  return new SdkError(
    { code: 'SDK_PATH_EXISTS', path },
    `${path} is there already and is not ours; nothing was written over it`,
  );
}
