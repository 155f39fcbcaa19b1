import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { CommitmentError, commitStream, type Hasher, loadHasher } from '@cairn/commitments';
import { openFileSource } from '@cairn/node-runtime/files';
import { FRAGMENT_BYTES, type Root, rootOf, type WorkerPool } from '@cairn/primitives';
import type { LocalEntry } from './local-files.ts';

/** What a local file or directory would be called on the network. */
export interface LocalRoot {
  readonly root: Root;
  /** Bytes of the file, or of all files of the directory. */
  readonly sizeBytes: number;
}

/** How roots are computed. */
export interface RootOptions {
  readonly fragmentBytes?: number;
  readonly signal: AbortSignal;
  /** Told how much of everything is hashed. */
  readonly onProgress?: (doneBytes: number) => void;
}

/** From here on the time threads take to start is won back. */
const THREADS_FROM_BYTES = 256 * 2 ** 20;
const READ_BYTES = 1_048_576;

/** Computes roots of local files; loads the hash kernel once. */
export class RootComputer {
  readonly #hasher: Hasher;
  readonly #options: RootOptions;
  #pool: WorkerPool | undefined;
  #doneBytes = 0;

  private constructor(hasher: Hasher, options: RootOptions) {
    this.#hasher = hasher;
    this.#options = options;
  }

  /** Loads the hash kernel. */
  static async load(options: RootOptions): Promise<RootComputer> {
    return new RootComputer(await loadHasher(), options);
  }

  /**
   * The root of a file: its own, or that of the manifest of its fragments where it is cut.
   *
   * @param name - what the manifest calls it; the file's own name unless told
   * @throws {CommitmentError} FILE_EMPTY; {StorageError}; the signal's reason
   */
  async file(path: string, name: string = basename(path)): Promise<LocalRoot> {
    const { roots, sizeBytes } = await this.roots(path);
    const [first] = roots;
    if (sizeBytes === 0) {
      throw new CommitmentError({ code: 'FILE_EMPTY' }, `${path} is empty: it has no root`);
    }
    if (first !== undefined && roots.length === 1) return { root: first, sizeBytes };
    const { encodeManifest } = await import('@cairn/wire-protocol');
    const entries = [{ kind: 'file', name, roots, sizeBytes } as const];
    const manifest = encodeManifest({ kind: 'directory', name: '/', entries });
    return { root: await this.#bytes(manifest), sizeBytes };
  }

  /** The roots of a file's fragments in order; one unless it is cut; none if it is empty. */
  async roots(
    path: string,
  ): Promise<{ readonly roots: readonly Root[]; readonly sizeBytes: number }> {
    const { fragmentBytes = FRAGMENT_BYTES, signal, onProgress } = this.#options;
    const source = await openFileSource(path);
    const { sizeBytes } = source;
    try {
      const roots: Root[] = [];
      // On two cores the hand-overs cost more than a second thread wins.
      const isWorthIt = sizeBytes >= THREADS_FROM_BYTES && availableParallelism() > 2;
      const pool = isWorthIt ? await this.#threads() : undefined;
      for (let from = 0; from < sizeBytes; from += fragmentBytes) {
        const to = Math.min(from + fragmentBytes, sizeBytes);
        const before = this.#doneBytes + from;
        const pieces = source.pieces({ signal, from, to, pieceBytes: READ_BYTES });
        const { root } = await commitStream(pieces, to - from, {
          hasher: this.#hasher,
          signal,
          ...(pool === undefined ? {} : { pool }),
          onProgress: (doneBytes) => onProgress?.(before + doneBytes),
        });
        roots.push(rootOf(root));
      }
      this.#doneBytes += sizeBytes;
      return { roots, sizeBytes };
    } finally {
      await source.close();
    }
  }

  /** The root of a directory: that of its manifest. @throws as `file`; {WireError} WIRE_MANIFEST */
  async directory(entries: readonly LocalEntry[]): Promise<LocalRoot> {
    const { buildManifest } = await import('./local-manifest.ts');
    const { encodeManifest } = await import('@cairn/wire-protocol');
    const { manifest, totalBytes } = await buildManifest(entries, this);
    return { root: await this.#bytes(encodeManifest(manifest)), sizeBytes: totalBytes };
  }

  /** Ends the threads, if any were started. */
  async close(): Promise<void> {
    await this.#pool?.close();
  }

  async #bytes(bytes: Uint8Array): Promise<Root> {
    const { signal } = this.#options;
    const { root } = await commitStream([bytes], bytes.length, { hasher: this.#hasher, signal });
    return rootOf(root);
  }

  async #threads(): Promise<WorkerPool> {
    if (this.#pool === undefined) {
      const { createWorkerPool, siblingModule } = await import('@cairn/node-runtime/workers');
      this.#pool = createWorkerPool({
        module: siblingModule('./hash-worker', import.meta.url),
        size: Math.min(8, availableParallelism() - 1), // this thread reads meanwhile
      });
    }
    return this.#pool;
  }
}
