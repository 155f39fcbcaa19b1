import type { Root } from '@cairn/primitives';
import type { ManifestDirectory, ManifestEntry, ManifestFile } from '@cairn/wire-protocol';
import type { DirectoryLine } from './directory-index.ts';
import { FileDoorError } from './errors.ts';

/** Symbolic links followed on one path, at most: what Linux allows. */
const MAX_LINKS = 40;

/** A file or a directory, whatever links led there. */
export type Resolved = ManifestFile | ManifestDirectory;

/** Entries of directories by their names, so that a path costs a look-up for each of its names. */
export class EntryIndex {
  /** Made when a directory is first looked into, kept as long as the directory itself. */
  readonly #byDirectory = new WeakMap<ManifestDirectory, ReadonlyMap<string, ManifestEntry>>();

  /** The entry `name` of a directory. */
  find(directory: ManifestDirectory, name: string): ManifestEntry | undefined {
    let byName = this.#byDirectory.get(directory);
    if (byName === undefined) {
      byName = new Map(directory.entries.map((entry) => [entry.name, entry]));
      this.#byDirectory.set(directory, byName);
    }
    return byName.get(name);
  }
}

/**
 * What stands at `path` of a directory, following its symbolic links. Links never lead out of the
 * directory: an absolute target or one above the top leads nowhere.
 *
 * @param path - names joined by `/`; empty ones are skipped
 * @throws {FileDoorError} FILE_PATH_UNKNOWN, FILE_LINK_BROKEN
 */
export function resolvePath(
  top: ManifestDirectory,
  path: string,
  { root, index }: { readonly root: Root; readonly index: EntryIndex },
): Resolved {
  const ancestors: ManifestDirectory[] = [];
  /** What is still to be walked, the next name last. */
  const names = namesOf(path);
  let here: Resolved = top;
  let links = 0;
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    if (name === '.') continue;
    if (name === '..') {
      const parent = ancestors.pop();
      if (parent === undefined) throw broken(root, path, 'leads out of the directory');
      here = parent;
      continue;
    }
    const entry: ManifestEntry | undefined =
      here.kind === 'directory' ? index.find(here, name) : undefined;
    if (entry === undefined) {
      throw new FileDoorError(
        { code: 'FILE_PATH_UNKNOWN', root, path: shorten(path) },
        `there is no "${shorten(path)}" in the directory ${root}`,
      );
    }
    if (entry.kind === 'link') {
      links += 1;
      if (links > MAX_LINKS) throw broken(root, path, `follows more than ${MAX_LINKS} links`);
      if (entry.link.startsWith('/')) throw broken(root, path, 'leads out of the directory');
      names.push(...namesOf(entry.link));
      continue;
    }
    if (here.kind === 'directory') ancestors.push(here);
    here = entry;
  }
  return here;
}

/** The lines of a directory, in the order of its manifest. */
export function directoryLines(directory: ManifestDirectory): DirectoryLine[] {
  return directory.entries.map((entry) => {
    if (entry.kind === 'file')
      return { name: entry.name, kind: 'file', sizeBytes: entry.sizeBytes };
    if (entry.kind === 'link') return { name: entry.name, kind: 'symlink', target: entry.link };
    return { name: entry.name, kind: 'directory' };
  });
}

/** The names in a path, the first one last. */
function namesOf(path: string): string[] {
  return path
    .split('/')
    .filter((name) => name !== '')
    .reverse();
}

function broken(root: Root, path: string, reason: string): FileDoorError {
  return new FileDoorError(
    { code: 'FILE_LINK_BROKEN', root, path: shorten(path) },
    `"${shorten(path)}" in the directory ${root} ${reason}`,
  );
}

function shorten(path: string): string {
  return path.length > 200 ? `${path.slice(0, 197)}…` : path;
}
