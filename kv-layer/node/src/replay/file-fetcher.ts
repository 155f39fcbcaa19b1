import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, downloadToPath, type FileReference } from '@cairn/client-sdk';
import { type BatchSource, fileBatchSource } from '@cairn/kv-layer';
import type { LogEntry } from '@cairn/log-layer';
import { type Clock, describeError, type Logger, LruCache, type Root } from '@cairn/primitives';
import { KvNodeError } from '../errors.ts';
import {
  decryptedBatch,
  decryptedBytes,
  HEAD_BYTES,
  isMaybeEncrypted,
  type KeyRings,
  keysFor,
  refusedBatch,
} from './open-batch.ts';

/** What fetching works with. */
export interface FileFetcherDeps {
  readonly files: Pick<Client['files'], 'open'>;
  /** Bytes that can still be written where the data lies; `undefined` if nobody knows. */
  readonly freeBytes: () => Promise<number | undefined>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each file that came, and of each try that failed. */
  readonly onFetched?: (sizeBytes: number) => void;
  readonly onFailed?: () => void;
}

/** How files are fetched. */
export interface FileFetcherOptions {
  /** Larger files pass through a file below `spoolDirectory`. */
  readonly memoryFileBytes: number;
  readonly spoolDirectory: string;
  /** Memory for files fetched lately. */
  readonly cacheBytes: number;
  /** Free space that large files leave. */
  readonly reserveBytes: number;
  /** Keys of streams whose batches are encrypted. */
  readonly rings?: KeyRings;
}

/** A file that is being fetched. */
export interface FetchedFile {
  readonly entry: LogEntry;
  /** `undefined` until it is there. */
  readonly source: BatchSource | undefined;
  /** Why the last try failed; `undefined` before one did. */
  readonly reason: string | undefined;
  readonly tries: number;
  /** Resolves when the file is there; rejects when fetching was stopped. */
  readonly arrived: Promise<void>;
  /** Stops fetching and gives back what the file took; the memory of a small one stays for a while. */
  release(): Promise<void>;
}

/** Waits between tries: a file that was just announced is on its way, one that is gone is not. */
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 3000;
const WAIT_FACTOR = 1.6;
/** Segments fetched ahead of a small file's reader, and of a large one's. */
const FEW_SEGMENTS = 4;
const MANY_SEGMENTS = 16;
/** Files from this size on are looked into before the rest is fetched. */
const HEAD_FIRST_BYTES = 1024 ** 2;

/**
 * Fetches files of log entries from storage nodes, proven against their roots, until they are
 * there. An entry is asked for by its place in the log and then by its root alone: identical bytes
 * that were stored again are one file, and a node may keep them under the other place only.
 */
export class FileFetcher {
  readonly #deps: FileFetcherDeps;
  readonly #options: FileFetcherOptions;
  /** The zero-free part of files by root: what the root proves. */
  readonly #lately: LruCache<Root, Uint8Array>;

  private constructor(deps: FileFetcherDeps, options: FileFetcherOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#lately = new LruCache({ maxWeight: options.cacheBytes, weigh: (bytes) => bytes.length });
  }

  /** Makes the spool directory and removes what an earlier run left whole in it. */
  static async open(deps: FileFetcherDeps, options: FileFetcherOptions): Promise<FileFetcher> {
    const { spoolDirectory } = options;
    await mkdir(spoolDirectory, { recursive: true });
    for (const name of await readdir(spoolDirectory)) {
      // Parts say how much of them is proven; a whole file does not.
      if (!name.includes('.part')) await rm(join(spoolDirectory, name), { force: true });
    }
    return new FileFetcher(deps, options);
  }

  /** Begins to fetch an entry's file; goes on until it is there, or is released. */
  fetch(entry: LogEntry): FetchedFile {
    return new RunningFetch(
      entry,
      (attempt, signal) => this.#attempt(entry, attempt, signal),
      this.#deps,
    );
  }

  /** Tries once. @throws what keeps the file from being there */
  async fetchOnce(entry: LogEntry, signal: AbortSignal): Promise<void> {
    const arrived = await this.#attempt(entry, 1, signal);
    await arrived.release();
  }

