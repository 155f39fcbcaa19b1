import { type KeyValueStore, memoryKeyValueStore } from '@cairn/primitives';
import type { PayloadStore } from '../../src/disperser/ports.ts';
import { payloadsInMemory } from './payloads-in-memory.ts';

class Crash extends Error {}

/** Disks of a machine that dies at a given write, before or after it. */
export class DyingDisk {
  readonly index: KeyValueStore;
  readonly payloads: PayloadStore;
  writes = 0;
  #diesAt = Number.POSITIVE_INFINITY;
  #isDead = false;
  /** Resolves with the next death. */
  died: Promise<void> = Promise.resolve();
  #tell: () => void = () => undefined;

  constructor() {
    const index = memoryKeyValueStore();
    const payloads = payloadsInMemory();
    this.index = {
      get: (key) => this.#read(() => index.get(key)),
      getMany: (keys) => this.#read(() => index.getMany(keys)),
      write: (batch, options) => this.#write(() => index.write(batch, options)),
      entries: (range, options) => index.entries(range, options),
    };
    this.payloads = {
      put: (id, payload) => this.#write(() => payloads.put(id, payload)),
      get: (id) => this.#read(() => payloads.get(id)),
      delete: (id) => this.#write(() => payloads.delete(id)),
      retainOnly: (isWanted) => payloads.retainOnly(isWanted),
    };
  }

  /** Dies at the write with this number; with half a number more, once it is done. */
  dieAt(write: number): void {
    this.#diesAt = write;
    this.died = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  /** A new life with the same content. */
  revive(): void {
    this.#isDead = false;
    this.#diesAt = Number.POSITIVE_INFINITY;
  }

  #read<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#isDead ? Promise.reject(new Crash()) : work();
  }

  async #write(work: () => Promise<void>): Promise<void> {
    if (this.#isDead) throw new Crash();
    const at = this.writes;
    this.writes += 1;
    if (at === this.#diesAt) this.#isDead = true;
    else await work();
    if (at + 0.5 === this.#diesAt) this.#isDead = true;
    if (!this.#isDead) return;
    this.#tell();
    throw new Crash();
  }
}
