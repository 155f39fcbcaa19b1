import { type Clock, describeError, type FileStore, type Logger } from '@cairn/primitives';
import { StorageNodeError } from './errors.ts';

/** How the store beneath is opened, again and again. */
export interface ReopeningFileStoreDeps<Store extends FileStore = FileStore> {
  readonly open: () => Promise<Store>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
}

/** Between two tries to open a store that failed. */
const REOPEN_AFTER_MS = 1000;

/**
 * A file store that comes back after its disk was full or failed.
 *
 * Once a sync has failed, the store beneath refuses writes until it is opened anew, since the
 * system may have dropped what was written. That is done here, at the next write that comes a
 * second later or more. The first sync after that fails too if writes from before had not been
 * synced: whoever waits for it must not take them for durable.
 */
export class ReopeningFileStore<Store extends FileStore = FileStore> implements FileStore {
  readonly #deps: ReopeningFileStoreDeps<Store>;
  #store: Store;
  #failedAt: number | undefined;
  #reopening: Promise<void> | undefined;
  /** Writes that resolved, and how many of them a later sync has covered. */
  #writes = 0;
  #syncedWrites = 0;
  #hasLostWrites = false;
  /** Operations on the store beneath, so that it is closed when none is left. */
  readonly #running = new Set<Promise<unknown>>();

  private constructor(deps: ReopeningFileStoreDeps<Store>, store: Store) {
    this.#deps = deps;
    this.#store = store;
  }

  /** @throws what opening throws */
  static async open<Store extends FileStore>(
    deps: ReopeningFileStoreDeps<Store>,
  ): Promise<ReopeningFileStore<Store>> {
    return new ReopeningFileStore(deps, await deps.open());
  }

  /** The store beneath as it is now: for looking, at once. */
  get store(): Store {
    return this.#store;
  }

  /** Changes the store beneath in a way of its own; a failure counts as one of `write`. */
  async use(work: (store: Store) => Promise<void>): Promise<void> {
    await this.#mend();
    await this.#guard(work);
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return this.#track((store) => store.read(offset, length));
  }

  async readInto(offset: number, target: Uint8Array): Promise<void> {
    return this.#track((store) => store.readInto(offset, target));
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#mend();
    await this.#guard((store) => store.write(offset, bytes));
    this.#writes += 1;
  }

  async sync(): Promise<void> {
    await this.#reopening?.catch(() => undefined);
    if (this.#hasLostWrites) {
      this.#hasLostWrites = false;
      throw new StorageNodeError(
        { code: 'STORE_REOPENED' },
        'the segment files were opened anew; what was written just before is not durable',
      );
    }
    const covered = this.#writes;
    await this.#guard((store) => store.sync());
    this.#syncedWrites = Math.max(this.#syncedWrites, covered);
  }

  async close(): Promise<void> {
    await this.#reopening?.catch(() => undefined);
    await this.#store.close();
  }

  async #guard(work: (store: Store) => Promise<void>): Promise<void> {
    try {
      await this.#track(work);
    } catch (error) {
      this.#failedAt ??= this.#deps.clock.monotonic();
      throw error;
    }
  }

  async #track<Result>(work: (store: Store) => Promise<Result>): Promise<Result> {
    // A store that stayed broken answers for itself.
    if (this.#reopening !== undefined) await this.#reopening.catch(() => undefined);
    const running = work(this.#store);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #mend(): Promise<void> {
    if (this.#failedAt === undefined) return;
    if (this.#deps.clock.monotonic() - this.#failedAt < REOPEN_AFTER_MS) return;
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = undefined;
    });
    await this.#reopening;
  }

  async #reopen(): Promise<void> {
    const { open, clock, logger } = this.#deps;
    await Promise.allSettled(this.#running);
    try {
      const next = await open();
      const previous = this.#store;
      this.#store = next;
      this.#failedAt = undefined;
      this.#hasLostWrites = this.#writes > this.#syncedWrites;
      this.#syncedWrites = this.#writes;
      await previous.close().catch(() => undefined); // it is broken; what it held was not acknowledged
      logger.info({}, 'the segment files were opened anew after a failure');
    } catch (error) {
      this.#failedAt = clock.monotonic();
      logger.warn({ reason: describeError(error) }, 'the segment files cannot be opened anew yet');
      throw error;
    }
  }
}
