import type { FileStore, KeyValueStore, KeyValueWrite } from '@cairn/primitives';

/** Commits that one pair of syncs serves at most. */
const MAX_GROUP = 256;

interface Waiting {
  readonly writes: readonly KeyValueWrite[];
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Makes data durable, then the records that say it is there: data first, always, so that after a
 * crash a record never stands for data that was lost. Commits that come while another is under way
 * share the next pair of syncs.
 */
export class GroupCommit {
  readonly #files: Pick<FileStore, 'sync'>;
  readonly #kv: Pick<KeyValueStore, 'write'>;
  readonly #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(files: Pick<FileStore, 'sync'>, kv: Pick<KeyValueStore, 'write'>) {
    this.#files = files;
    this.#kv = kv;
  }

  /**
   * Resolves once all data written before this call and `writes` are on the disk.
   *
   * @throws what the disk throws: then nothing of `writes` may be taken as stored
   */
  commit(writes: readonly KeyValueWrite[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ writes, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Resolves once nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, MAX_GROUP);
      try {
        await this.#files.sync();
        await this.#kv.write(
          group.flatMap(({ writes }) => [...writes]),
          { sync: true },
        );
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#running = undefined;
  }
}
