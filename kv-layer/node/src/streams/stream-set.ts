import { parseStreamId, parseTags, type StreamId, type StreamState } from '@cairn/kv-layer';
import type { LogStore } from '@cairn/log-layer';
import { readFileIfPresent, writeFileAtomic } from '@cairn/node-runtime/files';
import {
  isRecord,
  type KeyValueStore,
  parseJson,
  type Sequence,
  sequenceOf,
  stringifyJson,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { KvNodeError } from '../errors.ts';
import { STREAMS_KEY } from '../keyspace.ts';

/** Log entries looked at between two notes of how far that was. */
const LOOKED_TOGETHER = 10_000;

/** Which streams a node may watch. */
export interface StreamSetOptions {
  /** Those of the configuration. */
  readonly configured: readonly StreamId[];
  readonly limit: number;
  /** A file beside the store: what was added cannot be found again, so it outlives a damaged index. */
  readonly copy: string;
}

/**
 * The streams a node wants to watch: those of its configuration, those that were added while it
 * ran, and those that it found in the log. A stream that was added stays when it leaves the
 * configuration.
 */
export class StreamSet {
  readonly #kv: KeyValueStore;
  readonly #limit: number;
  readonly #copy: string;
  readonly #wanted: Set<StreamId>;
  #looked: Sequence;
  #isFull = false;

  private constructor(
    kv: KeyValueStore,
    { limit, copy }: Omit<StreamSetOptions, 'configured'>,
    { wanted, looked }: { readonly wanted: Set<StreamId>; readonly looked: Sequence },
  ) {
    this.#kv = kv;
    this.#limit = limit;
    this.#copy = copy;
    this.#wanted = wanted;
    this.#looked = looked;
  }

  /** @throws what the store throws */
  static async open(
    kv: KeyValueStore,
    { configured, ...options }: StreamSetOptions,
  ): Promise<StreamSet> {
    const stored = await kv.get(STREAMS_KEY);
    const copied = await readFileIfPresent(options.copy);
    if (stored !== undefined && copied === undefined) await writeFileAtomic(options.copy, stored);
    const known = stored ?? copied;
    const record = known === undefined ? NOTHING : parseRecord(utf8Text(known));
    const { added, looked } = stored === undefined ? { ...record, looked: NOTHING.looked } : record;
    return new StreamSet(kv, options, { wanted: new Set([...configured, ...added]), looked });
  }

  /** Every stream to watch. */
  get wanted(): readonly StreamId[] {
    return [...this.#wanted];
  }

  /** Whether the log names streams beyond the limit. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /**
   * Wants one more stream; survives a crash once this resolves.
   *
   * @returns whether it is new
   * @throws {KvNodeError} KV_STREAM_REFUSED beyond the limit
   */
  async add(stream: StreamId): Promise<boolean> {
    if (this.#wanted.has(stream)) return false;
    if (this.#wanted.size >= this.#limit) {
      throw new KvNodeError(
        { code: 'KV_STREAM_REFUSED', reason: 'limit' },
        `${this.#wanted.size} streams are watched, which is the most allowed`,
      );
    }
    this.#wanted.add(stream);
    await this.#write();
    return true;
  }

  /**
   * Wants the streams that the log names, from where the last look ended.
   *
   * @returns whether there were new ones
   */
  async discover(log: LogStore, signal: AbortSignal): Promise<boolean> {
    const before = this.#wanted.size;
    this.#looked = sequenceOf(Math.min(this.#looked, log.nextSequence));
    const began = this.#looked;
    while (this.#looked < log.nextSequence) {
      signal.throwIfAborted();
      const entry = await log.entryAt(this.#looked);
      if (entry === undefined) break; // taken back meanwhile
      for (const stream of parseTags(entry.tags) ?? []) this.#want(stream);
      this.#looked = sequenceOf(this.#looked + 1);
      if (this.#looked % LOOKED_TOGETHER === 0) await this.#write();
    }
    const isGrown = this.#wanted.size > before;
    if (isGrown || this.#looked - began >= LOOKED_TOGETHER) await this.#write();
    return isGrown;
  }

  /** Whether tags name a stream that a state does not watch yet and that is, or will be, wanted. */
  isComing(tags: Uint8Array, state: Pick<StreamState, 'isWatched'>): boolean {
    const streams = parseTags(tags) ?? [];
    const isFull = this.#wanted.size >= this.#limit;
    const isUnwatched = streams.some((stream) => !state.isWatched(stream));
    return isUnwatched && streams.every((stream) => this.#wanted.has(stream) || !isFull);
  }

  #want(stream: StreamId): void {
    if (this.#wanted.has(stream)) return;
    if (this.#wanted.size >= this.#limit) this.#isFull = true;
    else this.#wanted.add(stream);
  }

  async #write(): Promise<void> {
    const text = stringifyJson({ added: this.wanted, looked: this.#looked });
    await writeFileAtomic(this.#copy, text);
    await this.#kv.write([{ type: 'put', key: STREAMS_KEY, value: utf8Bytes(text) }], {
      sync: true,
    });
  }
}

const NOTHING = { added: [], looked: sequenceOf(0) };

/** What this module wrote; anything else, as of a copy that somebody changed, counts as nothing. */
function parseRecord(text: string): { added: readonly StreamId[]; looked: Sequence } {
  let value: unknown;
  let added: readonly StreamId[];
  try {
    value = parseJson(text);
    if (!isRecord(value) || !Array.isArray(value['added'])) return NOTHING;
    added = value['added'].map((stream) => parseStreamId(String(stream)));
  } catch {
    return NOTHING; // no JSON, or no streams
  }
  const looked = value['looked'];
  const isNatural = typeof looked === 'number' && Number.isSafeInteger(looked) && looked >= 0;
  return { added, looked: sequenceOf(isNatural ? looked : 0) };
}
