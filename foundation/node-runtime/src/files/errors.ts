import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault, formatBytes } from '@cairn/primitives';

export type StorageFault =
  /** The file system or a quota has no room. `freeBytes` is what was left when it was asked. */
  | {
      readonly code: 'DISK_FULL';
      readonly path: string;
      readonly neededBytes: number;
      readonly freeBytes: number | undefined;
    }
  | {
      readonly code: 'DISK_IO';
      readonly path: string;
      readonly operation: string;
      readonly errno: string;
    }
  | { readonly code: 'STORE_CLOSED'; readonly path: string }
  | {
      readonly code: 'DIRECTORY_LOCKED';
      readonly directory: string;
      readonly pid: number | undefined;
    }
  | {
      readonly code: 'FORMAT_NEWER';
      readonly directory: string;
      readonly found: number;
      readonly supported: number;
    }
  | { readonly code: 'FORMAT_UNREADABLE'; readonly path: string }
  | {
      readonly code: 'WRONG_CHAIN';
      readonly directory: string;
      readonly found: number;
      readonly expected: number;
    }
  | {
      readonly code: 'WRONG_DIRECTORY_KIND';
      readonly directory: string;
      readonly found: string;
      readonly expected: string;
    }
  | { readonly code: 'KEY_FILE_MISSING'; readonly path: string }
  | { readonly code: 'KEY_FILE_EXISTS'; readonly path: string }
  | { readonly code: 'KEY_FILE_PERMISSIONS'; readonly path: string; readonly mode: string }
  | { readonly code: 'KEY_FILE_TOO_LARGE'; readonly path: string; readonly maxBytes: number }
  | { readonly code: 'SOURCE_FILE_CHANGED'; readonly path: string; readonly expectedBytes: number };

/** A disk, a directory or a file that cannot do what was asked of it. */
export class StorageError extends Fault<StorageFault> {}

/** The short name the system gives a failure, such as `ENOENT`; empty for anything else. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

/**
 * A fault for what the disk threw: DISK_FULL with the numbers for ENOSPC and EDQUOT, else DISK_IO.
 *
 * @param neededBytes - what was being written, 0 for other operations
 */
export async function diskFault(
  error: unknown,
  {
    path,
    operation,
    neededBytes = 0,
  }: { readonly path: string; readonly operation: string; readonly neededBytes?: number },
): Promise<StorageError> {
  if (error instanceof StorageError) return error;
  const errno = errnoOf(error);
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    const freeBytes = await freeBytesAt(dirname(path));
    const left = freeBytes === undefined ? '' : `, ${formatBytes(freeBytes)} are free`;
    return new StorageError(
      { code: 'DISK_FULL', path, neededBytes, freeBytes },
      `no room for ${formatBytes(neededBytes)} in ${path}${left}`,
      { cause: error },
    );
  }
  return new StorageError(
    { code: 'DISK_IO', path, operation, errno },
    `the disk could not ${operation} ${path}`,
    { cause: error },
  );
}

/** Bytes that can still be written where `directory` lies; `undefined` if the system does not say. */
export async function freeBytesAt(directory: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
