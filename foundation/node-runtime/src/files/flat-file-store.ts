import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { assertNatural, assertPositiveInteger, type FileStore, GIB } from '@cairn/primitives';
import { syncDirectory } from './atomic-file.ts';
import { diskFault, errnoOf, StorageError } from './errors.ts';
import { openTails, pathOf, tailKey } from './flat-file-tails.ts';
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
  /** Bytes of a full file: file n holds positions from n · `fileBytes` on. */
  readonly fileBytes: number;
  /** Files that exist, ascending. */
  fileNumbers(): number[];
  /** Bytes that a file takes on the disk, 0 where there is none. @throws as every operation */
  occupiedBytes(file: number): Promise<number>;
  /** Position from which on a file was made anew; `undefined` if that is not under way. */
  tailOf(file: number): number | undefined;
  /**
   * Makes a file anew from `position` to where it was made anew before, or else to its end, so that
   * only `kept` takes room there; the rest reads as zeros. Called from a file's end towards its
   * beginning, which ends it. Takes room for `kept` and gives back at least as much before the next.
   *
   * Nobody may write to that part of the file meanwhile; reads, and writes elsewhere, go on. What
   * was made anew stays so after a crash at any moment.
   *
   * @param kept - ascending, within that part of the file
   */
  moveTail(position: number, kept: readonly ByteSpan[]): Promise<void>;
}

/** Bytes of the space. */
export interface ByteSpan {
  readonly offset: number;
  readonly length: number;
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
  const tails = await openTails(directory, names);
  return new FlatFiles({ directory, fileBytes, maxOpenFiles, present, tails });
}

/** Bytes copied at a time. */
const COPY_BYTES = 1_048_576;

interface FlatFilesOptions {
  readonly directory: string;
  readonly fileBytes: number;
  readonly maxOpenFiles: number;
  readonly present: Set<number>;
  readonly tails: Map<number, number>;
}

class FlatFiles implements FlatFileStore {
  readonly #directory: string;
  readonly #fileBytes: number;
  readonly #handles: HandleCache;
  readonly #commit: GroupCommit;
  /** Files that exist: one number a gibibyte stored. */
  readonly #present: Set<number>;
  /** Files that are being made anew: where their new part begins. */
  readonly #tails: Map<number, number>;
  /** Grows whenever bytes change their place: a read that saw it grow is done again. */
  #moves = 0;
  /** Files, and new parts of files, written since they were last synced. */
  #dirty = new Set<number>();
  #directoryDirty = false;
  #failure: StorageError | undefined;
  #closed: Promise<void> | undefined;
  readonly #running = new Set<Promise<unknown>>();

