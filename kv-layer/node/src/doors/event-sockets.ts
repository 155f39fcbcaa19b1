import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  acceptWebSocket,
  type HttpHost,
  refuseUpgrade,
  WEB_SOCKET_CLOSE,
} from '@cairn/node-runtime/http';
import { describeError, Fault, type Logger } from '@cairn/primitives';
import type { EventDoorDeps } from './events.ts';
import { feedOptions } from './events.ts';

const PATH = /^\/v1\/streams\/([^/]{1,80})\/events$/;

/**
 * The changes of a stream over a WebSocket, at the address of the server-sent events and with its
 * fields: a text for each event, `{"event", "id", …}`. What a client says is not listened to.
 */
export function serveEventSockets(
  { app }: Pick<HttpHost, 'app'>,
  { feed, listeners, closing, logger }: EventDoorDeps & { readonly logger: Logger },
): void {
  const serve = async (request: IncomingMessage, socket: Duplex): Promise<void> => {
    const url = new URL(request.url ?? '', 'http://localhost');
    const [, stream] = PATH.exec(url.pathname) ?? [];
    if (stream === undefined) {
      refuseUpgrade(socket, 404, 'Not Found');
      return;
    }
    const fields = { ...Object.fromEntries(url.searchParams), stream };
    let leave = (): void => undefined;
    try {
      feedOptions(fields, undefined, closing); // refused before the upgrade, where it can be told
      leave = listeners.enter();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const isFull = error.code === 'KV_LISTENERS_FULL';
      refuseUpgrade(socket, isFull ? 503 : 400, isFull ? 'Service Unavailable' : 'Bad Request');
      return;
    }
    const out = acceptWebSocket(request, socket);
    if (out === undefined) {
      leave();
      return;
    }
    const goAway = (): void => out.close(WEB_SOCKET_CLOSE.goingAway, 'the node is stopping');
    closing.addEventListener('abort', goAway, { once: true });
    try {
      const options = feedOptions(fields, undefined, AbortSignal.any([out.over, closing]));
      for await (const { kind, position, body } of feed.events(options)) {
        await out.send(JSON.stringify({ event: kind, id: position, ...(body as object) }));
      }
    } catch (error) {
      if (out.over.aborted || closing.aborted) return;
      logger.warn({ reason: describeError(error) }, 'a feed of changes ended early');
      out.close(WEB_SOCKET_CLOSE.failed, describeError(error));
    } finally {
      closing.removeEventListener('abort', goAway);
      leave();
    }
  };
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    serve(request, socket).catch((error: unknown) => {
      logger.error({ error }, 'a web socket failed');
      socket.destroy();
    });
  });
}
