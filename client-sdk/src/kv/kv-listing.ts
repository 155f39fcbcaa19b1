import type { StreamId } from '@cairn/kv-layer';
import { MAX_MULTI_GET_KEYS } from '@cairn/primitives';
import { encodeBase64 } from '@cairn/wire-protocol';
import type {
  KvChange,
  KvChangesOptions,
  KvFindOptions,
  KvHistoryOptions,
} from './kv-feed-options.ts';
import type { KvNodeClient } from './kv-node-client.ts';
import type { KvEntry, KvReadOptions, KvValue } from './kv-options.ts';
import { changeOf, keysOf, naturalOf, pageOf, type ToldKey } from './kvx-replies.ts';

type Question = { readonly [name: string]: string | number | boolean | undefined };

/** What Cairn's key-value nodes answer beyond official ones, believed. */
export class KvListing {
  readonly #node: KvNodeClient;

  constructor(node: KvNodeClient) {
    this.#node = node;
  }

  /** Values of many keys at one version, in their order. */
  async values(
    stream: StreamId,
    keys: readonly Uint8Array[],
    { version: asked, minSequence, signal = new AbortController().signal }: KvReadOptions,
  ): Promise<readonly (KvValue | undefined)[]> {
    const values: (KvValue | undefined)[] = [];
    let version = asked;
    for (let at = 0; at < keys.length; at += MAX_MULTI_GET_KEYS) {
      const names = keys.slice(at, at + MAX_MULTI_GET_KEYS).map((key) => encodeBase64(key));
      const fields = { stream, keys: names, version, minSequence };
      const reply = await this.#node.ask('kvx_multiGet', fields, { signal });
      version = naturalOf('kvx_multiGet', reply, 'version'); // the same for the rest
      for (const told of keysOf('kvx_multiGet', reply, 'keys')) {
        values.push(await this.#valueOf(stream, told, version, signal));
      }
    }
    return values;
  }

  /** Keys that changed between two versions, in the order of keys. */
  async *changes(
    stream: StreamId,
    {
      since,
      version,
      limit = Number.POSITIVE_INFINITY,
      signal = new AbortController().signal,
    }: KvChangesOptions,
  ): AsyncGenerator<KvChange, void, void> {
    const pages = this.#pages('kvx_diff', { stream, since }, { version, limit, signal });
    for await (const { told, at } of pages) {
      const found = await this.#valueOf(stream, told, at, signal);
      yield { ...changeOf(told), value: found?.value };
    }
  }

  /** Versions of a key, newest first. */
  async history(
    stream: StreamId,
    key: Uint8Array,
    { version, minSequence, limit, signal = new AbortController().signal }: KvHistoryOptions,
  ): Promise<readonly KvChange[]> {
    const fields = { stream, key: encodeBase64(key), version, minSequence, limit };
    const reply = await this.#node.ask('kvx_history', fields, { signal });
    const versions: KvChange[] = [];
    for (const told of keysOf('kvx_history', reply, 'versions')) {
      if (told === undefined) continue;
      const found = await this.#valueOf(stream, told, told.version, signal);
      versions.push({ ...changeOf(told), value: found?.value });
    }
    return versions;
  }

  /** Keys by a field of their values. */
  async *find(
    stream: StreamId,
    {
      index,
      from,
      through,
      version,
      minSequence,
      limit = Number.POSITIVE_INFINITY,
      signal = new AbortController().signal,
    }: KvFindOptions,
  ): AsyncGenerator<KvEntry, void, void> {
    const question = { stream, index, from, through, minSequence };
    for await (const { told, at } of this.#pages('kvx_find', question, {
      version,
      limit,
      signal,
    })) {
      const found = await this.#valueOf(stream, told, at, signal);
      if (found !== undefined) yield { key: told.key, ...found };
    }
  }

  /** Keys page by page, all at the version of the first page. */
  async *#pages(
    method: string,
    question: Question,
    {
      version: asked,
      limit,
      signal,
    }: {
      readonly version: number | undefined;
      readonly limit: number;
      readonly signal: AbortSignal;
    },
  ): AsyncGenerator<{ readonly told: ToldKey; readonly at: number }, void, void> {
    let left = limit;
    let version = asked;
    let cursor: string | undefined;
    do {
      const most = Math.min(left, MAX_MULTI_GET_KEYS);
      const fields = { ...question, version, cursor, limit: most };
      const page = pageOf(method, await this.#node.ask(method, fields, { signal }));
      ({ version, cursor } = page);
      for (const told of page.keys) {
        if (left <= 0) return;
        left -= 1;
        yield { told, at: page.version };
      }
    } while (cursor !== undefined && left > 0);
  }

  /** A value that was told, or is read because it was too long to be. */
  async #valueOf(
    stream: StreamId,
    told: ToldKey | undefined,
    at: number,
    signal: AbortSignal,
  ): Promise<KvValue | undefined> {
    if (told === undefined || told.size === 0) return undefined;
    const { key, version, data } = told;
    if (data !== undefined) return { value: data, version };
    return this.#node.value(stream, key, { version: at, signal });
  }
}
