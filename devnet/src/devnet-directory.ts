import { mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import {
  acquireDirectoryLock,
  type DirectoryLock,
  readFileIfPresent,
  writeFileAtomic,
} from '@cairn/node-runtime/files';
import type { Clock } from '@cairn/primitives';
import { DevnetError } from './errors.ts';
import type { DevnetPaths } from './run-file.ts';
import { stopRecorded } from './stop-devnet.ts';

/** Marks data that a run was told to keep. */
const KEPT_NAME = 'KEPT';

/** A devnet's directory, for one process alone until it is released. */
export class DevnetDirectory {
  readonly paths: DevnetPaths;
  readonly #lock: DirectoryLock;
  /** The first directory of its path that had to be made. */
  readonly #createdFrom: string | undefined;

  private constructor(paths: DevnetPaths, lock: DirectoryLock, createdFrom: string | undefined) {
    this.paths = paths;
    this.#lock = lock;
    this.#createdFrom = createdFrom;
  }

  /**
   * Takes the directory, with what a killed devnet left in it ended.
   *
   * @throws {DevnetError} DEVNET_RUNNING, DEVNET_NOT_STOPPED; what the disk throws
   */
  static async take(paths: DevnetPaths, clock: Clock): Promise<DevnetDirectory> {
    const createdFrom = await mkdir(paths.directory, { recursive: true });
    await stopRecorded(paths, { clock, isOwnerSpared: true });
    const lock = await acquireDirectoryLock(paths.directory);
    return new DevnetDirectory(paths, lock, createdFrom);
  }

  /**
   * Removes what earlier runs left, unless it is to be kept.
   *
   * @throws {DevnetError} DEVNET_KEPT rather than remove what somebody wanted kept
   */
  async clear(): Promise<void> {
    const { directory, data } = this.paths;
    if ((await readFileIfPresent(join(data, KEPT_NAME))) !== undefined) {
      throw new DevnetError(
        { code: 'DEVNET_KEPT', directory },
        `${directory} holds what an earlier devnet was told to keep`,
      );
    }
    await this.removeRemains();
  }

  /** Notes that what this run keeps is for later ones. */
  async keep(): Promise<void> {
    const { data } = this.paths;
    await mkdir(data, { recursive: true, mode: 0o700 });
    await writeFileAtomic(join(data, KEPT_NAME), '');
  }

  /** What has to go when the owner dies, in this order. */
  async claims({ isKept }: { readonly isKept: boolean }): Promise<readonly string[]> {
    const { paths } = this;
    return [
      paths.endpoints,
      ...(isKept ? [] : remainsOf(paths)),
      ...(await lockFiles(paths.directory)),
      paths.run,
    ];
  }

  /** Removes what a run made that means nothing without it; its logs are not among it. */
  async removeRemains(): Promise<void> {
    for (const path of remainsOf(this.paths)) await rm(path, { recursive: true, force: true });
  }

  /** Gives the directory up, and removes it as far as it was made for this and is empty. */
  async release(): Promise<void> {
    await rm(this.paths.run, { force: true });
    await this.#lock.release();
    // A released lock is an empty file; in a directory of ours it would look like one that is held.
    for (const path of await lockFiles(this.paths.directory)) {
      if ((await stat(path).catch(() => undefined))?.size === 0) await rm(path, { force: true });
    }
    if (this.#createdFrom === undefined) return;
    const last = dirname(resolve(this.#createdFrom));
    try {
      for (let path = this.paths.directory; path !== last; path = dirname(path)) await rmdir(path);
    } catch {
      return; // not empty: logs, or something of the user's
    }
  }
}

/** The files by which `acquireDirectoryLock` keeps a directory for one process. */
async function lockFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names.filter((name) => /^LOCK\.\d+$/.test(name)).map((name) => join(directory, name));
}

function remainsOf(paths: DevnetPaths): readonly string[] {
  return [paths.data, paths.config, paths.keys, paths.uploads];
}
