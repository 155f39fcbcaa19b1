import type { FastifyInstance, HTTPMethods } from 'fastify';
import type { HttpHost, RouteGroup } from './create-http-host.ts';

/** What a route says of itself whose requests another host answers, and counts. */
export const MOUNTED = 'answeredByAnotherHost';

/** Where hosts are found below another. */
export interface MountOptions {
  /** Begins with a slash and ends without one, such as `/chains`. */
  readonly base: string;
  /**
   * The host for the name that follows the base, opened already. Throws a fault for a name that nobody has.
   */
  readonly hostOf: (name: string) => Pick<HttpHost, 'app'>;
}

const METHODS: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'];

/**
 * Routes that hand `BASE/NAME/…` to the host that has this name, as if it had been asked for `/…` itself: no
 * byte of the body is read before, and bounds, faults and measures are those of that host.
 */
export function mountHosts({ base, hostOf }: MountOptions): RouteGroup {
  return (app: FastifyInstance) => {
    for (const url of [`${base}/:name`, `${base}/:name/*`]) {
      app.route({
        method: METHODS,
        url,
        exposeHeadRoute: false,
        schema: { hide: true },
        config: { [MOUNTED]: true },
        onRequest: (request, reply, done) => {
          const { name } = request.params as { readonly name: string };
          let host: Pick<HttpHost, 'app'>;
          try {
            host = hostOf(name);
          } catch (error) {
            done(error as Error);
            return;
          }
          const path = pathAfterName((request.raw.url ?? '').slice(base.length + 1));
          if (path.startsWith(`${base}/`)) {
            reply.callNotFound(); // a host below itself would be found for ever
            return;
          }
          request.raw.url = path;
          reply.hijack();
          host.app.routing(request.raw, reply.raw);
        },
        handler: () => {
          throw new Error('unreachable: a mounted host has answered');
        },
      });
    }
  };
}

/** `/v1/status?x` of `31337/v1/status?x`; `/` where nothing follows the name. */
function pathAfterName(text: string): string {
  const end = text.search(/[/?]/);
  if (end === -1) return '/';
  return text[end] === '?' ? `/${text.slice(end)}` : text.slice(end);
}
