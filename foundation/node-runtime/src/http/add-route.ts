import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import '@fastify/swagger'; // brings the types of the OpenAPI fields that routes carry

/** A route as its protocol describes it, once for servers, clients and the documentation. */
export interface DescribedRoute {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST';
  /** Path with `{name}` for parameters. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  /** JSON Schema of the path's parameters. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** JSON Schema of the query. */
  readonly query?: Readonly<Record<string, unknown>>;
  /** Bound of the body, in bytes. */
  readonly body?: { readonly maxBytes: number };
  /** Answers by status; `content` is their type and, for JSON, its schema. */
  readonly replies: Readonly<
    Record<
      number,
      {
        readonly description: string;
        readonly content?: {
          readonly type: string;
          readonly schema?: Readonly<Record<string, unknown>>;
        };
      }
    >
  >;
}

/** Routes that stand together in the OpenAPI document. */
export interface RouteTable {
  readonly tag: string;
  readonly routes: readonly DescribedRoute[];
}

/** What a door does with a request. What it returns is sent; `undefined` sends nothing more. */
export type RouteHandler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/**
 * Registers the route that the table describes under `id`, with its checks and its place in the
 * OpenAPI document.
 *
 * @throws {Error} if there is no such route
 */
export function addRoute(
  app: FastifyInstance,
  { tag, routes }: RouteTable,
  id: string,
  handler: RouteHandler,
): void {
  const route = routes.find((candidate) => candidate.id === id);
  if (route === undefined) throw new Error(`no route ${id} is described`);
  app.route({
    method: route.method,
    url: route.path.replace(/\{(\w+)\}/g, ':$1'),
    schema: schemaOf(route, tag),
    ...(route.body === undefined ? {} : { bodyLimit: route.body.maxBytes }),
    handler: async (request, reply) => {
      const sent = await handler(request, reply);
      return sent === undefined ? reply : sent;
    },
  });
}

function schemaOf(
  { id, summary, params, query, replies }: DescribedRoute,
  tag: string,
): Record<string, unknown> {
  return {
    operationId: id,
    summary,
    tags: [tag],
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
export function pathText(request: FastifyRequest, name: string): string {
  return String((request.params as Readonly<Record<string, unknown>>)[name]);
}

/** The number parameter `name` of the path; the route's schema has checked it. */
export function pathNumber(request: FastifyRequest, name: string): number {
  return Number((request.params as Readonly<Record<string, unknown>>)[name]);
}

/** The parameter `name` of the query, if it is there; the route's schema has checked it. */
export function queryValue(request: FastifyRequest, name: string): unknown {
  return (request.query as Readonly<Record<string, unknown>>)[name];
}

/** The number parameter `name` of the query, if it is there; the route's schema has checked it. */
export function queryNumber(request: FastifyRequest, name: string): number | undefined {
  const value = queryValue(request, name);
  return value === undefined ? undefined : Number(value);
}
