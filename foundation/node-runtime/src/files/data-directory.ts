import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChainId, isRecord, parseJson, utf8Text } from '@cairn/primitives';
import { readFileIfPresent, writeFileAtomic } from './atomic-file.ts';
import { diskFault, StorageError } from './errors.ts';

/** What a data directory holds, and for which chain. */
export interface DataDirectoryOptions {
  readonly directory: string;
  /** Which daemon's: `storage-node`, `kv-node`, … */
  readonly kind: string;
  readonly chainId: ChainId;
  /** The newest layout this program can read and the one it writes, from 1. */
  readonly format: number;
  /** The program's version, for people. */
  readonly version: string;
}

/** A data directory that fits this program. */
export interface DataDirectory {
  readonly directory: string;
  /** The layout found: below `format`, the caller migrates and then calls `markFormat`. */
  readonly format: number;
  /** Whether the directory was made just now. */
  readonly isNew: boolean;
  /** Notes durably that the directory now has the layout `format`. */
  markFormat(format: number): Promise<void>;
}

const FORMAT_NAME = 'FORMAT';
const VERSION_NAME = 'VERSION';

/**
 * Opens or makes a data directory: `FORMAT` says its layout, kind and chain, `VERSION` which
 * program wrote last.
 *
 * @throws {StorageError} FORMAT_NEWER, FORMAT_UNREADABLE, WRONG_CHAIN, WRONG_DIRECTORY_KIND;
 * DISK_FULL, DISK_IO. The directory is unchanged then.
 */
export async function openDataDirectory(options: DataDirectoryOptions): Promise<DataDirectory> {
  const { directory, kind, chainId, version } = options;
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw await diskFault(error, { path: directory, operation: 'open' });
  }
  const path = join(directory, FORMAT_NAME);
  const markFormat = (format: number): Promise<void> =>
    writeFileAtomic(path, `${JSON.stringify({ format, kind, chainId })}\n`);
  const held = await readFileIfPresent(path);
  if (held === undefined) await markFormat(options.format);
  const format = held === undefined ? options.format : requireFitting(held, path, options);
  await writeFileAtomic(join(directory, VERSION_NAME), `${version}\n`);
  return { directory, format, isNew: held === undefined, markFormat };
}

/** What a data directory says it is. */
export interface DataDirectoryMark {
  readonly format: number;
  readonly kind: string;
  readonly chainId: number;
}

/** What a data directory says it is; `undefined` if it is none. @throws {StorageError} FORMAT_UNREADABLE */
export async function readDataDirectory(directory: string): Promise<DataDirectoryMark | undefined> {
  const path = join(directory, FORMAT_NAME);
  const held = await readFileIfPresent(path);
  if (held === undefined) return undefined;
  const found = parseFormat(held);
  if (found !== undefined) return found;
  throw unreadable(path);
}

function unreadable(path: string): StorageError {
  return new StorageError(
    { code: 'FORMAT_UNREADABLE', path },
    `${path} is not a format file; restore it from a backup or use another directory`,
  );
}

function requireFitting(bytes: Uint8Array, path: string, options: DataDirectoryOptions): number {
  const { directory, kind, chainId, format: supported } = options;
  const found = parseFormat(bytes);
  if (found === undefined) {
    throw unreadable(path);
  }
  if (found.kind !== kind) {
    throw new StorageError(
      { code: 'WRONG_DIRECTORY_KIND', directory, found: found.kind, expected: kind },
      `${directory} belongs to a ${found.kind}, not to a ${kind}`,
    );
  }
  if (found.chainId !== chainId) {
    throw new StorageError(
      { code: 'WRONG_CHAIN', directory, found: found.chainId, expected: chainId },
      `${directory} holds chain ${found.chainId}, but chain ${chainId} is configured`,
    );
  }
  if (found.format > supported) {
    throw new StorageError(
      { code: 'FORMAT_NEWER', directory, found: found.format, supported },
      `${directory} has layout ${found.format} and this program reads up to ${supported}; update it`,
    );
  }
  return found.format;
}

function parseFormat(bytes: Uint8Array): DataDirectoryMark | undefined {
  let value: unknown;
  try {
    value = parseJson(utf8Text(bytes));
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { format, kind, chainId } = value as Partial<Record<keyof DataDirectoryMark, unknown>>;
  if (typeof format !== 'number' || !Number.isSafeInteger(format) || format < 1) return undefined;
  if (typeof kind !== 'string' || typeof chainId !== 'number') return undefined;
  return { format, kind, chainId };
}
