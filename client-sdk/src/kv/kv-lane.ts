import { BatchBuilder, type StreamId } from '@cairn/kv-layer';
import {
  type Clock,
  isFault,
  MAX_BATCH_ITEMS,
  QueueFullError,
  type Rng,
  Semaphore,
  type Sequence,
  toHex,
} from '@cairn/primitives';
import type { FilesClient } from '../client.ts';
import type { Encryption } from '../encryption/keys.ts';
import { SdkError } from '../errors.ts';
import { decideEntry } from './decide-entry.ts';
import type { KvNodeClient } from './kv-node-client.ts';
import type { KvCommit } from './kv-options.ts';

/** What a lane works with. */
export interface KvLaneDeps {
  readonly files: Pick<FilesClient, 'put'>;
  readonly node: KvNodeClient;
  readonly clock: Clock;
  readonly rng: Rng;
}

/** Something that is to be written, on its way into a batch. */
interface Change {
  readonly stream: StreamId;
  /** Bytes it takes of a batch. */
  readonly bytes: number;
  readonly add: (batch: BatchBuilder) => void;
  /** How the batch is encrypted; changes that differ in it share none. */
  readonly encryption: Encryption | undefined;
  readonly resolve: (commit: KvCommit) => void;
  readonly reject: (error: unknown) => void;
}

/** The first write of a quiet moment waits so long for company. */
const GATHER_MS = 5;
/** Bytes of one batch, unless one change alone has more. */
const MAX_BATCH_BYTES = 8 * 1024 ** 2;
/** Changes that wait, at most, and their bytes. */
const MAX_WAITING = 4 * MAX_BATCH_ITEMS;
const MAX_WAITING_BYTES = 128 * 1024 ** 2;
/** Entries that are stored and wait for their result. */
const MAX_UNDECIDED = 16;

/**
 * Writes in one lane: one log entry after another is paid for and stored, so that no two use one
 * nonce, and what is asked for meanwhile shares the next entry of its stream. Nothing resolves
 * before a node has decided it.
 *
 * Where a node refuses an entry of several changes, each half is written again by itself, so that
 * nobody's write fails for another's.
 */
export class KvLane {
  readonly #deps: KvLaneDeps;
  /** By stream, in the order in which their first change came. */
  readonly #waiting = new Map<StreamId, Change[]>();
  readonly #undecided = new Semaphore({ limit: MAX_UNDECIDED, maxWaiting: MAX_WAITING });
  readonly #closing = new AbortController();
  #waitingChanges = 0;
  #waitingBytes = 0;
  #storing: Promise<unknown> = Promise.resolve();
  #isRunning = false;

  constructor(deps: KvLaneDeps) {
    this.#deps = deps;
  }

