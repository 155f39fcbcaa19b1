import { type RouteGroup, readableFrom, requestSignal } from '@cairn/node-runtime/http';
import { isFault, utf8Bytes } from '@cairn/primitives';
import { KvNodeError } from '../errors.ts';
import {
  type ChangeFeed,
  type FeedEvent,
  type FeedOptions,
  parsePosition,
} from '../kvx/change-feed.ts';
import { KvxRequest } from '../kvx/requests.ts';

/** Listeners at once; each is a connection and an event in memory. */
export const MAX_LISTENERS = 1024;

/** Counts listeners of all kinds. */
export class Listeners {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @returns what takes the place back. @throws {KvNodeError} KV_LISTENERS_FULL */
  enter(): () => void {
    if (this.#count >= MAX_LISTENERS) {
      throw new KvNodeError(
        { code: 'KV_LISTENERS_FULL', max: MAX_LISTENERS },
        `${MAX_LISTENERS} listen already, which is the most allowed`,
      );
    }
    this.#count += 1;
    let isIn = true;
    return () => {
      if (isIn) this.#count -= 1;
      isIn = false;
    };
  }
}

/** What the door stands on. */
export interface EventDoorDeps {
  readonly feed: ChangeFeed;
  readonly listeners: Listeners;
  /** Aborts when the node begins to stop: listeners are not waited for. */
  readonly closing: AbortSignal;
}

/**
 * `GET /v1/streams/{stream}/events`: the changes of a stream as server-sent events. `after` (or the
 * header `last-event-id`, which browsers send by themselves) goes on behind an event, `prefix` keeps to
 * keys that begin with it, `values` tells values too.
 */
export function eventDoor({ feed, listeners, closing }: EventDoorDeps): RouteGroup {
  return (app) => {
    app.get(
      '/v1/streams/:stream/events',
      {
        schema: {
          operationId: 'listenToStream',
          summary: 'Changes of a stream as server-sent events, from any entry on',
          tags: ['streams'],
        },
      },
      async (request, reply) => {
        const { params, query, headers } = request;
        const fields = { ...(query as object), ...(params as object) };
        const signal = requestSignal(reply, closing);
        const last = headers['last-event-id'];
        const options = feedOptions(fields, typeof last === 'string' ? last : undefined, signal);
        const leave = listeners.enter();
        signal.addEventListener('abort', leave, { once: true }); // one who goes before the first event, too
        void reply
          .header('content-type', 'text/event-stream')
          .header('cache-control', 'no-store')
          .header('x-accel-buffering', 'no');
        return reply.send(readableFrom(lines(feed.events(options), leave, signal)));
      },
    );
  };
}

/** What a listener asked for. @throws {RpcError} -32602; {KvNodeError} KV_POSITION */
export function feedOptions(
  fields: Readonly<Record<string, unknown>>,
  lastHeard: string | undefined,
  signal: AbortSignal,
): FeedOptions {
  const request = new KvxRequest(fields);
  const prefix = request.bytes('prefix');
  const after = lastHeard ?? fields['after'];
  return {
    stream: request.stream(),
    withValues: request.flag('values'),
    ...(prefix === undefined ? {} : { prefix }),
    ...(after === undefined ? {} : { after: parsePosition(String(after)) }),
    signal,
  };
}

async function* lines(
  events: AsyncIterable<FeedEvent>,
  leave: () => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield utf8Bytes(': listening\n\n'); // so that the head is sent
    for await (const { kind, position, body } of events) {
      yield utf8Bytes(`id: ${position}\nevent: ${kind}\ndata: ${JSON.stringify(body)}\n\n`);
    }
  } catch (error) {
    // The listener left, or the node stops: the end of the stream says it.
    if (!signal.aborted && !isFault(error)) throw error;
  } finally {
    leave();
  }
}
