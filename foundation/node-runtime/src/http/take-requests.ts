import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpHost } from './create-http-host.ts';

/**
 * Shows requests to a handler before the routes see them: for the one kind that comes so often that
 * what routes do around it costs more than its answer. After `start`.
 *
 * @param take - answers a request and returns true, or leaves it alone; never throws
 */
export function takeRequests(
  { app }: Pick<HttpHost, 'app'>,
  take: (request: IncomingMessage, reply: ServerResponse) => boolean,
): void {
  const { server } = app;
  const others = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, reply: ServerResponse) => {
    if (take(request, reply)) return;
    for (const other of others) other.call(server, request, reply);
  });
}
