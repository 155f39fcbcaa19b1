import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { diskFault, syncDirectory } from '@cairn/node-runtime/files';
import type { Root } from '@cairn/primitives';

const NAME = /^[0-9a-f]{2}$/;

/** The folder of a leaf, one of 256: its first byte. */
export function folderOf(leaf: Root): string {
  return leaf.slice(2, 4);
}

/** The folders that slices lie in, each made by its first slice. */
export class SliceFolders {
  readonly #directory: string;
  /** Those that are there or being made, by name: 256 at most. */
  readonly #known = new Map<string, Promise<void>>();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Finds those that are there; from now on they are also after a power cut. @throws {StorageError} DISK_IO */
  static async open(directory: string): Promise<SliceFolders> {
    const folders = new SliceFolders(directory);
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await syncDirectory(directory);
      for (const name of await readdir(directory)) {
        if (NAME.test(name)) folders.#known.set(name, Promise.resolve());
      }
    } catch (error) {
      throw await diskFault(error, { path: directory, operation: 'open' });
    }
    return folders;
  }

  /** Names of those that are there or being made. */
  names(): readonly string[] {
    return [...this.#known.keys()];
  }

  /** The folder is on the disk when this returns. @throws {StorageError} DISK_FULL, DISK_IO */
  make(name: string): Promise<void> {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const making = this.#make(name).catch((error: unknown) => {
      this.#known.delete(name);
      throw error;
    });
    this.#known.set(name, making);
    return making;
  }

  async #make(name: string): Promise<void> {
    const path = join(this.#directory, name);
    try {
      await mkdir(path, { recursive: true, mode: 0o700 });
      await syncDirectory(this.#directory);
    } catch (error) {
      throw await diskFault(error, { path, operation: 'write' });
    }
  }
}
