import { constants } from 'node:fs';
import { access, type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readFileIfPresent, syncDirectory, writeFileAtomic } from '@cairn/node-runtime/files';
import { isRecord, parseJson, stringifyJson, utf8Text } from '@cairn/primitives';
import type { FileReference, FilesClient, GetOptions, StoredFile } from '../client.ts';
import { SdkError } from '../errors.ts';

/** Bytes written between two points from which a download can go on. */
const CHECKPOINT_BYTES = 33_554_432;

/** How a file is brought to disk. */
export interface DownloadOptions extends Omit<GetOptions, 'range'> {
  /** Whether a file that is there already is replaced; false unless told. */
  readonly overwrite?: boolean;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/** What a download came to. */
export interface DownloadResult {
  readonly file: StoredFile;
  readonly sizeBytes: number;
  /** Bytes that an earlier run had brought already. */
  readonly resumedBytes: number;
}

/**
 * Brings a file to disk. Bytes gather in `<path>.part`; the path itself appears once, whole.
 *
 * Cut off, it goes on where the last checkpoint was: `<path>.part.json` says how many bytes were
 * verified and on the disk by then, and no others are trusted.
 *
 * @throws {SdkError} SDK_PATH_EXISTS before anything is fetched; as `FilesClient.get`; what the
 *   disk throws
 */
export async function downloadToPath(
  files: Pick<FilesClient, 'open'>,
  reference: FileReference,
  path: string,
  options: DownloadOptions = {},
): Promise<DownloadResult> {
  const { overwrite = false, onProgress, ...openOptions } = options;
  if (!overwrite && (await exists(path))) throw pathExists(path);
  const file = await files.open(reference, openOptions);
  return writeToPath(file, path, { ...options, onProgress: onProgress ?? (() => undefined) });
}

/** As `downloadToPath`, for a file that was found already. */
export async function writeToPath(
  file: StoredFile,
  path: string,
  options: Pick<DownloadOptions, 'overwrite' | 'onProgress' | 'signal'>,
): Promise<DownloadResult> {
  const { overwrite = false, onProgress, signal = new AbortController().signal } = options;
  const { sizeBytes } = file;
  const part = `${path}.part`;
  const checkpoints = `${path}.part.json`;
  const name = file.roots.join();
  const resumedBytes = await readCheckpoint(checkpoints, part, name, sizeBytes);
  const handle = await open(part, constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    await handle.truncate(resumedBytes);
    let doneBytes = resumedBytes;
    let safeBytes = resumedBytes;
    onProgress?.(doneBytes, sizeBytes);
    const range = { offset: resumedBytes, length: sizeBytes - resumedBytes };
    for await (const piece of file.stream({ signal, reuse: true }, range)) {
      await writeAll(handle, piece, doneBytes);
      doneBytes += piece.length;
      if (doneBytes - safeBytes >= CHECKPOINT_BYTES) {
        await handle.datasync();
        await writeFileAtomic(
          checkpoints,
          stringifyJson({ version: 1, name, sizeBytes, doneBytes }),
        );
        safeBytes = doneBytes;
      }
      onProgress?.(doneBytes, sizeBytes);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  await giveName(part, path, overwrite);
  await rm(checkpoints, { force: true });
  await syncDirectory(dirname(path));
  return { file, sizeBytes, resumedBytes };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Bytes of an earlier run that can be trusted: of the same file, verified and synced. */
async function readCheckpoint(
  checkpoints: string,
  part: string,
  name: string,
  sizeBytes: number,
): Promise<number> {
  const bytes = await readFileIfPresent(checkpoints);
  if (bytes === undefined) return 0;
  let record: unknown;
  try {
    record = parseJson(utf8Text(bytes));
  } catch {
    return 0; // not ours, or damaged: begin again
  }
  if (!isRecord(record) || record['version'] !== 1) return 0;
  const { doneBytes } = record;
  if (record['name'] !== name || record['sizeBytes'] !== sizeBytes) return 0;
  if (typeof doneBytes !== 'number' || !Number.isSafeInteger(doneBytes)) return 0;
  if (doneBytes < 0 || doneBytes > sizeBytes) return 0;
  try {
    const handle = await open(part, 'r');
    try {
      return (await handle.stat()).size >= doneBytes ? doneBytes : 0;
    } finally {
      await handle.close();
    }
  } catch {
    return 0; // the partial file is gone: begin again
  }
}

/** Without `overwrite` a link is made first, which fails if somebody took the name meanwhile. */
async function giveName(part: string, path: string, overwrite: boolean): Promise<void> {
  if (overwrite) {
    await rename(part, path);
    return;
  }
  try {
    await link(part, path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      throw pathExists(path);
    throw error;
  }
  await rm(part);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

function pathExists(path: string): SdkError {
  return new SdkError(
    { code: 'SDK_PATH_EXISTS', path },
    `${path} exists already; nothing was written over it`,
  );
}
