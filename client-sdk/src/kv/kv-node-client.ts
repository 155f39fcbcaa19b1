import { parseStreamId, type StreamId } from '@cairn/kv-layer';
import {
  type HttpTransport,
  isFault,
  isRecord,
  type Json,
  MAX_VALUE_SLICE_BYTES,
} from '@cairn/primitives';
import { callJsonRpc, decodeBase64, encodeBase64 } from '@cairn/wire-protocol';
import { type HolderFailure, SdkError } from '../errors.ts';
import { failureOf } from '../holders.ts';

/** A slice of a value. */
export interface NodeSlice {
  /** The log entry that wrote it; 0 if the key was never written. */
  readonly version: number;
  /** Of the whole value. */
  readonly size: number;
  readonly data: Uint8Array;
}

/** A key and a slice of its value. */
export interface NodeKeySlice extends NodeSlice {
  readonly key: Uint8Array;
}

interface At {
  readonly signal: AbortSignal;
  /** The newest unless told. */
  readonly version?: number | undefined;
}

/** Where an iterator goes from a key. */
export type Direction = 'next' | 'prev';

/**
 * What key-value nodes say, over the calls that official nodes answer too. They are asked one after
 * another until one can be reached; which of them answered last is asked first.
 */
export class KvNodeClient {
  readonly #transport: HttpTransport;
  readonly #timeoutMs: number;
  #urls: readonly string[];

  /** @param urls - in the order in which they are asked */
  constructor(
    urls: readonly string[],
    { transport, timeoutMs }: { readonly transport: HttpTransport; readonly timeoutMs: number },
  ) {
    this.#urls = urls;
    this.#transport = transport;
    this.#timeoutMs = timeoutMs;
  }

  /** The nodes, in the order in which they are asked now. */
  get urls(): readonly string[] {
    return this.#urls;
  }

