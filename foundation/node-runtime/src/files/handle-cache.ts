import type { FileHandle } from 'node:fs/promises';

interface Entry {
  readonly handle: FileHandle;
  users: number;
  /** Told once nobody uses it. */
  readonly waiting: (() => void)[];
}

/** Opens a file by number; `undefined` where there is none and none is to be made. */
export type OpenFile = (file: number) => Promise<FileHandle | undefined>;

/**
 * Keeps at most `maxOpen` files open. A file in use is never closed; when all are in use, the
 * next caller waits for one to be given back.
 */
export class HandleCache {
  readonly #maxOpen: number;
  readonly #beforeClose: (file: number, handle: FileHandle) => Promise<void>;
  /** Least recently used first. */
  readonly #entries = new Map<number, Entry>();
  readonly #opening = new Map<number, Promise<Entry | undefined>>();
  #waiting: (() => void)[] = [];
  /** Files that are open, being opened or being closed: what the bound counts. */
  #slots = 0;

  /** @param beforeClose - called with a file that makes room for another, while it is still open */
  constructor(options: {
    readonly maxOpen: number;
    readonly beforeClose: (file: number, handle: FileHandle) => Promise<void>;
  }) {
    this.#maxOpen = options.maxOpen;
    this.#beforeClose = options.beforeClose;
  }

  /** Files open now. */
  get size(): number {
    return this.#slots;
  }

  /** Runs `work` with the open file; with `undefined` where `open` found none. */
  async use<Result>(
    file: number,
    open: OpenFile,
    work: (handle: FileHandle | undefined) => Promise<Result>,
  ): Promise<Result> {
    const entry = await this.#acquire(file, open);
    if (entry === undefined) return work(undefined);
    try {
      return await work(entry.handle);
    } finally {
      entry.users -= 1;
      if (entry.users === 0) {
        for (const wake of entry.waiting.splice(0)) wake();
        this.#wakeOne();
      }
    }
  }

  /** Closes a file if it is open, once nobody uses it. */
  async drop(file: number): Promise<void> {
    for (;;) {
      const entry = this.#entries.get(file);
      if (entry === undefined) {
        const opening = this.#opening.get(file);
        if (opening === undefined) return;
        await opening.catch(() => undefined); // whoever opens it learns why it failed
      } else if (entry.users > 0) {
        await new Promise<void>((resolve) => {
          entry.waiting.push(resolve);
        });
      } else {
        await this.#closeIdle(file, entry);
      }
    }
  }

  /** Closes every file. Nobody may be using one. */
  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#slots -= entries.length;
    for (const { handle } of entries) await handle.close();
  }

  async #acquire(file: number, open: OpenFile): Promise<Entry | undefined> {
    for (;;) {
      const held = this.#entries.get(file);
      if (held !== undefined) {
        this.#entries.delete(file);
        this.#entries.set(file, held);
        held.users += 1;
        return held;
      }
      const opening = this.#opening.get(file);
      if (opening !== undefined) {
        // It may fail, or be an open that makes no file: look again when it is done.
        await opening.catch(() => undefined);
        continue;
      }
      return this.#open(file, open);
    }
  }

  async #open(file: number, open: OpenFile): Promise<Entry | undefined> {
    const opened = (async (): Promise<Entry | undefined> => {
      await this.#takeSlot();
      try {
        const handle = await open(file);
        if (handle === undefined) {
          this.#freeSlot();
          return undefined;
        }
        const entry: Entry = { handle, users: 1, waiting: [] };
        this.#entries.set(file, entry);
        return entry;
      } catch (error) {
        this.#freeSlot();
        throw error;
      }
    })();
    this.#opening.set(file, opened);
    try {
      return await opened;
    } finally {
      this.#opening.delete(file);
    }
  }

  async #takeSlot(): Promise<void> {
    while (this.#slots >= this.#maxOpen) {
      const idle = this.#oldestIdle();
      if (idle === undefined) {
        await new Promise<void>((resolve) => {
          this.#waiting.push(resolve);
        });
        continue;
      }
      await this.#closeIdle(...idle);
    }
    this.#slots += 1;
  }

  async #closeIdle(file: number, { handle }: Entry): Promise<void> {
    this.#entries.delete(file);
    try {
      await this.#beforeClose(file, handle);
    } finally {
      try {
        await handle.close();
      } finally {
        this.#freeSlot();
      }
    }
  }

  #freeSlot(): void {
    this.#slots -= 1;
    this.#wakeOne();
  }

  #wakeOne(): void {
    this.#waiting.shift()?.();
  }

  #oldestIdle(): [number, Entry] | undefined {
    for (const item of this.#entries) if (item[1].users === 0) return item;
    return undefined;
  }
}