  async #attempt(entry: LogEntry, attempt: number, signal: AbortSignal): Promise<Arrived> {
    const { root, sequence, sizeBytes } = entry;
    const known = this.#lately.get(root);
    if (known !== undefined) return this.#inMemory(known, entry, signal);
    const reference: FileReference = attempt % 2 === 0 ? { root, sequence } : { root };
    const refused = await this.#refusedEarly(entry, reference, signal);
    if (refused !== undefined) return { source: refused, release: async () => undefined };
    const arrived =
      sizeBytes <= this.#options.memoryFileBytes
        ? await this.#toMemory(entry, reference, signal)
        : await this.#toDisk(entry, reference, signal);
    this.#deps.onFetched?.(sizeBytes);
    return arrived;
  }

  /** The result of a large file whose first segment shows that nobody can read it. */
  async #refusedEarly(
    entry: LogEntry,
    reference: FileReference,
    signal: AbortSignal,
  ): Promise<BatchSource | undefined> {
    const { sizeBytes } = entry;
    if (sizeBytes < HEAD_FIRST_BYTES) return undefined;
    const opened = await this.#deps.files.open(reference, { signal, parallel: 1 });
    const length = Math.min(HEAD_BYTES, opened.sizeBytes);
    const head = await opened.read(0, length, { signal });
    if (isMaybeEncrypted(head, keysFor(entry, this.#rings))) return undefined;
    const refused = refusedBatch(head, sizeBytes);
    if (refused !== undefined) this.#deps.onFetched?.(length);
    return refused;
  }

  async #inMemory(bytes: Uint8Array, entry: LogEntry, signal: AbortSignal): Promise<Arrived> {
    const keys = keysFor(entry, this.#rings);
    const file = inMemory(bytes, entry.sizeBytes);
    if (!isMaybeEncrypted(bytes, keys)) return file;
    const whole = file.source.bytes ?? bytes;
    const source = await decryptedBytes(whole, keys, { signal });
    return source === undefined ? file : { ...file, source };
  }

  get #rings(): KeyRings {
    return this.#options.rings ?? NO_RINGS;
  }

  async #toMemory(
    entry: LogEntry,
    reference: FileReference,
    signal: AbortSignal,
  ): Promise<Arrived> {
    const { root, sizeBytes } = entry;
    const { files } = this.#deps;
    const opened = await files.open(reference, { signal, parallel: FEW_SEGMENTS });
    // The same root may be in the log with other counts of trailing zeros: they are not fetched.
    const length = Math.min(opened.sizeBytes, sizeBytes);
    const bytes = await opened.read(0, length, { signal });
    this.#lately.set(root, bytes);
    return this.#inMemory(bytes, entry, signal);
  }

  async #toDisk(entry: LogEntry, reference: FileReference, signal: AbortSignal): Promise<Arrived> {
    const { root, sequence, sizeBytes } = entry;
    const { spoolDirectory, reserveBytes } = this.#options;
    const neededBytes = sizeBytes + reserveBytes;
    const freeBytes = await this.#deps.freeBytes();
    if (freeBytes !== undefined && freeBytes < neededBytes) {
      throw new KvNodeError(
        { code: 'KV_NO_ROOM', sequence, neededBytes, freeBytes },
        `the file of entry ${sequence} needs ${sizeBytes} bytes on the disk and ${reserveBytes} are kept free; ${freeBytes} are`,
      );
    }
    const path = join(spoolDirectory, `${root}-${sequence}`);
    await downloadToPath(this.#deps.files, reference, path, {
      signal,
      parallel: MANY_SEGMENTS,
      overwrite: true,
    });
    const handle = await open(path, 'r');
    const source = fileBatchSource(sizeBytes, async (offset, length) => {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
        if (bytesRead === 0) break; // the rest is zeros, as the root says
        at += bytesRead;
      }
      return bytes;
    });
    const release = async (): Promise<void> => {
      await handle.close();
      await rm(path, { force: true });
    };
    try {
      const keys = keysFor(entry, this.#rings);
      if (!isMaybeEncrypted(await source.read(0, 1, { signal }), keys)) return { source, release };
      const stored = { sizeBytes, read: source.read, stream: notStreamed };
      return { source: (await decryptedBatch(stored, keys, { signal })) ?? source, release };
    } catch (error) {
      await release();
      throw error;
    }
  }
}

const NO_RINGS: KeyRings = new Map();

/** A batch is read in places, never as a whole. */
function notStreamed(): never {
  throw new Error('a spooled file is not streamed');
}

/** A file that is there. */
interface Arrived {
  readonly source: BatchSource;
  readonly release: () => Promise<void>;
}

function inMemory(bytes: Uint8Array, sizeBytes: number): Arrived {
  const whole = sizeBytes === bytes.length ? bytes : new Uint8Array(sizeBytes);
  if (whole !== bytes) whole.set(bytes.subarray(0, sizeBytes));
  const read = async (offset: number, length: number): Promise<Uint8Array> =>
    whole.subarray(offset, offset + length);
  return { source: fileBatchSource(sizeBytes, read, whole), release: async () => undefined };
}

class RunningFetch implements FetchedFile {
  readonly entry: LogEntry;
  readonly arrived: Promise<void>;
  reason: string | undefined;
  tries = 0;
  readonly #stop = new AbortController();
  #file: Arrived | undefined;

  constructor(
    entry: LogEntry,
    attempt: (count: number, signal: AbortSignal) => Promise<Arrived>,
    deps: Pick<FileFetcherDeps, 'clock' | 'logger' | 'onFailed'>,
  ) {
    this.entry = entry;
    this.arrived = this.#run(attempt, deps);
    this.arrived.catch(() => undefined); // whoever waits for it is told; others released it
  }

  get source(): BatchSource | undefined {
    return this.#file?.source;
  }

  async release(): Promise<void> {
    this.#stop.abort(new Error('the file is not needed any more'));
    await this.arrived.catch(() => undefined);
    await this.#file?.release();
    this.#file = undefined;
  }

  async #run(
    attempt: (count: number, signal: AbortSignal) => Promise<Arrived>,
    { clock, logger, onFailed }: Pick<FileFetcherDeps, 'clock' | 'logger' | 'onFailed'>,
  ): Promise<void> {
    const { signal } = this.#stop;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * WAIT_FACTOR, LONGEST_WAIT_MS)) {
      try {
        this.#file = await attempt(this.tries, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        this.tries += 1;
        this.reason = describeError(error).slice(0, 300);
        onFailed?.();
        const { sequence, root } = this.entry;
        logger.debug(
          { sequence, root, tries: this.tries, reason: this.reason },
          'a file is not there yet',
        );
      }
      await clock.sleep(waitMs, signal);
    }
  }
}