  constructor({ directory, fileBytes, maxOpenFiles, present, tails }: FlatFilesOptions) {
    this.#directory = directory;
    this.#fileBytes = fileBytes;
    this.#present = present;
    this.#tails = tails;
    this.#commit = new GroupCommit(() => this.#flush());
    this.#handles = new HandleCache({
      maxOpen: maxOpenFiles,
      // A file's last words must not be lost with its handle: an error is seen here or never.
      beforeClose: async (file, handle) => {
        if (this.#dirty.has(file)) await this.#syncFile(file, handle).catch(() => undefined);
      },
    });
  }

  get fileBytes(): number {
    return this.#fileBytes;
  }

  fileNumbers(): number[] {
    return [...this.#present].sort((left, right) => left - right);
  }

  tailOf(file: number): number | undefined {
    const tail = this.#tails.get(file);
    return tail === undefined ? undefined : file * this.#fileBytes + tail;
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
      let seen: number;
      do {
        seen = this.#moves;
        for (const part of this.#partsOf(offset, target.length)) {
          await this.#readPart(part, target.subarray(part.from, part.from + part.count));
        }
      } while (seen !== this.#moves); // what was read may have moved away under the read
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

  occupiedBytes(file: number): Promise<number> {
    return this.#track(async () => {
      let bytes = 0;
      for (const key of [file, tailKey(file)]) {
        try {
          bytes += (await stat(this.#pathOf(key))).blocks * 512;
        } catch (error) {
          if (errnoOf(error) === 'ENOENT') continue;
          throw await diskFault(error, { path: this.#pathOf(key), operation: 'measure' });
        }
      }
      return bytes;
    });
  }

  moveTail(position: number, kept: readonly ByteSpan[]): Promise<void> {
    assertNatural(position, 'position');
    const file = Math.floor(position / this.#fileBytes);
    const at = position % this.#fileBytes;
    return this.#track(async () => {
      this.#requireSound();
      if (!this.#present.has(file)) return;
      if (at === 0 && kept.length === 0 && !this.#tails.has(file)) {
        await this.#removeFile(file);
        return;
      }
      await this.#beginTail(file);
      await this.#copyToTail(file, kept);
      try {
        this.#moves += 1;
        this.#tails.set(file, at); // in one go: from here on the new part is the one that counts
        await this.#handles.use(file, this.#openPresent, async (handle) => {
          await handle?.truncate(at);
          await handle?.datasync();
        });
        if (at === 0) await this.#endTail(file);
      } catch (error) {
        throw await this.#fail(error, this.#pathOf(file));
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
      const tail = this.#tails.get(file) ?? this.#fileBytes;
      const key = at < tail ? file : tailKey(file);
      const end = at < tail ? tail : this.#fileBytes;
      const count = Math.min(end - at, length - done);
      yield { key, at, from: done, count };
      done += count;
    }
  }

  /** Fills all of `target`: where there is no file, and beyond one's end, with zeros. */
  async #readPart({ key, at }: Part, target: Uint8Array): Promise<void> {
    let done = 0;
    const read = async (handle: FileHandle | undefined): Promise<void> => {
      while (handle !== undefined && done < target.length) {
        const { bytesRead } = await handle.read(target, done, target.length - done, at + done);
        if (bytesRead === 0) return;
        done += bytesRead;
      }
    };
    try {
      if (key < 0 || this.#present.has(key)) await this.#handles.use(key, this.#openPresent, read);
    } catch (error) {
      throw await diskFault(error, { path: this.#pathOf(key), operation: 'read' });
    }
    target.fill(0, done);
  }

  async #writePart({ key, at }: Part, source: Uint8Array): Promise<void> {
    try {
      await this.#handles.use(key, this.#openForWriting, async (handle) => {
        if (handle === undefined) return;
        for (let done = 0; done < source.length; ) {
          const left = source.length - done;
          const { bytesWritten } = await handle.write(source, done, left, at + done);
          done += bytesWritten;
          this.#dirty.add(key); // while the handle is held, so that it cannot be closed unseen
        }
      });
    } catch (error) {
      const neededBytes = source.length;
      throw await diskFault(error, { path: this.#pathOf(key), operation: 'write', neededBytes });
    }
  }

  async #removeFile(file: number): Promise<void> {
    try {
      this.#moves += 1;
      this.#present.delete(file);
      await this.#handles.drop(file);
      await rm(this.#pathOf(file), { force: true });
      this.#directoryDirty = true;
    } catch (error) {
      throw await this.#fail(error, this.#pathOf(file));
    }
  }

  async #beginTail(file: number): Promise<void> {
    if (this.#tails.has(file)) return;
    const path = this.#pathOf(tailKey(file));
    try {
      await (await open(path, constants.O_RDWR | constants.O_CREAT, 0o644)).close();
      await syncDirectory(this.#directory);
    } catch (error) {
      throw await diskFault(error, { path, operation: 'write' });
    }
    this.#tails.set(file, this.#fileBytes);
  }

  /** Copies what is kept of the old part and makes it durable. Nothing else changes. */
  async #copyToTail(file: number, kept: readonly ByteSpan[]): Promise<void> {
    const key = tailKey(file);
    for (const { offset, length } of kept) {
      for (let done = 0; done < length; ) {
        const bytes = new Uint8Array(Math.min(COPY_BYTES, length - done));
        const at = (offset % this.#fileBytes) + done;
        await this.#readPart({ key: file, at, from: 0, count: bytes.length }, bytes);
        await this.#writePart({ key, at, from: 0, count: bytes.length }, bytes);
        done += bytes.length;
      }
    }
    await this.#handles.use(key, this.#openPresent, async (handle) => {
      if (handle !== undefined) await this.#syncFile(key, handle);
    });
  }

  /** Gives the new part of a file, which is all of it now, the file's name. */
  async #endTail(file: number): Promise<void> {
    await rename(this.#pathOf(tailKey(file)), this.#pathOf(file));
    await syncDirectory(this.#directory);
    await this.#handles.drop(file); // the old part, which nobody reads any more
    this.#moves += 1;
    this.#tails.delete(file);
    await this.#handles.drop(tailKey(file));
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

  readonly #openPresent = async (key: number): Promise<FileHandle | undefined> => {
    try {
      return await open(this.#pathOf(key), constants.O_RDWR);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      // A new part has its file's name once it is whole.
      return key < 0 ? this.#openPresent(-1 - key) : undefined;
    }
  };

  readonly #openForWriting = async (key: number): Promise<FileHandle | undefined> => {
    if (key < 0) return this.#openPresent(key);
    const handle = await open(this.#pathOf(key), constants.O_RDWR | constants.O_CREAT, 0o644);
    if (!this.#present.has(key)) {
      this.#present.add(key);
      this.#directoryDirty = true;
    }
    return handle;
  };

  #pathOf(key: number): string {
    return pathOf(this.#directory, key);
  }
}

/** A piece of a read or write that lies in one file. */
interface Part {
  /** The file's number, or what stands for its new part. */
  readonly key: number;
  /** Offset in the file. */
  readonly at: number;
  /** Offset in the caller's bytes. */
  readonly from: number;
  readonly count: number;
}
