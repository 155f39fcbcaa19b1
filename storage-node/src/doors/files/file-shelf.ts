import { type Fault, isFault, LruCache, MAX_MANIFEST_BYTES, type Root } from '@cairn/primitives';
import { isManifest, type ManifestDirectory, parseManifest } from '@cairn/wire-protocol';
import { EntryIndex, type Resolved, resolvePath } from './directory-tree.ts';
import { FileDoorError } from './errors.ts';
import { type FileLibrary, joinFiles, type ReadableFile, readWhole } from './readable-file.ts';

/** Bytes of manifests kept parsed; a parsed one takes a few times its text. */
const MANIFEST_CACHE_BYTES = MAX_MANIFEST_BYTES;
/** How much of a file tells whether it is a manifest: magic and version. */
const MANIFEST_HEAD_BYTES = 34;

/** Finds files by root, and by path inside directories. */
export class FileShelf {
  readonly #library: FileLibrary;
  readonly #index = new EntryIndex();
  readonly #manifests = new LruCache<
    Root,
    { readonly top: ManifestDirectory; readonly bytes: number }
  >({ maxWeight: MANIFEST_CACHE_BYTES, weigh: ({ bytes }) => bytes });

  constructor(library: FileLibrary) {
    this.#library = library;
  }

  /** @throws {FileDoorError} FILE_UNKNOWN; what reading throws */
  async openRoot(root: Root, options: { readonly signal: AbortSignal }): Promise<ReadableFile> {
    const file = await this.#library.openRoot(root, options);
    if (file === undefined) throw unknown(root);
    return file;
  }

  /** The root of a log entry. @throws {FileDoorError} FILE_UNKNOWN */
  async rootAt(sequence: number, options: { readonly signal: AbortSignal }): Promise<Root> {
    const root = await this.#library.rootAt(sequence, options);
    if (root === undefined) throw unknown(`the log entry ${sequence}`);
    return root;
  }

  /**
   * What stands at `path` inside the directory `root`.
   *
   * @throws {FileDoorError} FILE_UNKNOWN, FILE_PATH_UNKNOWN (also if `root` is no directory),
   *   FILE_LINK_BROKEN; {WireError} for a manifest that is not well-formed; what reading throws
   */
  async resolve(
    root: Root,
    path: string,
    options: { readonly signal: AbortSignal },
  ): Promise<Resolved> {
    return resolvePath(await this.#manifest(root, options), path, { root, index: this.#index });
  }

  /** The bytes of a file of a directory: its fragments, one after another. */
  async openFragments(
    roots: readonly Root[],
    options: { readonly signal: AbortSignal },
  ): Promise<ReadableFile> {
    const parts: ReadableFile[] = [];
    for (const root of roots) parts.push(await this.openRoot(root, options));
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : joinFiles(parts);
  }

  async #manifest(
    root: Root,
    options: { readonly signal: AbortSignal },
  ): Promise<ManifestDirectory> {
    const cached = this.#manifests.get(root);
    if (cached !== undefined) return cached.top;
    const file = await this.openRoot(root, options);
    if (!(await looksLikeManifest(file, options))) {
      throw new FileDoorError(
        { code: 'FILE_PATH_UNKNOWN', root, path: '' },
        `the file ${root} is not a directory`,
      );
    }
    const top = parseManifest(await readWhole(file, MAX_MANIFEST_BYTES, options));
    this.#manifests.set(root, { top, bytes: file.sizeBytes });
    return top;
  }
}

/** Whether a fault says that there is nothing, rather than that something failed. */
export function isAbsent(error: unknown): error is Fault {
  return isFault(error, 'FILE_UNKNOWN') || isFault(error, 'FILE_PATH_UNKNOWN');
}

async function looksLikeManifest(
  file: ReadableFile,
  options: { readonly signal: AbortSignal },
): Promise<boolean> {
  if (file.sizeBytes < MANIFEST_HEAD_BYTES || file.sizeBytes > MAX_MANIFEST_BYTES) return false;
  for await (const head of file.read(0, MANIFEST_HEAD_BYTES, options)) {
    if (head.length >= MANIFEST_HEAD_BYTES) return isManifest(head);
  }
  return false;
}

function unknown(id: string): FileDoorError {
  return new FileDoorError({ code: 'FILE_UNKNOWN', id }, `no complete copy of ${id} is known here`);
}
