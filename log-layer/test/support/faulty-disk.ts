import {
  type FileStore,
  type KeyValueStore,
  type KeyValueWrite,
  memoryFileStore,
  memoryKeyValueStore,
  type Rng,
} from '@cairn/primitives';

export class Crash extends Error {}

/**
 * A disk with files and a key-value store that can stop at any operation. What was not synced then
 * is lost in part: file writes in any subset and torn, key-value batches from the end.
 */
export class FaultyDisk {
  /** Operations until the crash. */
  left: number;
  /** Thrown once by the next file write instead of writing. */
  failNextWrite: Error | undefined;
  operations = 0;
  #durableFiles = memoryFileStore();
  #durableKv = memoryKeyValueStore();
  #fileWrites: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  #batches: (readonly KeyValueWrite[])[] = [];
  #files = memoryFileStore();
  #kv = memoryKeyValueStore();

  constructor(operationsUntilCrash: number = Number.POSITIVE_INFINITY) {
    this.left = operationsUntilCrash;
  }

  /** What a process sees. */
  get files(): FileStore {
    const files = this.#files;
    return {
      read: (offset, length) => files.read(offset, length),
      readInto: (offset, target) => files.readInto(offset, target),
      write: async (offset, bytes) => {
        const failure = this.failNextWrite;
        this.failNextWrite = undefined;
        if (failure !== undefined) throw failure;
        this.#fileWrites.push({ offset, bytes: bytes.slice() });
        this.#count(); // a crash during a write may leave any part of it
        await files.write(offset, bytes);
      },
      sync: async () => {
        const writes = this.#fileWrites.slice();
        await Promise.resolve(); // writes that come during a sync are not covered by it
        this.#count();
        for (const { offset, bytes } of writes) await this.#durableFiles.write(offset, bytes);
        this.#fileWrites = this.#fileWrites.filter((write) => !writes.includes(write));
      },
      close: async () => undefined,
    };
  }

  get kv(): KeyValueStore {
    const kv = this.#kv;
    return {
      get: (key) => kv.get(key),
      getMany: (keys) => kv.getMany(keys),
      entries: (range, options) => kv.entries(range, options),
      write: async (batch, options) => {
        this.#batches.push(batch);
        this.#count();
        await kv.write(batch);
        if (options?.sync !== true) return;
        for (const earlier of this.#batches.splice(0)) await this.#durableKv.write(earlier);
      },
    };
  }

  /** Flips one bit of what is on the disk and what processes see. */
  async flip(offset: number, bit: number): Promise<void> {
    for (const files of [this.#files, this.#durableFiles]) {
      const byte = await files.read(offset, 1);
      await files.write(offset, Uint8Array.of((byte[0] ?? 0) ^ (1 << bit)));
    }
  }

  /** The disk a new process finds after the crash. */
  async afterCrash(rng: Rng): Promise<FaultyDisk> {
    const next = new FaultyDisk();
    next.#files = this.#durableFiles;
    next.#durableFiles = this.#durableFiles;
    for (const { offset, bytes } of this.#fileWrites) {
      const fate = rng.below(3);
      const kept = fate === 0 ? 0 : fate === 1 ? bytes.length : rng.below(bytes.length);
      await next.#files.write(offset, bytes.subarray(0, kept));
    }
    for (const batch of this.#batches.slice(0, rng.below(this.#batches.length + 1))) {
      await this.#durableKv.write(batch);
    }
    next.#kv = this.#durableKv;
    next.#durableKv = this.#durableKv;
    return next;
  }

  #count(): void {
    this.operations += 1;
    if (this.left <= 0) throw new Crash('the machine stopped');
    this.left -= 1;
  }
}
