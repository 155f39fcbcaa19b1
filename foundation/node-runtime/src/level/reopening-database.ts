import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type KeyValueWrite, MIB } from '@cairn/primitives';
import { ClassicLevel } from 'classic-level';
import { freeBytesAt } from '../files/errors.ts';
import { LevelError } from './errors.ts';

/** A LevelDB database with keys and values as bytes. */
export type Database = ClassicLevel<Uint8Array, Uint8Array>;

/** How a database is opened, again and again. */
export interface DatabaseOptions {
  readonly directory: string;
  readonly cacheBytes: number;
  readonly writeBufferBytes: number;
}

/** Between two tries to open a database anew. */
const REOPEN_AFTER_MS = 1000;
/** Batches that go to the disk together, at most. */
const MAX_GROUP = 256;
/** Room that opening anew takes besides the log that it reads. */
const SPARE_BYTES = MIB / 4;

interface Waiting {
  readonly batch: readonly KeyValueWrite[];
  readonly sync: boolean;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * A database that never writes on after a write failed, but is opened anew first.
 *
 * LevelDB goes on with its log behind what a full disk cut short, says that this is durable, and
 * drops it when it reads the log the next time. Opened anew it begins another log. Writes that come
 * while one is under way share the next, so that none of them can follow a failed one unseen; reads
 * go on in the database as it was.
 */
export class ReopeningDatabase {
  readonly #options: DatabaseOptions;
  #database: Database;
  #generation = 0;
  /** Of the write that failed last, until the database was opened anew. */
  #failure: unknown;
  #triedAt = Number.NEGATIVE_INFINITY;
  #reopening: Promise<void> | undefined;
  #writing: Promise<void> | undefined;
  readonly #waiting: Waiting[] = [];
  readonly #running = new Set<Promise<unknown>>();

  private constructor(options: DatabaseOptions, database: Database) {
    this.#options = options;
    this.#database = database;
  }

  /** @throws what LevelDB throws */
  static async open(options: DatabaseOptions): Promise<ReopeningDatabase> {
    const database = newDatabase(options);
    await database.open();
    return new ReopeningDatabase(options, database);
  }

  /** Counts openings: iterators of an earlier one are closed. */
  get generation(): number {
    return this.#generation;
  }

  /** The database as it is, to begin something at once; `undefined` while it is opened anew. */
  get current(): Database | undefined {
    return this.#reopening === undefined ? this.#database : undefined;
  }

  /** Runs one short operation. @throws what it throws */
  async use<Result>(work: (database: Database) => Promise<Result>): Promise<Result> {
    await this.#reopening?.catch(() => undefined); // a database that stayed closed says so itself
    const running = work(this.#database);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Writes a batch, all of it or nothing. @throws what LevelDB throws; {LevelError} LEVEL_IO until opened anew */
  write(batch: readonly KeyValueWrite[], sync: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, sync, resolve, reject });
      this.#writing ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#reopening?.catch(() => undefined);
    await this.#database.close();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, MAX_GROUP);
      try {
        if (this.#failure !== undefined) await this.#mend();
        await this.#writeTogether(group);
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #writeTogether(group: readonly Waiting[]): Promise<void> {
    const sync = group.some((one) => one.sync);
    try {
      await this.use((database) => {
        // A chained batch takes each change as it is; an array's are copied and wrapped twice,
        // which costs as much again as everything else that a small write takes.
        const chained = database.batch();
        for (const { batch } of group) {
          for (const change of batch) {
            if (change.type === 'put') chained.put(change.key, change.value);
            else chained.del(change.key);
          }
        }
        return chained.write({ sync });
      });
    } catch (error) {
      if (this.#database.status === 'open') this.#failure = error; // else it was closed on purpose
      throw error;
    }
  }

  async #mend(): Promise<void> {
    const now = performance.now();
    const isEarly = now - this.#triedAt < REOPEN_AFTER_MS;
    if (isEarly || !(await this.#hasRoom())) {
      const { directory } = this.#options;
      throw new LevelError(
        { code: 'LEVEL_IO', directory },
        `the index in ${directory} must be opened anew: an earlier write failed`,
        { cause: this.#failure },
      );
    }
    this.#triedAt = now;
    this.#reopening = this.#reopen();
    try {
      await this.#reopening;
    } finally {
      this.#reopening = undefined;
    }
  }

  async #reopen(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#database.close();
    this.#database = newDatabase(this.#options);
    this.#generation += 1;
    await this.#database.open();
    this.#failure = undefined;
  }

  /** Whether there is room for what opening does: what the log holds becomes a table. */
  async #hasRoom(): Promise<boolean> {
    const { directory } = this.#options;
    const freeBytes = await freeBytesAt(directory);
    if (freeBytes === undefined) return true;
    let logBytes = 0;
    for (const name of await readdir(directory)) {
      if (!name.endsWith('.log')) continue;
      logBytes += (await stat(join(directory, name)).catch(() => undefined))?.size ?? 0;
    }
    return freeBytes >= logBytes + SPARE_BYTES;
  }
}

function newDatabase({ directory, cacheBytes, writeBufferBytes }: DatabaseOptions): Database {
  return new ClassicLevel<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    cacheSize: cacheBytes,
    writeBufferSize: writeBufferBytes,
  });
}
