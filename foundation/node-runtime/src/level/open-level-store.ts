import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type KeyRange, type KeyValueStore, MIB } from '@cairn/primitives';
import { levelFault } from './errors.ts';
import { QuickReads } from './quick-reads.ts';
import { type Database, ReopeningDatabase } from './reopening-database.ts';

/** Where an index lies and what memory it takes. */
export interface LevelStoreOptions {
  /** Made if it is missing; holds nothing else. */
  readonly directory: string;
  /** Blocks kept in memory; 16 MiB unless told. */
  readonly cacheBytes?: number;
  /** Log kept in memory before it becomes a table, at most twice; 8 MiB unless told. */
  readonly writeBufferBytes?: number;
}

/** An index on disk, for one process at a time. */
export interface LevelStore extends KeyValueStore {
  /** Waits for what runs and closes the files. */
  close(): Promise<void>;
  /** Rewrites the tables so that deleted entries give their room back. Slow: seconds a gibibyte. */
  compact(): Promise<void>;
  /** Bytes of its files on the disk. */
  sizeBytes(): Promise<number>;
}

/** The most keys `getMany` takes, as the port says. */
const MAX_KEYS = 10_000;
/** Entries fetched at a time while iterating, also bounded by bytes. */
const ENTRIES_PER_FETCH = 1000;

/**
 * Opens a key-value store on LevelDB. A batch written with `sync` survives a crash of the machine,
 * one without survives only a crash of the process. After a write failed, on a full disk for example,
 * writes fail until the database was opened anew, which the next write a second later does by itself
 * once there is room; reads go on.
 *
 * @throws {LevelError} LEVEL_LOCKED, LEVEL_CORRUPT, LEVEL_IO from here; LEVEL_CORRUPT, LEVEL_IO and
 * LEVEL_CLOSED from every operation
 */
export async function openLevelStore(options: LevelStoreOptions): Promise<LevelStore> {
  const { directory, cacheBytes = 16 * MIB, writeBufferBytes = 8 * MIB } = options;
  const faulty = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw levelFault(error, directory);
    }
  };
  const database = await faulty(() =>
    ReopeningDatabase.open({ directory, cacheBytes, writeBufferBytes }),
  );
  const reads = new QuickReads(database);
  return {
    get: (key) => faulty(async () => plain(await reads.get(key))),
    getNow: (key) => {
      try {
        const value = reads.getNow(key);
        return value === null ? null : plain(value);
      } catch (error) {
        throw levelFault(error, directory);
      }
    },
    getMany: (keys) => {
      if (keys.length > MAX_KEYS) {
        throw new RangeError(`${keys.length} keys in one call, at most ${MAX_KEYS} are allowed`);
      }
      return faulty(async () =>
        (await database.use((level) => level.getMany([...keys]))).map(plain),
      );
    },
    write: (batch, { sync = false } = {}) => faulty(() => database.write(batch, sync)),
    entries: (range, { signal }) => iterate(database, { range, signal, directory }),
    close: () => faulty(() => database.close()),
    compact: () =>
      faulty(() =>
        database.use((level) =>
          level.compactRange(new Uint8Array(0), new Uint8Array(256).fill(0xff)),
        ),
      ),
    sizeBytes: () => sizeOf(directory),
  };
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(directory)) {
    // Tables come and go while they are counted.
    bytes += (await stat(join(directory, name)).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}

/**
 * Iterates over a snapshot taken now, not when the first entry is pulled; if the database is opened
 * anew meanwhile, the rest is of what it is then.
 */
function iterate(
  database: ReopeningDatabase,
  {
    range,
    signal,
    directory,
  }: { readonly range: KeyRange; readonly signal: AbortSignal; readonly directory: string },
): AsyncGenerator<readonly [Uint8Array, Uint8Array], void, void> {
  let { generation } = database;
  const { current } = database;
  let iterator = current === undefined ? undefined : iteratorOf(current, range);
  return (async function* () {
    let left = range;
    try {
      for (;;) {
        signal.throwIfAborted();
        const entries = await database.use((level) => {
          if (iterator === undefined || generation !== database.generation) {
            iterator = iteratorOf(level, left);
            ({ generation } = database);
          }
          return iterator.nextv(ENTRIES_PER_FETCH);
        });
        if (entries.length === 0) return;
        left = restOf(left, entries.length, entries.at(-1)?.[0]);
        for (const [key, value] of entries) {
          signal.throwIfAborted();
          if (key !== undefined && value !== undefined) {
            yield [plainBytes(key), plainBytes(value)] as const;
          }
        }
      }
    } catch (error) {
      throw levelFault(error, directory);
    } finally {
      await iterator?.close();
    }
  })();
}

function iteratorOf(level: Database, { gte, lt, reverse = false, limit }: KeyRange) {
  return level.iterator({
    ...(gte === undefined ? {} : { gte }),
    ...(lt === undefined ? {} : { lt }),
    reverse,
    limit: limit === undefined || limit === Number.POSITIVE_INFINITY ? -1 : limit,
    highWaterMarkBytes: 65_536,
  });
}

/** What is left of a range after `count` entries, the last of which had the key `last`. */
function restOf(range: KeyRange, count: number, last: Uint8Array | undefined): KeyRange {
  if (last === undefined) return range;
  const limit = range.limit === undefined ? {} : { limit: Math.max(0, range.limit - count) };
  if (range.reverse === true) return { ...range, ...limit, lt: plainBytes(last).slice() };
  const after = new Uint8Array(last.length + 1); // the first key behind it
  after.set(last);
  return { ...range, ...limit, gte: after };
}

function plain(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : plainBytes(bytes);
}

/** The database hands out Buffers, whose `slice` shares memory where a Uint8Array's copies. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
