import { type FileSource, memoryFileSource, sliceSource } from '@cairn/log-layer';
import { MAX_MANIFEST_BYTES } from '@cairn/primitives';
import { type ManifestDirectory, type ManifestFile, parseManifest } from '@cairn/wire-protocol';
import type { FileReference, GetOptions, StoredFile } from './client.ts';
import { entryAt } from './directories.ts';
import { type DownloadDeps, type OpenedFile, openFile } from './download-file.ts';
import { decryptFragments } from './encryption/encrypt.ts';
import type { Decryption } from './encryption/keys.ts';
import { SdkError } from './errors.ts';

/** How something is opened for reading. */
export type OpenStoredOptions = Pick<GetOptions, 'path' | 'decryption' | 'parallel'> & {
  readonly signal: AbortSignal;
};

/** A file of a manifest, as far as opening it needs. */
export type ListedFile = Pick<ManifestFile, 'roots' | 'sizeBytes'>;

/** A stored file, found by reference, or by its path inside a directory, and decrypted. */
export async function openStored(
  reference: FileReference,
  deps: DownloadDeps,
  options: OpenStoredOptions,
): Promise<StoredFile> {
  const { path } = options;
  if (path === undefined || path === '') return openDecrypted(reference, deps, options);
  const directory = await readManifest(reference, deps, options);
  const entry = entryAt(directory, path);
  if (entry.kind !== 'file') {
    throw new SdkError(
      { code: 'SDK_PATH_KIND', path, kind: entry.kind },
      `${path} is a ${entry.kind}, not a file`,
    );
  }
  return openEntry(entry, deps, options);
}

/** A file of a manifest. Its length is what the manifest says, which its root commits to. */
export async function openEntry(
  entry: ListedFile,
  deps: DownloadDeps,
  options: OpenStoredOptions,
): Promise<StoredFile> {
  const { roots } = entry;
  if (roots.length === 0) {
    return { ...memoryFileSource(new Uint8Array(0)), roots: [], evidence: [] };
  }
  return asListed(await openDecrypted({ roots }, deps, options), entry, options.decryption);
}

/**
 * A file as long as its manifest says. Its log entry may hold more trailing zeros, of another file
 * with the same root; encrypted files have no such twins.
 *
 * @throws {SdkError} SDK_SIZE_DISPUTED
 */
export function asListed(
  file: StoredFile,
  { roots, sizeBytes }: ListedFile,
  decryption: Decryption | undefined,
): StoredFile {
  if (file.sizeBytes === sizeBytes) return file;
  if (file.sizeBytes > sizeBytes && decryption === undefined) {
    return { ...file, ...sliceSource(file, 0, sizeBytes) };
  }
  const [root] = roots;
  if (root === undefined) throw new Error('a file without roots');
  const sizes = [{ sizeBytes: file.sizeBytes, holders: 0 }];
  throw new SdkError(
    { code: 'SDK_SIZE_DISPUTED', root, sizes },
    `the manifest says ${sizeBytes} bytes of ${root}, holders say ${file.sizeBytes}`,
  );
}

/**
 * The directory that a file is the manifest of.
 *
 * @throws {SdkError} SDK_TOO_LARGE; {WireError} WIRE_MAGIC if it is no manifest
 */
export async function readManifest(
  reference: FileReference,
  deps: DownloadDeps,
  options: Pick<OpenStoredOptions, 'decryption' | 'signal'>,
): Promise<ManifestDirectory> {
  const file = await openDecrypted(reference, deps, options);
  return parseManifest(await readWhole(file, MAX_MANIFEST_BYTES, options));
}

/** All of a file. @throws {SdkError} SDK_TOO_LARGE beyond `maxBytes` */
export async function readWhole(
  file: FileSource,
  maxBytes: number,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const { sizeBytes } = file;
  if (sizeBytes > maxBytes) {
    throw new SdkError(
      { code: 'SDK_TOO_LARGE', sizeBytes, maxBytes },
      `the file has ${sizeBytes} bytes; at most ${maxBytes} were to be read into memory`,
    );
  }
  return file.read(0, sizeBytes, { signal });
}

async function openDecrypted(
  reference: FileReference,
  deps: DownloadDeps,
  options: OpenStoredOptions,
): Promise<StoredFile> {
  const file = await openFile(reference, deps, options);
  const { decryption, signal } = options;
  return decryption === undefined ? file : decrypted(file, decryption, signal);
}

async function decrypted(
  file: OpenedFile,
  decryption: Decryption,
  signal: AbortSignal,
): Promise<StoredFile> {
  const plain = await decryptFragments(file.fragments, decryption, { signal });
  return { ...file, ...plain };
}
