import type { Root } from '@cairn/primitives';
import type { ManifestDirectory, ManifestEntry, ManifestFile } from '@cairn/wire-protocol';
import type { DirectoryLine } from './directory-index.ts';
import { FileDoorError } from './errors.ts';

/** Symbolic links followed on one path, at most: what Linux allows. */
const MAX_LINKS = 40;

/** A file or a directory, whatever links led there. */
export type Resolved = ManifestFile | ManifestDirectory;

/**
 * What stands at `path` of a directory, following its symbolic links. Links never lead out of the
 * directory: an absolute target or one above the top leads nowhere.
 *
 * @param path - names joined by `/`; empty ones are skipped
 * @throws {FileDoorError} FILE_PATH_UNKNOWN, FILE_LINK_BROKEN
 */
export function resolvePath(top: ManifestDirectory, path: string, root: Root): Resolved {
  const ancestors: ManifestDirectory[] = [];
  const names = path.split('/').filter((name) => name !== '');
  let here: Resolved = top;
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '.') continue;
    if (name === '..') {
      const parent = ancestors.pop();
      if (parent === undefined) throw broken(root, path, 'leads out of the directory');
      here = parent;
      continue;
    }
    const entry: ManifestEntry | undefined = entriesOf(here).find((one) => one.name === name);
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
      names.unshift(...entry.link.split('/').filter((part) => part !== ''));
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

function entriesOf(entry: Resolved): readonly ManifestEntry[] {
  return entry.kind === 'directory' ? entry.entries : [];
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
