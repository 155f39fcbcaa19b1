import { mkdir, readdir, readlink, stat, symlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { mapConcurrent } from '@cairn/primitives';
import type { FilesClient, LsOptions } from '../client.ts';
import { type DirectoryEntry, type DirectoryItem, pathNames } from '../directories.ts';
import { SdkError } from '../errors.ts';
import { asListed } from '../read-files.ts';
import { type DownloadOptions, fillPart } from './download-to-path.ts';
import { openFileSource } from './file-source.ts';
import { openScratchFile } from './partial-file.ts';

/** Files of a directory downloaded at the same time. */
const FILES_AT_ONCE = 4;

/**
 * What a directory on this machine holds, as items to store: files, links as links, and
 * directories. Names in byte order, so that the same directory gives the same root. Sockets,
 * devices and the like are passed over.
 */
export async function* walkDirectory(top: string): AsyncGenerator<DirectoryItem, void, void> {
  yield* walk(top, '');
}

async function* walk(top: string, prefix: string): AsyncGenerator<DirectoryItem, void, void> {
  const entries = await readdir(join(top, prefix), { withFileTypes: true });
  entries.sort((left, right) => (left.name < right.name ? -1 : 1));
  for (const entry of entries) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    const full = join(top, path);
    if (entry.isSymbolicLink()) yield { kind: 'link', path, target: await readlink(full) };
    else if (entry.isFile()) yield { kind: 'file', path, open: () => openFileSource(full) };
    else if (entry.isDirectory()) {
      yield { kind: 'directory', path };
      yield* walk(top, path);
    }
  }
}

/** How a directory is brought to disk. */
export interface DownloadDirectoryOptions
  extends Pick<DownloadOptions, 'decryption' | 'parallel' | 'signal'> {
  /**
   * What happens to links that lead out of the directory: `refuse` ends the download before
   * anything is written (the default), `skip` leaves them out.
   */
  readonly outsideLinks?: 'refuse' | 'skip';
  readonly onFile?: (path: string, sizeBytes: number) => void;
}

/** What a directory download came to. */
export interface DownloadDirectoryResult {
  readonly files: number;
  readonly totalBytes: number;
  /** Links that lead outside and were left out. */
  readonly skippedLinks: readonly string[];
}

/**
 * Brings a stored directory to disk. The target must be new or empty, so nothing that is there can
 * lead a write elsewhere.
 *
 * @throws {SdkError} SDK_PATH_EXISTS, SDK_PATH_UNSAFE; SDK_SIZE_DISPUTED if holders give a file
 *   another length than the manifest; as `FilesClient.get`
 */
export async function downloadDirectory(
  files: Pick<FilesClient, 'ls' | 'open'>,
  root: string,
  target: string,
  options: DownloadDirectoryOptions = {},
): Promise<DownloadDirectoryResult> {
  const { outsideLinks = 'refuse', onFile, ...rest } = options;
  const { signal = new AbortController().signal, decryption } = options;
  const listing: LsOptions = {
    recursive: true,
    signal,
    ...(decryption === undefined ? {} : { decryption }),
  };
  const entries = await files.ls(root, listing);
  const skippedLinks: string[] = [];
  for (const entry of entries) {
    assertLocalPath(entry.path);
    if (entry.kind !== 'link' || isInside(target, entry.path, entry.target)) continue;
    if (outsideLinks === 'refuse') {
      const reason = `a link to ${entry.target.slice(0, 200)}`;
      throw new SdkError(
        { code: 'SDK_PATH_UNSAFE', path: entry.path, reason },
        `the link ${entry.path} leads out of the directory; nothing was written`,
      );
    }
    skippedLinks.push(entry.path);
  }
  await makeEmptyDirectory(target);
  for (const entry of entries) {
    if (entry.kind === 'directory') await mkdir(join(target, entry.path), { recursive: true });
  }
  let totalBytes = 0;
  const bring = async (
    entry: Extract<DirectoryEntry, { readonly kind: 'file' }>,
    inner: AbortSignal,
  ): Promise<void> => {
    const { path, roots, sizeBytes } = entry;
    const full = join(target, path);
    await mkdir(dirname(full), { recursive: true });
    const file =
      roots.length === 0
        ? await files.open(root, { ...rest, path, signal: inner })
        : await files.open({ roots }, { ...rest, signal: inner });
    const part = await openScratchFile(full, sizeBytes);
    try {
      await fillPart(part, asListed(file, entry, decryption), { signal: inner });
      await part.publish({ overwrite: false });
    } finally {
      await part.close();
    }
    totalBytes += sizeBytes;
    onFile?.(path, sizeBytes);
  };
  const wanted = entries.filter((entry) => entry.kind === 'file');
  for await (const _ of mapConcurrent(wanted, bring, { parallel: FILES_AT_ONCE, signal })) {
    // pulling drives the downloads
  }
  for (const entry of entries) {
    if (entry.kind !== 'link' || skippedLinks.includes(entry.path)) continue;
    await mkdir(dirname(join(target, entry.path)), { recursive: true });
    await symlink(entry.target, join(target, entry.path));
  }
  return { files: wanted.length, totalBytes, skippedLinks };
}

/** @throws {SdkError} SDK_PATH_UNSAFE for names that mean something else on this machine */
function assertLocalPath(path: string): void {
  pathNames(path);
  if (sep === '/' || !/[\\:]/.test(path)) return;
  throw new SdkError(
    { code: 'SDK_PATH_UNSAFE', path, reason: 'a character with a meaning here' },
    `${path} cannot be a path on this machine`,
  );
}

/**
 * Whether a link surely stays inside. `..` after a name is refused: the name may be a link itself,
 * and then `..` is not where it seems to be. So is a backslash, which is a `/` elsewhere.
 */
function isInside(top: string, path: string, target: string): boolean {
  if (isAbsolute(target) || target.includes('\\')) return false;
  const names = target.split('/').filter((name) => name !== '' && name !== '.');
  const firstName = names.findIndex((name) => name !== '..');
  if (firstName >= 0 && names.includes('..', firstName)) return false;
  const way = relative(resolve(top), resolve(top, dirname(path), target));
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
}

async function makeEmptyDirectory(target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  const there = await readdir(target);
  if (there.length === 0 && (await stat(target)).isDirectory()) return;
  throw new SdkError(
    { code: 'SDK_PATH_EXISTS', path: target },
    `${target} is not empty (${there.length} entries); give a new directory`,
  );
}
