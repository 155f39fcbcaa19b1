import type { KeyEvidence, RangeEvidence, StreamId } from '@cairn/kv-layer';
import { type Clock, compareBytes, sequenceOf } from '@cairn/primitives';
import { SdkError } from '../errors.ts';
import { KvFeed } from './kv-feed.ts';
import { KvListing } from './kv-listing.ts';
import type { KvNodeClient } from './kv-node-client.ts';
import type { KvEntry, KvRange, KvReadOptions, KvSnapshot, KvValue } from './kv-options.ts';
import { openSnapshot } from './kv-snapshot.ts';
import type { ProvenReads } from './proven-reads.ts';

/** What reading works with. */
export interface KvReaderDeps {
  readonly node: KvNodeClient;
  readonly clock: Clock;
  /** `undefined`: nodes are believed. */
  readonly proven?: ProvenReads | undefined;
}

/** Where a range of keys begins and ends; `undefined`: where the stream does. */
export interface KeyBounds {
  readonly from: Uint8Array | undefined;
  readonly to: Uint8Array | undefined;
}

/** How long an entry is waited for, and the pauses between looks. */
const MAX_WAIT_MS = 10_000;
const POLL_MS = 50;

/** Reads with proof where that is asked for, and as official nodes answer too where it is not. */
export class KvReader {
  readonly node: KvNodeClient;
  readonly feed: KvFeed;
  readonly listing: KvListing;
  readonly #deps: KvReaderDeps;

  constructor(deps: KvReaderDeps) {
    this.node = deps.node;
    this.feed = new KvFeed(deps);
    this.listing = new KvListing(deps.node);
    this.#deps = deps;
  }

  /** A value. @throws as `KvStream.get` */
  async value(
    stream: StreamId,
    key: Uint8Array,
    options: KvReadOptions,
  ): Promise<KvValue | undefined> {
    const { version, minSequence, signal = new AbortController().signal } = options;
    const proven = this.#provenFor(options);
    if (proven !== undefined) return proven.value(stream, key, { version, minSequence, signal });
    await this.#awaited(minSequence, signal);
    return this.node.value(stream, key, { version, signal });
  }

  /** Values of many keys at one version. @throws as `KvStream.getMany` */
  async values(
    stream: StreamId,
    keys: readonly Uint8Array[],
    options: KvReadOptions,
  ): Promise<readonly (KvValue | undefined)[]> {
    const { version, minSequence, signal = new AbortController().signal } = options;
    const proven = this.#provenFor(options);
    if (proven === undefined) return this.listing.values(stream, keys, options);
    return proven.values(stream, keys, { version, minSequence, signal });
  }

  /** A value with what proves it. @throws as `KvStream.prove` */
  async evidence(
    stream: StreamId,
    key: Uint8Array,
    { version, minSequence, signal = new AbortController().signal }: KvReadOptions,
  ): Promise<KeyEvidence> {
    const question = { version, minSequence, signal };
    return (await this.#requireProven().evidence(stream, key, question)).evidence;
  }

  /** A range of keys with what proves that there are no others. @throws as `KvStream.proveRange` */
  async rangeEvidence(
    stream: StreamId,
    { version, minSequence, signal = new AbortController().signal }: KvReadOptions,
    bounds: KeyBounds,
  ): Promise<RangeEvidence> {
    return this.#requireProven().range(stream, bounds, { version, minSequence, signal });
  }

  /** Keys and values in order. @throws as `KvStream.scan` */
  async *scan(
    stream: StreamId,
    range: KvRange,
    { from, to }: KeyBounds,
  ): AsyncGenerator<KvEntry, void, void> {
    const { node } = this;
    const { reverse = false, keysOnly = false, limit = Number.POSITIVE_INFINITY } = range;
    const { minSequence, signal = new AbortController().signal } = range;
    const proven = this.#provenFor(range);
    if (proven !== undefined) {
      const { version } = range;
      const scan = { from, to, reverse, keysOnly, limit, version, minSequence, signal };
      yield* proven.scan(stream, scan);
      return;
    }
    await this.#awaited(minSequence, signal);
    const version = range.version ?? (await node.nextSequence({ signal })) - 1;
    if (version < 0) return; // nothing is decided yet
    const isInside = (key: Uint8Array): boolean =>
      reverse
        ? from === undefined || compareBytes(key, from) >= 0
        : to === undefined || compareBytes(key, to) < 0;
    let key = reverse ? to : from;
    let isInclusive = !reverse; // the key behind the last one is not in the range
    for (let count = 0; count < limit; count += 1) {
      const direction = reverse ? 'prev' : 'next';
      const options = { isInclusive, keysOnly, signal, version };
      const found = await node.neighbour(stream, key, direction, options);
      if (found === undefined || !isInside(found.key)) return;
      const value = keysOnly
        ? new Uint8Array(0)
        : await node.rest(stream, found.key, found, { signal });
      yield { key: found.key, value, version: found.version };
      ({ key } = found);
      isInclusive = false;
    }
  }

  /** The newest state as a file. @throws as `KvClient.snapshot` */
  async snapshot(signal: AbortSignal): Promise<KvSnapshot> {
    return openSnapshot({ node: this.node, roots: this.#requireProven().roots }, signal);
  }

  #provenFor({ proof }: Pick<KvReadOptions, 'proof'>): ProvenReads | undefined {
    if (proof === true) return this.#requireProven();
    return proof === false ? undefined : this.#deps.proven;
  }

  #requireProven(): ProvenReads {
    const { proven } = this.#deps;
    if (proven !== undefined) return proven;
    throw new SdkError(
      { code: 'SDK_OPTION', option: 'kvAttest' },
      'proof was asked for, but the client was made without kvAttest: nobody is named whose word about roots counts',
    );
  }

  /** Until an entry is decided. @throws {SdkError} SDK_KV_UNDECIDED */
  async #awaited(sequence: number | undefined, signal: AbortSignal): Promise<void> {
    if (sequence === undefined) return;
    const { clock } = this.#deps;
    const beganMs = clock.monotonic();
    for (;;) {
      const nextSequence = await this.node.nextSequence({ signal });
      if (nextSequence > sequence) return;
      const waitedMs = Math.round(clock.monotonic() - beganMs);
      if (waitedMs >= MAX_WAIT_MS) {
        throw new SdkError(
          { code: 'SDK_KV_UNDECIDED', sequence: sequenceOf(sequence), nextSequence, waitedMs },
          `log entry ${sequence} was waited for ${waitedMs} ms; the key-value node is at entry ${nextSequence}`,
        );
      }
      await clock.sleep(POLL_MS, signal);
    }
  }
}
