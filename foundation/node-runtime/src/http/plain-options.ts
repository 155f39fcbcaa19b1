import type { HttpHost } from './create-http-host.ts';

/**
 * OPTIONS without the headers of a browser's preflight: 0G nodes answer it, the CORS plugin takes
 * it for malformed.
 */
export function answerPlainOptions({ app }: Pick<HttpHost, 'app'>): void {
  app.addHook('onRequest', (request, reply, done) => {
    const isPlain =
      request.method === 'OPTIONS' &&
      request.headers['access-control-request-method'] === undefined;
    if (!isPlain) {
      done();
      return;
    }
    void reply
      .code(204)
      .header('access-control-allow-origin', '*')
      .header('access-control-allow-methods', 'GET, HEAD, POST, PUT, OPTIONS')
      .header('access-control-allow-headers', '*')
      .header('allow', 'GET, HEAD, POST, PUT, OPTIONS')
      .send();
  });
}
