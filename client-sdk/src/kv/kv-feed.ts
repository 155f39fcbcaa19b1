import type { StreamId } from '@cairn/kv-layer';
import {
  type Clock,
  describeError,
  isFault,
  isHexOf,
  isRecord,
  parseJson,
} from '@cairn/primitives';
import { encodeBase64 } from '@cairn/wire-protocol';
import { type HolderFailure, SdkError } from '../errors.ts';
import { failureOf } from '../holders.ts';
import { bytesOf } from './kv-bytes.ts';
import type { KvEvent, KvWatchOptions } from './kv-feed-options.ts';
import type { KvNodeClient } from './kv-node-client.ts';
import { changeOf, keysOf, naturalOf } from './kvx-replies.ts';

/** What a feed works with. */
export interface KvFeedDeps {
  readonly node: KvNodeClient;
  readonly clock: Clock;
}

/** Nodes tell something every ten seconds: one that is silent for so long is given up. */
const SILENCE_MS = 30_000;
/** The first pause after a feed broke off; it doubles. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5000;
/** How long nobody may answer before the watcher is told. */
const MAX_OUTAGE_MS = 120_000;
/** How long a node may take to come to the entry that was seen last, before another is asked. */
const CATCH_UP_MS = 10_000;
/** Characters of one event: 4,096 keys with their values. */
const MAX_EVENT_LENGTH: number = 64 * 1024 ** 2;

const METHOD = 'events';

/**
 * The changes of a stream, from any entry on, without a gap: a feed that breaks off is taken up where it
 * was, with the same node or another one. Nothing is queued: who pulls slowly is sent slowly.
 */
export class KvFeed {
  readonly #deps: KvFeedDeps;

  constructor(deps: KvFeedDeps) {
    this.#deps = deps;
  }

  /**
   * Events until `signal` aborts.
   *
   * @throws {SdkError} SDK_KV_NODE if no node answers for two minutes, or none at first; the signal's reason
   */
  async *events(stream: StreamId, options: KvWatchOptions): AsyncGenerator<KvEvent, void, void> {
    const { clock, node } = this.#deps;
    const { signal = new AbortController().signal } = options;
    let heard = options.after === undefined ? undefined : String(options.after);
    let failures: HolderFailure[] = [];
    let outageMs: number | undefined;
    let hasHeard = false;
    for (let pauseMs = FIRST_PAUSE_MS; ; ) {
      for (const url of node.urls) {
        try {
          heard ??= await this.#now(url, stream, signal);
          for await (const event of this.#heardFrom(url, stream, { ...options, heard, signal })) {
            heard = event.position;
            [hasHeard, outageMs, failures, pauseMs] = [true, undefined, [], FIRST_PAUSE_MS];
            node.prefer(url);
            yield event;
          }
        } catch (error) {
          signal.throwIfAborted();
          if (isFault(error, 'RPC_ERROR') || isFault(error, 'SDK_OPTION')) throw error;
          failures.push(failureOf(url, error));
        }
        signal.throwIfAborted();
      }
      outageMs ??= clock.monotonic();
      const isOver = clock.monotonic() - outageMs > MAX_OUTAGE_MS;
      if (isOver || (!hasHeard && failures.length >= 3 * node.urls.length)) {
        throw lost(stream, failures.slice(-node.urls.length));
      }
      await clock.sleep(pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
  }

  /** The place of a node now, so that nothing is missed if the feed breaks off before its first event. */
  async #now(url: string, stream: StreamId, signal: AbortSignal): Promise<string | undefined> {
    const root = await this.#deps.node.only(url).ask('kvx_getRoot', { stream }, { signal });
    const { version, stateRoot } = root;
    if (!Number.isSafeInteger(version) || Number(version) < 0) return undefined;
    const mark = isHexOf(stateRoot, 32) ? stateRoot.slice(2, 18) : '0'.repeat(16);
    return `${Number(version)}-${mark}`;
  }

  async *#heardFrom(
    url: string,
    stream: StreamId,
    {
      prefix,
      values,
      heard,
      signal,
    }: KvWatchOptions & {
      readonly heard: string | undefined;
      readonly signal: AbortSignal;
    },
  ): AsyncGenerator<KvEvent, void, void> {
    const { node } = this.#deps;
    if (heard !== undefined) await this.#caughtUp(url, heard, signal);
    const fields = new URLSearchParams();
    if (heard !== undefined) fields.set('after', heard);
    if (prefix !== undefined) fields.set('prefix', encodeBase64(bytesOf(prefix)));
    if (values === true) fields.set('values', 'true');
    const leaving = new AbortController();
    const inner = AbortSignal.any([signal, leaving.signal]);
    try {
      const path = `/v1/streams/${stream}/events?${fields}`;
      const parts = await node.read(url, path, { signal: inner, accept: 'text/event-stream' });
      for await (const { id, event, data } of serverSentEvents(this.#lively(parts, url))) {
        const told = eventOf(event, id, data);
        if (told !== undefined) yield told;
      }
    } finally {
      leaving.abort(new Error('nobody listens any more'));
    }
    throw new SdkError(
      { code: 'SDK_KV_NODE', method: METHOD, failures: [] },
      `${url} ended its feed`,
    );
  }

  /** A node that has not come to what was seen last would take it for another history. */
  async #caughtUp(url: string, heard: string, signal: AbortSignal): Promise<void> {
    const sequence = Number(heard.split('-')[0]);
    if (!Number.isSafeInteger(sequence) || sequence < 0) {
      throw new SdkError(
        { code: 'SDK_OPTION', option: 'after' },
        `"${heard.slice(0, 40)}" is no place in a feed: a log entry, or the position of an event`,
      );
    }
    const { clock, node } = this.#deps;
    const one = node.only(url);
    for (const untilMs = clock.monotonic() + CATCH_UP_MS; ; ) {
      if ((await one.nextSequence({ signal })) > sequence) return;
      if (clock.monotonic() > untilMs) return; // another history after all: the node says `reset`
      await clock.sleep(FIRST_PAUSE_MS, signal);
    }
  }

