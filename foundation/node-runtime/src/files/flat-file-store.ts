import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { assertNatural, assertPositiveInteger, type FileStore, GIB } from '@cairn/primitives';
import { syncDirectory } from './atomic-file.ts';
import { diskFault, errnoOf, StorageError } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { HandleCache } from './handle-cache.ts';

/** Where a flat file store lies and how much it keeps open. */
export interface FlatFileStoreOptions {
  /** Made if it is missing; holds nothing else. */
  readonly directory: string;
  /** Bytes of a full file; 1 GiB unless told. Must stay the same for the life of the directory. */
  readonly fileBytes?: number;
  /** Files open at once, at most; 64 unless told. */
  readonly maxOpenFiles?: number;
}

/** A file store on disk. */
export interface FlatFileStore extends FileStore {
  /** Files open now, never above `maxOpenFiles`. */
  readonly openFiles: number;
  /**
   * Makes `length` bytes from `position` read as zeros again, and gives the room of whole files
   * and of files' ends back to the disk; the middle of a file is overwritten with zeros.
   */
  discard(position: number, length: number): Promise<void>;
}

/**
 * Opens a sparse space of bytes kept in numbered flat files: a position names its file and its
 * place there, so nothing is looked up.
 *
 * Concurrent `sync` calls share one fdatasync a file. After a sync has failed, the system may have
 * dropped what was written, so writes and syncs fail from then on until the store is opened anew;
 * reads go on.
 *
 * @throws {StorageError} DISK_FULL, DISK_IO, from here and from every operation; STORE_CLOSED
 */
export async function openFlatFileStore(options: FlatFileStoreOptions): Promise<FlatFileStore> {
  const { directory, fileBytes = GIB, maxOpenFiles = 64 } = options;
  assertPositiveInteger(fileBytes, 'fileBytes');
  assertPositiveInteger(maxOpenFiles, 'maxOpenFiles');
  let names: string[];
  try {
    await mkdir(directory, { recursive: true });
    names = await readdir(directory);
  } catch (error) {
    throw await diskFault(error, { path: directory, operation: 'open' });
  }
  const present = new Set<number>();
  for (const name of names) {
    if (/^\d{8,}\.flat$/.test(name)) present.add(Number.parseInt(name, 10));
  }
  return new FlatFiles({ directory, fileBytes, maxOpenFiles, present });
}

interface FlatFilesOptions {
  readonly directory: string;
  readonly fileBytes: number;
  readonly maxOpenFiles: number;
  readonly present: Set<number>;
}

class FlatFiles implements FlatFileStore {
  readonly #directory: string;
  readonly #fileBytes: number;
  readonly #handles: HandleCache;
  readonly #commit: GroupCommit;
  /** Files that exist: one number a gibibyte stored. */
  readonly #present: Set<number>;
  /** Files written since they were last synced. */
  #dirty = new Set<number>();
  #directoryDirty = false;
  #failure: StorageError | undefined;
  #closed: Promise<void> | undefined;
  readonly #running = new Set<Promise<unknown>>();

