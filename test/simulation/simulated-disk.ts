import { StorageError } from '@cairn/node-runtime/files';
import type { Clock, FileStore, KeyValueStore, KeyValueWrite, Rng } from '@cairn/primitives';
import { type Extent, Extents } from './extents.ts';
import type { KnownBytes } from './known-bytes.ts';
import { SortedMap } from './sorted-map.ts';

/** Time that a sync takes, at most. */
const MAX_SYNC_MS = 40;

interface FileWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly before: readonly Extent[];
}

/** What a process sees of a disk while it runs. */
export interface MountedDisk {
  readonly files: FileStore;
  readonly kv: KeyValueStore;
}

/**
 * A disk that outlives the processes that use it. What was not synced when a process ends is lost in
 * part: of file writes any stay, of the index's batches the first ones.
 */
export class SimulatedDisk {
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #known: Pick<KnownBytes, 'kept'>;
  #files = new Extents();
  #index = new SortedMap();
  /** Not synced yet, in order. */
  #fileWrites: FileWrite[] = [];
  /** How to take back each batch that is not synced, in order. */
  #batches: (readonly KeyValueWrite[])[] = [];
  /** Of the batch that is being synced: it is on the disk or not when the machine stops. */
  #inFlight: readonly KeyValueWrite[] | undefined;
  #running = new AbortController();
  /** Whether it takes no more bytes. */
  #isFull = false;

  constructor(deps: {
    readonly clock: Clock;
    readonly rng: Rng;
    readonly known: Pick<KnownBytes, 'kept'>;
  }) {
    this.#clock = deps.clock;
    this.#known = deps.known;
    this.#rng = deps.rng;
  }

  get sizeBytes(): number {
    return this.#files.sizeBytes + this.#index.sizeBytes;
  }

  /** Room that is left, as far as anybody asks. */
  get freeBytes(): number {
    return this.#isFull ? 0 : Number.MAX_SAFE_INTEGER;
  }

  /** From now on nothing more fits on it. */
  fill(): void {
    this.#isFull = true;
  }

  /** There is room again. */
  makeRoom(): void {
    this.#isFull = false;
  }

  /** The disk for a process that starts; the one before must have ended. */
  mount(): MountedDisk {
    this.#running = new AbortController();
    const { signal } = this.#running;
    return { files: this.#filesOf(signal), kv: this.#indexOf(signal) };
  }

  /** Ends the process: nothing it still tries has an effect, and what was not synced is in doubt. */
  crash(): void {
    this.#running.abort(new Error('the machine stopped'));
    for (const { offset, bytes, before } of this.#fileWrites.toReversed()) {
      this.#files.clear(offset, bytes.length);
      for (const extent of before) this.#files.put(extent.offset, extent.bytes);
    }
    for (const { offset, bytes } of this.#fileWrites.splice(0)) {
      if (this.#rng.below(2) === 0) continue;
      this.#files.put(offset, bytes.subarray(0, 1 + this.#rng.below(bytes.length)));
    }
    const lost = this.#rng.below(this.#batches.length + 1);
    for (const undo of this.#batches.slice(this.#batches.length - lost).toReversed()) {
      for (const change of undo) this.#index.apply(change);
    }
    this.#batches = [];
    if (this.#inFlight !== undefined && lost === 0 && this.#rng.below(2) === 0) {
      for (const change of this.#inFlight) this.#index.apply(change);
    }
    this.#inFlight = undefined;
  }

  /** Makes it a new, empty one, with room. */
  wipe(): void {
    this.#isFull = false;
    this.#files = new Extents();
    this.#index = new SortedMap();
  }

  /** Flips a bit of what is stored. @returns where; `undefined` if nothing is */
  rot(): number | undefined {
    const { all } = this.#files;
    const extent = all[this.#rng.below(Math.max(1, all.length))];
    if (extent === undefined) return undefined;
    const bytes = extent.bytes.slice();
    const at = this.#rng.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << this.#rng.below(8));
    this.#files.put(extent.offset, bytes);
    return extent.offset;
  }

  #filesOf(signal: AbortSignal): FileStore {
    return {
      read: async (offset, length) => {
        signal.throwIfAborted();
        return this.#files.read(offset, length);
      },
      readInto: async (offset, target) => {
        signal.throwIfAborted();
        this.#files.readInto(offset, target);
      },
      write: async (offset, bytes) => {
        signal.throwIfAborted();
        // What a full disk took of a write before it was full lies there.
        const taken = this.#isFull ? this.#rng.below(bytes.length) : bytes.length;
        const copy = this.#known.kept(bytes.subarray(0, taken));
        if (taken === 0) throw noRoom('segments', bytes.length);
        const before = this.#files.put(offset, copy);
        this.#fileWrites.push({ offset, bytes: copy, before });
        if (this.#isFull) throw noRoom('segments', bytes.length);
      },
      sync: async () => {
        signal.throwIfAborted();
        const covered = new Set(this.#fileWrites);
        await this.#clock.sleep(this.#rng.below(MAX_SYNC_MS), signal);
        this.#fileWrites = this.#fileWrites.filter((write) => !covered.has(write));
      },
      close: async () => undefined,
    };
  }

  #indexOf(signal: AbortSignal): KeyValueStore {
    let queue: Promise<void> = Promise.resolve();
    let waiting = 0;
    const write = async (batch: readonly KeyValueWrite[], isSynced: boolean): Promise<void> => {
      signal.throwIfAborted();
      if (isSynced) {
        this.#inFlight = batch;
        await this.#clock.sleep(this.#rng.below(MAX_SYNC_MS), signal);
        this.#inFlight = undefined;
      }
      if (this.#isFull) throw noRoom('index', batch.length);
      const undo = batch.map((change) => this.#index.apply(change)).reverse();
      if (isSynced) this.#batches = [];
      else this.#batches.push(undo);
    };
    const end = (): void => {
      waiting -= 1;
    };
    return {
      get: async (key) => {
        signal.throwIfAborted();
        return this.#index.get(key);
      },
      getMany: async (keys) => {
        signal.throwIfAborted();
        return keys.map((key) => this.#index.get(key));
      },
      write: (batch, options) => {
        const isSynced = options?.sync === true;
        if (waiting === 0 && !isSynced) return write(batch, false);
        // One after another, as an index with one log does.
        waiting += 1;
        const written = queue.then(() => write(batch, isSynced));
        queue = written.then(end, end);
        return written;
      },
      entries: (range, { signal: reader }) => this.#entries(range, [signal, reader]),
    };
  }

  /** Without a generator: each of its items would take three turns of the queue of promises. */
  #entries(
    range: Parameters<KeyValueStore['entries']>[0],
    signals: readonly AbortSignal[],
  ): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    const index = this.#index;
    const begin = (): AsyncIterator<readonly [Uint8Array, Uint8Array]> => {
      let entries: readonly [Uint8Array, Uint8Array][] | undefined;
      let at = 0;
      const next = async (): Promise<IteratorResult<readonly [Uint8Array, Uint8Array]>> => {
        entries ??= index.entries(range);
        const value = entries[at];
        if (value === undefined) return { done: true, value: undefined };
        for (const signal of signals) signal.throwIfAborted();
        at += 1;
        return { done: false, value };
      };
      return { next };
    };
    return { [Symbol.asyncIterator]: begin };
  }
}

function noRoom(path: string, neededBytes: number): StorageError {
  const facts = { code: 'DISK_FULL', path, neededBytes, freeBytes: 0 } as const;
  return new StorageError(facts, `no room for ${neededBytes} bytes in ${path}, 0 are free`);
}
