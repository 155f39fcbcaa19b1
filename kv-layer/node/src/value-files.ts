import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type FlatFileStore, openFlatFileStore } from '@cairn/node-runtime/files';
import { describeError, type FileStore, type Logger } from '@cairn/primitives';

/** The files with long values, one directory for each generation of the state. */
export class ValueFiles {
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #opened = new Map<number, ValueFile>();

  constructor(directory: string, { logger }: { readonly logger: Logger }) {
    this.#directory = directory;
    this.#logger = logger;
  }

  /** @throws what the disk throws */
  async open(generation: number): Promise<FileStore> {
    const directory = join(this.#directory, String(generation));
    const file = await ValueFile.open(directory, this.#logger);
    this.#opened.set(generation, file);
    return file;
  }

  /** Closes a generation's files and removes them. @throws what the disk throws */
  async drop(generation: number): Promise<void> {
    await this.#opened.get(generation)?.close();
    this.#opened.delete(generation);
    await rm(join(this.#directory, String(generation)), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    for (const file of this.#opened.values()) await file.close();
    this.#opened.clear();
  }
}

/**
 * A file store that is opened anew after a write or a sync failed, on a full disk for example: the
 * store beneath refuses writes from then on. A group that failed is written again from its first
 * byte, so nothing that was lost is missed.
 */
class ValueFile implements FileStore {
  readonly #directory: string;
  readonly #logger: Logger;
  #store: FlatFileStore;
  #hasFailed = false;

  private constructor(directory: string, logger: Logger, store: FlatFileStore) {
    this.#directory = directory;
    this.#logger = logger;
    this.#store = store;
  }

  static async open(directory: string, logger: Logger): Promise<ValueFile> {
    return new ValueFile(directory, logger, await openFlatFileStore({ directory }));
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#store.read(offset, length);
  }

  readInto(offset: number, target: Uint8Array): Promise<void> {
    return this.#store.readInto(offset, target);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (this.#hasFailed) await this.#reopen();
    await this.#noting(() => this.#store.write(offset, bytes));
  }

  sync(): Promise<void> {
    return this.#noting(() => this.#store.sync());
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #noting(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }

  async #reopen(): Promise<void> {
    const before = this.#store;
    this.#store = await openFlatFileStore({ directory: this.#directory });
    this.#hasFailed = false;
    try {
      await before.close(); // reads under way end first
    } catch (error) {
      this.#logger.warn({ reason: describeError(error) }, 'a failed value file did not close');
    }
  }
}