  /** The same with one of the nodes alone. */
  only(url: string): KvNodeClient {
    return new KvNodeClient([url], { transport: this.#transport, timeoutMs: this.#timeoutMs });
  }

  /** Asks this node first from now on. */
  prefer(url: string): void {
    if (url === this.#urls[0] || !this.#urls.includes(url)) return;
    this.#urls = [url, ...this.#urls.filter((one) => one !== url)];
  }

  /** A question that Cairn's nodes answer and official ones do not: the fields of one object. */
  async ask(
    method: string,
    fields: { readonly [name: string]: Json | undefined },
    { signal, maxReplyBytes }: Pick<At, 'signal'> & { readonly maxReplyBytes?: number },
  ): Promise<Readonly<Record<string, unknown>>> {
    const given = Object.entries(fields).filter(([, value]) => value !== undefined);
    const asked = Object.fromEntries(given) as { readonly [name: string]: Json };
    const reply = await this.#call(method, [asked], signal, maxReplyBytes);
    return isRecord(reply) ? reply : this.#broken(method, 'no object');
  }

  /**
   * Begins to read what one of the nodes has at a path, as it comes.
   *
   * @throws {TransportError}; {SdkError} SDK_KV_NODE if it is refused
   */
  async read(
    url: string,
    path: string,
    { signal, accept = '*/*' }: Pick<At, 'signal'> & { readonly accept?: string },
  ): Promise<AsyncIterable<Uint8Array>> {
    const reply = await this.#transport.send({
      method: 'GET',
      url: `${url.replace(/\/+$/, '')}${path}`,
      headers: { accept },
      signal,
      timeoutMs: this.#timeoutMs,
    });
    if (reply.status === 200) return reply.stream();
    await reply.discard();
    return this.#broken(path.split('?')[0] ?? path, `status ${reply.status}`);
  }

  /** The whole value, at one version throughout. @throws {SdkError} SDK_KV_NODE */
  async value(
    stream: StreamId,
    key: Uint8Array,
    { signal, version }: At,
  ): Promise<{ readonly version: number; readonly value: Uint8Array } | undefined> {
    const first = await this.slice(stream, key, 0, { signal, version });
    if (first.size === 0) return undefined;
    return { version: first.version, value: await this.rest(stream, key, first, { signal }) };
  }

  /** What is left of a value whose beginning is known. */
  async rest(
    stream: StreamId,
    key: Uint8Array,
    first: NodeSlice,
    { signal }: Pick<At, 'signal'>,
  ): Promise<Uint8Array> {
    if (first.data.length >= first.size) return first.data.subarray(0, first.size);
    const value = new Uint8Array(first.size);
    value.set(first.data);
    for (let at = first.data.length; at < first.size; ) {
      const { version } = first;
      const { data, ...found } = await this.slice(stream, key, at, { signal, version });
      if (found.version !== version || found.size !== first.size || data.length === 0) {
        this.#broken('kv_getValue', `another value than the one of version ${version}`);
      }
      value.set(data.subarray(0, first.size - at), at);
      at += data.length;
    }
    return value;
  }

  /** Up to 256 KiB of a value from a byte on. */
  async slice(
    stream: StreamId,
    key: Uint8Array,
    start: number,
    { signal, version }: At,
  ): Promise<NodeSlice> {
    const name = encodeBase64(key);
    const params = [stream, name, start, MAX_VALUE_SLICE_BYTES, ...versionIn(version)];
    return this.#sliceOf('kv_getValue', await this.#call('kv_getValue', params, signal));
  }

  /** The nearest key with a value after (or before) `key`, or there too; from the end without a key. */
  async neighbour(
    stream: StreamId,
    key: Uint8Array | undefined,
    direction: Direction,
    {
      isInclusive,
      keysOnly,
      signal,
      version,
    }: At & {
      readonly isInclusive: boolean;
      readonly keysOnly: boolean;
    },
  ): Promise<NodeKeySlice | undefined> {
    const length = keysOnly ? 0 : MAX_VALUE_SLICE_BYTES;
    const end = direction === 'next' ? 'kv_getFirst' : 'kv_getLast';
    const step = direction === 'next' ? 'kv_getNext' : 'kv_getPrev';
    const method = key === undefined ? end : step;
    const params =
      key === undefined
        ? [stream, 0, length, ...versionIn(version)]
        : [stream, encodeBase64(key), 0, length, isInclusive, ...versionIn(version)];
    const reply = await this.#call(method, params, signal);
    if (reply === null) return undefined;
    const slice = this.#sliceOf(method, reply);
    const found = isRecord(reply) ? reply['key'] : undefined;
    return { ...slice, key: this.#bytesOf(method, found) };
  }

  /** What became of a log entry: a result string; `undefined` if the node has decided nothing about it. */
  async result(sequence: number, { signal }: Pick<At, 'signal'>): Promise<string | undefined> {
    const reply = await this.#call('kv_getTransactionResult', [sequence], signal);
    if (reply === null) return undefined;
    if (typeof reply !== 'string') this.#broken('kv_getTransactionResult', 'no text');
    return reply;
  }

  /** The next log entry to be decided. */
  async nextSequence({ signal }: Pick<At, 'signal'>): Promise<number> {
    const reply = await this.#call('kv_getReplayProgress', [], signal);
    return this.#numberOf(
      'kv_getReplayProgress',
      isRecord(reply) ? reply['appliedSeq'] : undefined,
    );
  }

  /** Streams the node has. */
  async streams({ signal }: Pick<At, 'signal'>): Promise<readonly StreamId[]> {
    const reply = await this.#call('kv_getHoldingStreamIds', [], signal);
    if (!Array.isArray(reply)) this.#broken('kv_getHoldingStreamIds', 'no list');
    return reply.map((id: unknown) => parseStreamId(String(id)));
  }

  /** A question about a role. @param params - without the version */
  async role(method: string, params: readonly Json[], { signal, version }: At): Promise<boolean> {
    const reply = await this.#call(method, [...params, ...versionIn(version)], signal);
    if (typeof reply !== 'boolean') this.#broken(method, 'neither yes nor no');
    return reply;
  }

  async #call(
    method: string,
    params: readonly Json[],
    signal: AbortSignal,
    maxReplyBytes?: number,
  ): Promise<unknown> {
    if (this.#urls.length === 0) {
      throw new SdkError(
        { code: 'SDK_OPTION', option: 'kv' },
        'give the addresses of key-value nodes: without them there are no streams',
      );
    }
    const failures: HolderFailure[] = [];
    for (const url of this.#urls) {
      try {
        const reply = await callJsonRpc(this.#transport, url, method, params, {
          signal,
          timeoutMs: this.#timeoutMs,
          ...(maxReplyBytes === undefined ? {} : { maxReplyBytes }),
        });
        this.prefer(url);
        return reply;
      } catch (error) {
        signal.throwIfAborted();
        if (isFault(error, 'RPC_ERROR')) throw error; // it answered: no
        failures.push(failureOf(url, error));
      }
    }
    const told = failures.map(({ url, reason }) => `${url}: ${reason}`).join('; ');
    throw new SdkError(
      { code: 'SDK_KV_NODE', method, failures },
      `no key-value node answered ${method}: ${told}`,
    );
  }

  #sliceOf(method: string, reply: unknown): NodeSlice {
    const fields = isRecord(reply) ? reply : {};
    const size = this.#numberOf(method, fields['size']);
    const data = this.#bytesOf(method, fields['data']);
    return { version: this.#numberOf(method, fields['version']), size, data };
  }

  #numberOf(method: string, value: unknown): number {
    if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
    this.#broken(method, `${JSON.stringify(value)} where a whole number was expected`);
  }

  #bytesOf(method: string, value: unknown): Uint8Array {
    if (typeof value !== 'string') this.#broken(method, 'no base64');
    return decodeBase64(value);
  }

  #broken(method: string, reason: string): never {
    const [url = ''] = this.#urls;
    const failures = [{ url, code: 'SDK_KV_NODE', reason }];
    throw new SdkError(
      { code: 'SDK_KV_NODE', method, failures },
      `${url} answered ${method} with ${reason}`,
    );
  }
}

function versionIn(version: number | undefined): readonly Json[] {
  return version === undefined ? [] : [version];
}
