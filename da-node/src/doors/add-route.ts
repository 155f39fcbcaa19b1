import type { HttpApp, HttpReplyOut, HttpRequestIn } from '@cairn/node-runtime/http';
import type { HttpRoute } from '@cairn/wire-protocol/route-table';

/** What a door does with a request. What it returns is sent; `undefined` sends nothing more. */
export type RouteHandler = (request: HttpRequestIn, reply: HttpReplyOut) => Promise<unknown>;

/**
 * Registers the route that wire-protocol describes under `id`, with its checks and its place in
 * the OpenAPI document.
 *
 * @throws {Error} if there is no such route
 */
export function addRoute(
  app: HttpApp,
  routes: readonly HttpRoute[],
  id: string,
  handler: RouteHandler,
): void {
  const route = routes.find((candidate) => candidate.id === id);
  if (route === undefined) throw new Error(`wire-protocol describes no route ${id}`);
  app.route({
    method: route.method,
    url: route.path.replace(/\{(\w+)\}/g, ':$1'),
    schema: schemaOf(route),
    ...(route.body === undefined ? {} : { bodyLimit: route.body.maxBytes }),
    handler: async (request, reply) => {
      const sent = await handler(request, reply);
      return sent === undefined ? reply : sent;
    },
  });
}

function schemaOf({ id, summary, params, query, replies }: HttpRoute): Record<string, unknown> {
  return {
    operationId: id,
    summary,
    tags: ['data availability'],
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { querystring: query }),
    response: Object.fromEntries(
      Object.entries(replies).map(([status, { description, content }]) => [
        status,
        content === undefined
          ? { description, type: 'null' }
          : { description, content: { [content.type]: { schema: content.schema ?? BINARY } } },
      ]),
    ),
  };
}

const BINARY = { type: 'string', format: 'binary' };

/** The text parameter `name` of the path; the route's schema has checked it. */
export function pathText(request: HttpRequestIn, name: string): string {
  return String((request.params as Readonly<Record<string, unknown>>)[name]);
}

/** The parameter `name` of the query, if it is there; the route's schema has checked it. */
export function queryValue(request: HttpRequestIn, name: string): unknown {
  return (request.query as Readonly<Record<string, unknown>>)[name];
}
