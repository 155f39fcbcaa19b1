import { access } from 'node:fs/promises';
import type { FileReference, FilesClient, GetOptions, StoredFile } from '../client.ts';
import { openPartialFile, type PartialFile, taken } from './partial-file.ts';

/** Bytes written between two points from which a download can go on. */
const CHECKPOINT_BYTES = 33_554_432;

/** How a file is brought to disk. */
export interface DownloadOptions extends Omit<GetOptions, 'range'> {
  /** Whether a file that is there already is replaced; false unless told. */
  readonly overwrite?: boolean;
  /** Whether to go on where a run that was cut off had got to; true unless told. */
  readonly resume?: boolean;
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
 * verified and on the disk by then, and no others are trusted. A `<path>.part` without that record
 * is somebody else's and left alone; two downloads to one path do not run at the same time.
 *
 * @throws {SdkError} SDK_PATH_EXISTS if one of these names is taken; as `FilesClient.get`; what the
 *   disk throws
 */
export async function downloadToPath(
  files: Pick<FilesClient, 'open'>,
  reference: FileReference,
  path: string,
  options: DownloadOptions = {},
): Promise<DownloadResult> {
  const { overwrite = false, resume = true, onProgress, ...openOptions } = options;
  if (!overwrite && (await exists(path))) throw taken(path);
  const file = await files.open(reference, openOptions);
  const { sizeBytes } = file;
  const part = await openPartialFile(path, { name: file.roots.join(), sizeBytes }, { resume });
  try {
    await fillPart(part, file, options);
    await part.publish({ overwrite });
  } finally {
    await part.close();
  }
  return { file, sizeBytes, resumedBytes: part.keptBytes };
}

/** Writes to a partial file what it lacks. */
export async function fillPart(
  part: PartialFile,
  file: StoredFile,
  {
    signal = new AbortController().signal,
    onProgress,
  }: Pick<DownloadOptions, 'signal' | 'onProgress'>,
): Promise<void> {
  const { sizeBytes } = file;
  let doneBytes = part.keptBytes;
  let safeBytes = doneBytes;
  onProgress?.(doneBytes, sizeBytes);
  const range = { offset: doneBytes, length: sizeBytes - doneBytes };
  for await (const piece of file.stream({ signal, reuse: true }, range)) {
    await part.write(piece, doneBytes);
    doneBytes += piece.length;
    if (doneBytes - safeBytes >= CHECKPOINT_BYTES) {
      await part.keep(doneBytes);
      safeBytes = doneBytes;
    }
    onProgress?.(doneBytes, sizeBytes);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