  constructor({ directory, fileBytes, maxOpenFiles, present }: FlatFilesOptions) {
    this.#directory = directory;
    this.#fileBytes = fileBytes;
    this.#present = present;
    this.#commit = new GroupCommit(() => this.#flush());
    this.#handles = new HandleCache({
      maxOpen: maxOpenFiles,
      // A file's last words must not be lost with its handle: an error is seen here or never.
      beforeClose: async (file, handle) => {
        if (this.#dirty.has(file)) await this.#syncFile(file, handle).catch(() => undefined);
      },
    });
  }

  get openFiles(): number {
    return this.#handles.size;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    assertNatural(length, 'length');
    const bytes = new Uint8Array(length);
    return this.readInto(offset, bytes).then(() => bytes);
  }

  readInto(offset: number, target: Uint8Array): Promise<void> {
    assertNatural(offset, 'offset');
    return this.#track(async () => {
      for (const part of this.#partsOf(offset, target.length)) {
        await this.#readPart(part, target.subarray(part.from, part.from + part.count));
      }
    });
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    assertNatural(offset, 'offset');
    assertNatural(offset + bytes.length, 'end of the write');
    return this.#track(async () => {
      for (const part of this.#partsOf(offset, bytes.length)) {
        this.#requireSound();
        await this.#writePart(part, bytes.subarray(part.from, part.from + part.count));
      }
    });
  }

  discard(position: number, length: number): Promise<void> {
    assertNatural(position, 'position');
    assertNatural(length, 'length');
    return this.#track(async () => {
      for (const part of this.#partsOf(position, length)) {
        this.#requireSound();
        await this.#discardPart(part);
      }
    });
  }

  sync(): Promise<void> {
    return this.#track(async () => {
      this.#requireSound();
      await this.#commit.run();
    });
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await Promise.allSettled(this.#running);
      await this.#handles.close();
    })();
    return this.#closed;
  }

  /** Lets `close` wait for `work`. */
  async #track<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#closed !== undefined) {
      throw new StorageError(
        { code: 'STORE_CLOSED', path: this.#directory },
        `the store in ${this.#directory} is closed`,
      );
    }
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  *#partsOf(offset: number, length: number): Generator<Part, void, void> {
    for (let done = 0; done < length; ) {
      const file = Math.floor((offset + done) / this.#fileBytes);
      const at = (offset + done) % this.#fileBytes;
      const count = Math.min(this.#fileBytes - at, length - done);
      yield { file, at, from: done, count };
      done += count;
    }
  }

  /** Fills all of `target`: where there is no file, and beyond one's end, with zeros. */
  async #readPart({ file, at }: Part, target: Uint8Array): Promise<void> {
    let done = 0;
    const read = async (handle: FileHandle | undefined): Promise<void> => {
      while (handle !== undefined && done < target.length) {
        const { bytesRead } = await handle.read(target, done, target.length - done, at + done);
        if (bytesRead === 0) return;
        done += bytesRead;
      }
    };
    try {
      if (this.#present.has(file)) await this.#handles.use(file, this.#openPresent, read);
    } catch (error) {
      throw await diskFault(error, { path: this.#pathOf(file), operation: 'read' });
    }
    target.fill(0, done);
  }

  async #writePart({ file, at }: Part, source: Uint8Array): Promise<void> {
    try {
      await this.#handles.use(file, this.#openForWriting, async (handle) => {
        if (handle === undefined) return;
        for (let done = 0; done < source.length; ) {
          const left = source.length - done;
          const { bytesWritten } = await handle.write(source, done, left, at + done);
          done += bytesWritten;
          this.#dirty.add(file); // while the handle is held, so that it cannot be closed unseen
        }
      });
    } catch (error) {
      const neededBytes = source.length;
      throw await diskFault(error, { path: this.#pathOf(file), operation: 'write', neededBytes });
    }
  }

  async #discardPart({ file, at, count }: Part): Promise<void> {
    if (!this.#present.has(file)) return;
    try {
      await this.#handles.use(file, this.#openPresent, async (handle) => {
        if (handle === undefined) return;
        const { size } = await handle.stat();
        if (at >= size) return;
        if (at + count >= size) {
          await handle.truncate(at);
        } else {
          const zeros = new Uint8Array(Math.min(count, 1_048_576));
          for (let done = 0; done < count; ) {
            const left = Math.min(zeros.length, count - done);
            const { bytesWritten } = await handle.write(zeros, 0, left, at + done);
            done += bytesWritten;
          }
        }
        this.#dirty.add(file);
      });
    } catch (error) {
      throw await diskFault(error, { path: this.#pathOf(file), operation: 'discard' });
    }
  }

  /** Makes durable what was written before the call. */
  async #flush(): Promise<void> {
    this.#requireSound();
    const files = this.#dirty;
    this.#dirty = new Set();
    try {
      await Promise.all(
        [...files].map((file) =>
          this.#handles.use(file, this.#openPresent, async (handle) => {
            if (handle !== undefined) await this.#syncFile(file, handle);
          }),
        ),
      );
      if (this.#directoryDirty) {
        this.#directoryDirty = false;
        await syncDirectory(this.#directory);
      }
    } catch (error) {
      throw await this.#fail(error, this.#directory);
    }
  }

  async #syncFile(file: number, handle: FileHandle): Promise<void> {
    try {
      await handle.datasync();
    } catch (error) {
      throw await this.#fail(error, this.#pathOf(file));
    }
  }

  async #fail(error: unknown, path: string): Promise<StorageError> {
    const fault = await diskFault(error, { path, operation: 'sync' });
    this.#failure ??= fault;
    return fault;
  }

  #requireSound(): void {
    if (this.#failure === undefined) return;
    throw new StorageError(
      this.#failure.facts,
      `${this.#directory} must be opened anew: an earlier sync failed`,
      { cause: this.#failure },
    );
  }

  readonly #openPresent = async (file: number): Promise<FileHandle | undefined> => {
    try {
      return await open(this.#pathOf(file), constants.O_RDWR);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  };

  readonly #openForWriting = async (file: number): Promise<FileHandle> => {
    const handle = await open(this.#pathOf(file), constants.O_RDWR | constants.O_CREAT, 0o644);
    if (!this.#present.has(file)) {
      this.#present.add(file);
      this.#directoryDirty = true;
    }
    return handle;
  };

  #pathOf(file: number): string {
    return join(this.#directory, `${String(file).padStart(8, '0')}.flat`);
  }
}

/** A piece of a read or write that lies in one file. */
interface Part {
  readonly file: number;
  /** Offset in the file. */
  readonly at: number;
  /** Offset in the caller's bytes. */
  readonly from: number;
  readonly count: number;
}