  /**
   * Writes without looking at what is there, with whatever else waits for its stream.
   *
   * @param bytes - of key and value, about
   * @throws {QueueFullError}; {SdkError} SDK_KV_REFUSED, SDK_KV_UNDECIDED, SDK_KV_NOT_WATCHED,
   * SDK_KV_NODE; as `files.put`; the signal's reason, which takes nothing back that is on its way
   */
  write(
    stream: StreamId,
    { bytes, add, encryption }: Pick<Change, 'bytes' | 'add'> & Partial<Pick<Change, 'encryption'>>,
    signal: AbortSignal,
  ): Promise<KvCommit> {
    signal.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    if (
      this.#waitingChanges >= MAX_WAITING ||
      (this.#waitingChanges > 0 && this.#waitingBytes + bytes > MAX_WAITING_BYTES)
    ) {
      throw new QueueFullError(
        { code: 'QUEUE_FULL', running: 1, waiting: this.#waitingChanges },
        `${this.#waitingChanges} changes of ${this.#waitingBytes} bytes wait to be written; ${MAX_WAITING} changes and ${MAX_WAITING_BYTES} bytes are the most`,
      );
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#forget(change);
        reject(signal.reason);
      };
      const change: Change = {
        stream,
        bytes,
        add,
        encryption,
        resolve: (commit) => {
          signal.removeEventListener('abort', onAbort);
          resolve(commit);
        },
        reject: (error) => {
          signal.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const others = this.#waiting.get(stream);
      if (others === undefined) this.#waiting.set(stream, [change]);
      else others.push(change);
      this.#waitingChanges += 1;
      this.#waitingBytes += bytes;
      void this.#run();
    });
  }

  /** Writes a batch by itself, after those that are being stored. @throws as `write`, SDK_KV_CONFLICT */
  async writeAlone(
    batch: BatchBuilder,
    signal: AbortSignal,
    encryption?: Encryption,
  ): Promise<KvCommit> {
    const both = AbortSignal.any([signal, this.#closing.signal]);
    const stored = this.#storing.then(() => this.#store(batch, both, encryption));
    this.#storing = stored.catch(() => undefined);
    const { sequence, writes } = await stored;
    await decideEntry(sequence, { ...this.#deps, signal: both });
    return { sequence, writes };
  }

  /** Refuses what waits and ends the waits for results; what is stored stays stored. */
  close(): void {
    const error = new SdkError({ code: 'SDK_CLOSED' }, 'the client was closed');
    this.#closing.abort(error);
    for (const changes of this.#waiting.values()) for (const one of changes) one.reject(error);
    this.#waiting.clear();
    this.#waitingChanges = 0;
    this.#waitingBytes = 0;
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const { signal } = this.#closing;
    try {
      await this.#deps.clock.sleep(GATHER_MS, signal);
      for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
        await this.#writeTogether(batch);
      }
    } catch {
      // Closed: whoever waited was told.
    } finally {
      this.#isRunning = false;
    }
    if (this.#waitingChanges > 0 && !signal.aborted) void this.#run();
  }

  /** Changes of the stream that has waited longest, as many as fit one batch. */
  #take(): readonly Change[] {
    const [first] = this.#waiting;
    if (first === undefined) return [];
    const [stream, changes] = first;
    let bytes = 0;
    let count = 0;
    for (const change of changes) {
      if (count === MAX_BATCH_ITEMS || change.encryption !== changes[0]?.encryption) break;
      if (count > 0 && bytes + change.bytes > MAX_BATCH_BYTES) break;
      bytes += change.bytes;
      count += 1;
    }
    this.#waiting.delete(stream);
    // What is left takes its turn behind other streams.
    if (count < changes.length) this.#waiting.set(stream, changes.slice(count));
    this.#waitingChanges -= count;
    this.#waitingBytes -= bytes;
    return changes.slice(0, count);
  }

  /** Resolves when the entry is stored; its changes resolve when it is decided. */
  async #writeTogether(changes: readonly Change[]): Promise<void> {
    const { signal } = this.#closing;
    const batch = new BatchBuilder();
    const added: Change[] = [];
    for (const change of changes) {
      try {
        change.add(batch);
        added.push(change);
      } catch (error) {
        change.reject(error);
      }
    }
    if (added.length === 0) return;
    const encryption = added[0]?.encryption;
    const stored = this.#storing.then(() => this.#store(batch, signal, encryption));
    this.#storing = stored.catch(() => undefined);
    try {
      const entry = await stored;
      // Beyond its bound this waits, so that no more is stored than is decided.
      const { promise: begun, resolve: begin } = deferred();
      void this.#undecided
        .run(() => {
          begin();
          return this.#settle(added, entry);
        }, signal)
        .catch((error: unknown) => rejectAll(added, error))
        .finally(begin);
      await begun;
    } catch (error) {
      rejectAll(added, error);
    }
  }

  async #settle(
    changes: readonly Change[],
    { sequence, writes }: { readonly sequence: Sequence; readonly writes: number },
  ): Promise<void> {
    const { signal } = this.#closing;
    try {
      await decideEntry(sequence, { ...this.#deps, signal });
    } catch (error) {
      if (changes.length === 1 || !isFault(error, 'SDK_KV_REFUSED')) {
        rejectAll(changes, error);
        return;
      }
      const middle = changes.length >> 1;
      await this.#writeTogether(changes.slice(0, middle));
      await this.#writeTogether(changes.slice(middle));
      return;
    }
    for (const change of changes) change.resolve({ sequence, writes });
  }

  async #store(
    batch: BatchBuilder,
    signal: AbortSignal,
    encryption: Encryption | undefined,
  ): Promise<{ readonly sequence: Sequence; readonly writes: number }> {
    const { bytes, tags, batch: built } = batch.build();
    const id = toHex(this.#deps.rng.fill(new Uint8Array(16)));
    // The same bytes again are another write: under a name of its own the entry is paid for anew.
    const { sequence } = await this.#deps.files.put(bytes, {
      tags,
      resubmit: id,
      signal,
      ...(encryption === undefined ? {} : { encryption }),
    });
    return { sequence, writes: built.writes.length + built.controls.length };
  }

  #forget(change: Change): void {
    const changes = this.#waiting.get(change.stream);
    const at = changes?.indexOf(change) ?? -1;
    if (changes === undefined || at < 0) return; // on its way
    changes.splice(at, 1);
    if (changes.length === 0) this.#waiting.delete(change.stream);
    this.#waitingChanges -= 1;
    this.#waitingBytes -= change.bytes;
  }
}

function rejectAll(changes: readonly Change[], error: unknown): void {
  for (const change of changes) change.reject(error);
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
