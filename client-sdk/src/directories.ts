import type { FileSource } from '@cairn/log-layer';
import type { Root } from '@cairn/primitives';
import { type ManifestDirectory, type ManifestEntry, manifestEntryAt } from '@cairn/wire-protocol';
import { SdkError } from './errors.ts';

/** Something to store in a directory. Paths have `/` between names and no `.` or `..`. */
export type DirectoryItem =
  | {
      readonly kind: 'file';
      readonly path: string;
      /** Opened when its turn comes, so that a directory of many files needs no many handles. */
      readonly open: () => Promise<FileSource & { close?: () => Promise<void> }>;
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  /** Needed only where nothing is inside. */
  | { readonly kind: 'directory'; readonly path: string };

/** An entry of a stored directory. */
export type DirectoryEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly sizeBytes: number;
      /** The file's fragments in order; none for an empty file. */
      readonly roots: readonly Root[];
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'directory'; readonly path: string };

/** A difference between two directories. */
export interface DirectoryChange {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before?: DirectoryEntry;
  readonly after?: DirectoryEntry;
}

/**
 * The names of a path that stays inside its directory.
 *
 * @throws {SdkError} SDK_PATH_UNSAFE for `..`, `.`, empty names, a leading `/`, NUL
 */
export function pathNames(path: string): readonly string[] {
  const names = path.split('/');
  for (const name of names) {
    if (name === '' || name === '.' || name === '..' || name.includes('\0')) {
      const shown = path.slice(0, 200);
      throw new SdkError(
        { code: 'SDK_PATH_UNSAFE', path: shown, reason: `the name ${JSON.stringify(name)}` },
        `${JSON.stringify(shown)} is no path inside a directory`,
      );
    }
  }
  return names;
}

/**
 * The manifest of a directory's entries, its names in byte order, so that the same directory
 * always has the same root.
 *
 * @throws {SdkError} SDK_PATH_UNSAFE; SDK_PATH_EXISTS if two entries have the same path
 */
export function manifestOf(entries: Iterable<DirectoryEntry>): ManifestDirectory {
  const top: Folder = new Map();
  for (const entry of entries) {
    const names = pathNames(entry.path);
    const last = names.at(-1) ?? '';
    let folder = top;
    for (const name of names.slice(0, -1)) folder = folderIn(folder, name, entry.path);
    if (entry.kind === 'directory') folderIn(folder, last, entry.path);
    else if (folder.has(last)) throw twice(entry.path);
    else folder.set(last, entry);
  }
  return directoryOf('/', top);
}

type Folder = Map<string, Folder | Exclude<DirectoryEntry, { readonly kind: 'directory' }>>;

function folderIn(folder: Folder, name: string, path: string): Folder {
  const found = folder.get(name);
  if (found instanceof Map) return found;
  if (found !== undefined) throw twice(path);
  const made: Folder = new Map();
  folder.set(name, made);
  return made;
}

function directoryOf(name: string, folder: Folder): ManifestDirectory {
  const names = [...folder.keys()].sort((left, right) => (left < right ? -1 : 1));
  const entries = names.map((child): ManifestEntry => {
    const entry = folder.get(child);
    if (entry === undefined || entry instanceof Map) return directoryOf(child, entry ?? new Map());
    if (entry.kind === 'link') return { kind: 'link', name: child, link: entry.target };
    return { kind: 'file', name: child, roots: entry.roots, sizeBytes: entry.sizeBytes };
  });
  return { kind: 'directory', name, entries };
}

function twice(path: string): SdkError {
  return new SdkError({ code: 'SDK_PATH_EXISTS', path }, `two entries have the path ${path}`);
}

/**
 * The entries of a directory, or of the directory at `path` inside it, in the manifest's order.
 *
 * @throws {SdkError} SDK_PATH_NOT_FOUND; SDK_PATH_KIND if it is no directory; SDK_PATH_UNSAFE
 */
export function listEntries(
  root: ManifestDirectory,
  { path = '', recursive = false }: { readonly path?: string; readonly recursive?: boolean } = {},
): DirectoryEntry[] {
  const at = entryAt(root, path);
  if (at.kind !== 'directory') {
    throw new SdkError(
      { code: 'SDK_PATH_KIND', path, kind: at.kind },
      `${path} is a ${at.kind}, not a directory`,
    );
  }
  const found: DirectoryEntry[] = [];
  collect(at, path === '' ? '' : `${path}/`, recursive, found);
  return found;
}

/** The entry at a path. @throws {SdkError} SDK_PATH_NOT_FOUND, SDK_PATH_UNSAFE */
export function entryAt(root: ManifestDirectory, path: string): ManifestEntry {
  if (path !== '') pathNames(path);
  const entry = manifestEntryAt(root, path);
  if (entry !== undefined) return entry;
  throw new SdkError({ code: 'SDK_PATH_NOT_FOUND', path }, `the directory has no entry ${path}`);
}

function collect(
  { entries }: ManifestDirectory,
  prefix: string,
  recursive: boolean,
  found: DirectoryEntry[],
): void {
  for (const entry of entries) {
    const path = `${prefix}${entry.name}`;
    switch (entry.kind) {
      case 'file':
        found.push({ kind: 'file', path, sizeBytes: entry.sizeBytes, roots: entry.roots });
        break;
      case 'link':
        found.push({ kind: 'link', path, target: entry.link });
        break;
      case 'directory':
        found.push({ kind: 'directory', path });
        if (recursive) collect(entry, `${path}/`, recursive, found);
    }
  }
}

/** What differs between two directories, by path. Roots decide: equal content is no change. */
export function diffDirectories(
  before: ManifestDirectory,
  after: ManifestDirectory,
): DirectoryChange[] {
  const old = byPath(before);
  const now = byPath(after);
  const changes: DirectoryChange[] = [];
  for (const [path, entry] of old) {
    const other = now.get(path);
    if (other === undefined) changes.push({ path, change: 'removed', before: entry });
    else if (!isSameEntry(entry, other)) {
      changes.push({ path, change: 'changed', before: entry, after: other });
    }
  }
  for (const [path, entry] of now) {
    if (!old.has(path)) changes.push({ path, change: 'added', after: entry });
  }
  return changes.sort((left, right) => (left.path < right.path ? -1 : 1));
}

function byPath(root: ManifestDirectory): Map<string, DirectoryEntry> {
  return new Map(listEntries(root, { recursive: true }).map((entry) => [entry.path, entry]));
}

function isSameEntry(left: DirectoryEntry, right: DirectoryEntry): boolean {
  if (left.kind === 'file' && right.kind === 'file') {
    return left.sizeBytes === right.sizeBytes && left.roots.join() === right.roots.join();
  }
  if (left.kind === 'link' && right.kind === 'link') return left.target === right.target;
  return left.kind === right.kind;
}
