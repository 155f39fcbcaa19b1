import { BatchBuilder, parseStreamId, type StreamId } from '@cairn/kv-layer';
import { isFault, retry, toHex } from '@cairn/primitives';
import { SdkError } from '../errors.ts';
import { keyBytes, valueBytes } from './kv-bytes.ts';
import { KvLane, type KvLaneDeps } from './kv-lane.ts';
import type {
  KvBytes,
  KvCall,
  KvClient,
  KvCommit,
  KvSnapshot,
  KvStream,
  KvUpdate,
  KvUpdateOptions,
  KvWriteOptions,
} from './kv-options.ts';
import { KvReader, type KvReaderDeps } from './kv-reader.ts';
import { NetworkStream } from './network-stream.ts';

/** Tries of an update in all, unless told. */
const UPDATE_TRIES = 8;
/** Pause after the first conflict; it doubles. */
const CONFLICT_MS = 50;

/** Keys and values over nodes that answer `kv_*` calls, and files that carry what is written. */
export class NetworkKv implements KvClient {
  readonly #deps: KvLaneDeps;
  readonly #reader: KvReader;
  readonly #lane: KvLane;

  constructor(deps: KvLaneDeps & KvReaderDeps) {
    this.#deps = deps;
    this.#reader = new KvReader(deps);
    this.#lane = new KvLane(deps);
  }

  stream(id: string, { encryption }: KvWriteOptions = {}): KvStream {
    const deps = { reader: this.#reader, lane: this.#lane, encryption };
    return new NetworkStream(parseStreamId(id), deps);
  }

  async update(
    change: (update: KvUpdate) => void | Promise<void>,
    {
      signal = new AbortController().signal,
      tries = UPDATE_TRIES,
      encryption,
    }: KvUpdateOptions & KvWriteOptions = {},
  ): Promise<KvCommit> {
    const attempt = async (): Promise<KvCommit> => {
      const version = Math.max(0, (await this.nextSequence({ signal })) - 1);
      const update = new PinnedUpdate(version, this.#reader, signal);
      await change(update);
      if (update.batch.isEmpty) {
        throw new SdkError({ code: 'SDK_OPTION', option: 'change' }, 'the update changed nothing');
      }
      return this.#lane.writeAlone(update.batch, signal, encryption);
    };
    const isRetryable = (error: unknown): boolean => isFault(error, 'SDK_KV_CONFLICT');
    const { clock } = this.#deps;
    return retry(attempt, { clock, signal, attempts: tries, delayMs: CONFLICT_MS, isRetryable });
  }

  async batch(
    build: (batch: BatchBuilder) => void,
    { signal = new AbortController().signal, encryption }: KvCall & KvWriteOptions = {},
  ): Promise<KvCommit> {
    const batch = new BatchBuilder();
    build(batch);
    return this.#lane.writeAlone(batch, signal, encryption);
  }

  nextSequence({ signal = new AbortController().signal }: KvCall = {}): Promise<number> {
    return this.#deps.node.nextSequence({ signal });
  }

  snapshot({ signal = new AbortController().signal }: KvCall = {}): Promise<KvSnapshot> {
    return this.#reader.snapshot(signal);
  }

  streams({ signal = new AbortController().signal }: KvCall = {}): Promise<readonly StreamId[]> {
    return this.#deps.node.streams({ signal });
  }

  close(): void {
    this.#lane.close();
  }
}

/** Reads pinned to one version; what is read is guarded, what is put is read back. */
class PinnedUpdate implements KvUpdate {
  readonly version: number;
  readonly batch: BatchBuilder;
  readonly #reader: KvReader;
  readonly #signal: AbortSignal;
  readonly #put = new Map<string, Uint8Array | undefined>();

  constructor(version: number, reader: KvReader, signal: AbortSignal) {
    this.version = version;
    this.batch = new BatchBuilder(BigInt(version));
    this.#reader = reader;
    this.#signal = signal;
  }

  async get(stream: StreamId, key: KvBytes): Promise<Uint8Array | undefined> {
    const bytes = keyBytes(key);
    const name = stream + toHex(bytes);
    if (this.#put.has(name)) return this.#put.get(name);
    const { version } = this;
    const found = await this.#reader.value(stream, bytes, { version, signal: this.#signal });
    this.batch.read(stream, bytes);
    return found?.value;
  }

  put(stream: StreamId, key: KvBytes, value: KvBytes): void {
    const bytes = keyBytes(key);
    const data = valueBytes(value);
    this.batch.put(stream, bytes, data);
    this.#put.set(stream + toHex(bytes), data);
  }

  delete(stream: StreamId, key: KvBytes): void {
    const bytes = keyBytes(key);
    this.batch.delete(stream, bytes);
    this.#put.set(stream + toHex(bytes), undefined);
  }
}