  /** Parts of a reply until nothing comes for too long. */
  async *#lively(
    parts: AsyncIterable<Uint8Array>,
    url: string,
  ): AsyncGenerator<Uint8Array, void, void> {
    const { clock } = this.#deps;
    const iterator = parts[Symbol.asyncIterator]();
    try {
      for (;;) {
        const over = new AbortController();
        const silence = clock.sleep(SILENCE_MS, over.signal).then(() => 'silence' as const);
        silence.catch(() => undefined); // ended below
        const part = iterator.next();
        part.catch(() => undefined); // a part that is given up may fail later
        try {
          const next = await Promise.race([part, silence]);
          if (next === 'silence') {
            throw new SdkError(
              { code: 'SDK_KV_NODE', method: METHOD, failures: [] },
              `${url} told nothing for ${SILENCE_MS} ms`,
            );
          }
          if (next.done === true) return;
          yield next.value;
        } finally {
          over.abort(new Error('a part came'));
        }
      }
    } finally {
      // Not awaited: a source that is stuck ends with the request.
      iterator.return?.()?.catch(() => undefined);
    }
  }
}

interface ServerSentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** The events in a text of them. @throws {SdkError} SDK_KV_NODE for one that is too long */
async function* serverSentEvents(
  parts: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerSentEvent, void, void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of parts) {
    text += decoder.decode(part, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = new Map<string, string>();
      for (const line of text.slice(0, end).split('\n')) {
        const at = line.indexOf(': ');
        if (at > 0) fields.set(line.slice(0, at), line.slice(at + 2));
      }
      text = text.slice(end + 2);
      const [id, event, data] = ['id', 'event', 'data'].map((name) => fields.get(name));
      if (id !== undefined && event !== undefined && data !== undefined) yield { id, event, data };
    }
    if (text.length > MAX_EVENT_LENGTH) broken(`an event of over ${MAX_EVENT_LENGTH} characters`);
  }
}

/** An event; `undefined` for one of a kind that this client does not know. */
function eventOf(kind: string, position: string, data: string): KvEvent | undefined {
  const body = bodyOf(data);
  const sequence = naturalOf(METHOD, body, 'sequence');
  switch (kind) {
    case 'change': {
      const { stateRoot, isCut } = body;
      if (!isHexOf(stateRoot, 32)) return broken('a change without a root');
      const told = keysOf(METHOD, body, 'keys');
      const keys = told.flatMap((key) => (key === undefined ? [] : [changeOf(key)]));
      return { kind, sequence, position, stateRoot, keys, isCut: isCut === true };
    }
    case 'progress':
    case 'revert':
    case 'reset':
      return { kind, sequence, position };
    default:
      return undefined;
  }
}

function bodyOf(data: string): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = parseJson(data);
    if (isRecord(body)) return body;
  } catch (error) {
    broken(describeError(error));
  }
  return broken('an event that is no object');
}

function lost(stream: StreamId, failures: readonly HolderFailure[]): SdkError {
  const told = failures.map(({ url, reason }) => `${url}: ${reason}`).join('; ');
  return new SdkError(
    { code: 'SDK_KV_NODE', method: METHOD, failures },
    `no key-value node tells the changes of stream ${stream}: ${told}`,
  );
}

function broken(what: string): never {
  throw new SdkError(
    { code: 'SDK_KV_NODE', method: METHOD, failures: [] },
    `a key-value node told ${what}`,
  );
}
