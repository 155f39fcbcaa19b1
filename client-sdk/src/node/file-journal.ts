import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  acquireDirectoryLock,
  type DirectoryLock,
  readFileIfPresent,
  syncDirectory,
  writeFileAtomic,
} from '@cairn/node-runtime/files';
import {
  abortable,
  type Clock,
  compareBytes,
  fromHex,
  isFault,
  isRecord,
  type KeyValueStore,
  type KeyValueWrite,
  parseJson,
  stringifyJson,
  systemClock,
  toHex,
  utf8Text,
} from '@cairn/primitives';
import { SdkError } from '../errors.ts';
import type { ExclusiveJournal } from '../exclusive-sender.ts';

/** Ending of a record's file; its name is the key in hex. */
const RECORD = '.record';
/** A batch that is being applied: what a crash left half done is done again. */
const REDO = 'batch.redo';
/** Longest key whose name every file system takes. */
const MAX_KEY_BYTES = 120;
/** Wait between looks at a journal that another process is paying from. */
const LOCK_POLL_MS = 100;

/**
 * A journal in a directory: one small file a record, private to its owner.
 *
 * Several processes may use one directory. Their uploads keep different records; payments are
 * made by one process at a time, which `exclusive` sees to. A crash leaves every record whole.
 */
export function fileJournal(
  directory: string,
  { clock = systemClock() }: { readonly clock?: Pick<Clock, 'sleep'> } = {},
): ExclusiveJournal {
  return new FileJournal(directory, clock);
}

interface Lock {
  readonly held: Promise<DirectoryLock>;
  /** Ends the wait for the lock once nobody wants it. */
  readonly stop: AbortController;
  users: number;
}

class FileJournal implements ExclusiveJournal {
  readonly #directory: string;
  readonly #clock: Pick<Clock, 'sleep'>;
  #writing: Promise<void> = Promise.resolve();
  #lock: Lock | undefined;

  constructor(directory: string, clock: Pick<Clock, 'sleep'>) {
    this.#directory = directory;
    this.#clock = clock;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return readFileIfPresent(this.#pathOf(key));
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const values: (Uint8Array | undefined)[] = [];
    for (const key of keys) values.push(await this.get(key));
    return values;
  }

  /** Durable when it resolves, whether `sync` was asked for or not. */
  async write(batch: readonly KeyValueWrite[]): Promise<void> {
    const before = this.#writing;
    const write = before.then(async () => {
      await this.#makeDirectory();
      if (batch.length > 1) {
        await writeFileAtomic(join(this.#directory, REDO), redoText(batch), { mode: 0o600 });
      }
      await this.#apply(batch);
      if (batch.length > 1) await rm(join(this.#directory, REDO), { force: true });
    });
    this.#writing = write.catch(() => undefined); // told to its own caller below
    await write;
  }

  async *entries(
    range: Parameters<KeyValueStore['entries']>[0],
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array], void, void> {
    const { gte, lt, reverse = false, limit = Number.POSITIVE_INFINITY } = range;
    await this.#makeDirectory();
    const keys = (await readdir(this.#directory))
      .filter((name) => name.endsWith(RECORD))
      .map((name) => fromHex(name.slice(0, -RECORD.length)))
      .filter((key) => gte === undefined || compareBytes(key, gte) >= 0)
      .filter((key) => lt === undefined || compareBytes(key, lt) < 0)
      .sort(compareBytes);
    if (reverse) keys.reverse();
    let given = 0;
    for (const key of keys) {
      signal.throwIfAborted();
      if (given >= limit) return;
      const value = await this.get(key);
      if (value === undefined) continue; // removed since the names were read
      given += 1;
      yield [key, value] as const;
    }
  }

  async exclusive<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    let lock = this.#lock;
    if (lock === undefined) {
      const stop = new AbortController();
      lock = { held: this.#acquire(stop.signal), stop, users: 0 };
      this.#lock = lock;
    }
    lock.users += 1;
    try {
      await abortable(lock.held, signal);
      return await work();
    } finally {
      lock.users -= 1;
      if (lock.users === 0) {
        if (this.#lock === lock) this.#lock = undefined;
        lock.stop.abort(new Error('nobody waits for the journal any more'));
        const held = await lock.held.catch(() => undefined); // not taken: nothing to give back
        await held?.release();
      }
    }
  }

  async #acquire(signal: AbortSignal): Promise<DirectoryLock> {
    await this.#makeDirectory();
    for (;;) {
      signal.throwIfAborted();
      try {
        return await this.#lockAndRedo();
      } catch (error) {
        if (!isFault(error, 'DIRECTORY_LOCKED')) throw error;
        await this.#clock.sleep(LOCK_POLL_MS, signal);
      }
    }
  }

  async #lockAndRedo(): Promise<DirectoryLock> {
    const lock = await acquireDirectoryLock(this.#directory);
    try {
      await this.#redo();
      return lock;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Finishes a batch that a crash cut short. */
  async #redo(): Promise<void> {
    const path = join(this.#directory, REDO);
    const bytes = await readFileIfPresent(path);
    if (bytes === undefined) return;
    await this.#apply(parseRedo(bytes, path));
    await rm(path, { force: true });
  }

  async #apply(batch: readonly KeyValueWrite[]): Promise<void> {
    let removed = false;
    for (const change of batch) {
      const path = this.#pathOf(change.key);
      if (change.type === 'put') await writeFileAtomic(path, change.value, { mode: 0o600 });
      else {
        await rm(path, { force: true });
        removed = true;
      }
    }
    if (removed) await syncDirectory(this.#directory);
  }

  async #makeDirectory(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
  }

  #pathOf(key: Uint8Array): string {
    if (key.length > MAX_KEY_BYTES) {
      throw new RangeError(`a journal key has at most ${MAX_KEY_BYTES} bytes, not ${key.length}`);
    }
    return join(this.#directory, `${toHex(key).slice(2)}${RECORD}`);
  }
}

function redoText(batch: readonly KeyValueWrite[]): string {
  return stringifyJson(
    batch.map((change) => ({
      key: toHex(change.key),
      value: change.type === 'put' ? toHex(change.value) : null,
    })),
  );
}

function parseRedo(bytes: Uint8Array, path: string): KeyValueWrite[] {
  const refuse = (reason: string): SdkError =>
    new SdkError(
      { code: 'SDK_JOURNAL', key: path, reason },
      `the journal's unfinished batch ${path} cannot be read: ${reason}`,
    );
  const changes = parseJson(utf8Text(bytes));
  if (!Array.isArray(changes)) throw refuse('it is no list');
  return changes.map((change: unknown): KeyValueWrite => {
    if (!isRecord(change) || typeof change['key'] !== 'string') throw refuse('a change has no key');
    const key = fromHex(change['key']);
    const { value } = change;
    if (value === null) return { type: 'delete', key };
    if (typeof value !== 'string') throw refuse('a change has no value');
    return { type: 'put', key, value: fromHex(value) };
  });
}
