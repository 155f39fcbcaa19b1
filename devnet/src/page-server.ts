import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Address } from '@cairn/primitives';
import { loopback } from './endpoints.ts';

/** What the page is made of, by path, with the type it is served as. */
const FILES: Readonly<Record<string, readonly [name: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
};
const NETWORK_PATH = '/network.json';
/** The page runs its own script and nothing else, and may ask whoever the chain names. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  'img-src data:',
  "connect-src 'self' http: https:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Places that the page is told; it believes nothing of it. */
export interface ServedNetwork {
  readonly rpc: string;
  readonly entrance: Address;
  readonly rest: string;
}

type Bodies = ReadonlyMap<string, { readonly type: string; readonly body: Buffer }>;

/** The sampling page of a devnet, on a listener of its own: four files from memory, GET and HEAD. */
export class PageServer {
  readonly #port: number;
  readonly #bodies: Bodies;
  #server: Server | undefined;

  private constructor(port: number, bodies: Bodies) {
    this.#port = port;
    this.#bodies = bodies;
  }

  /** Reads what the build made of the page. @throws what the disk throws */
  static async load(port: number, network: ServedNetwork): Promise<PageServer> {
    const bodies = new Map<string, { readonly type: string; readonly body: Buffer }>();
    for (const [path, [name, type]] of Object.entries(FILES)) {
      const body = await readFile(fileURLToPath(new URL(`../dist/page/${name}`, import.meta.url)));
      bodies.set(path, { type, body });
    }
    const body = Buffer.from(JSON.stringify(network));
    bodies.set(NETWORK_PATH, { type: 'application/json', body });
    return new PageServer(port, bodies);
  }

  get url(): string {
    return loopback(this.#port);
  }

  /** @throws what listening throws, EADDRINUSE among it */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      request.resume(); // whatever is sent along is of no interest
      const [path = '/'] = (request.url ?? '/').split('?'); // not `URL`, which throws at some paths
      this.#answer(request.method ?? 'GET', path, response);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: this.#port, host: '127.0.0.1' }, resolve);
    });
    this.#server = server;
  }

  /** Safe to call again. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  #answer(method: string, path: string, response: ServerResponse): void {
    const found = this.#bodies.get(path);
    const isRead = method === 'GET' || method === 'HEAD';
    response.setHeader('content-security-policy', POLICY);
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('referrer-policy', 'no-referrer');
    if (!isRead || found === undefined) {
      response.writeHead(isRead ? 404 : 405, isRead ? {} : { allow: 'GET, HEAD' }).end();
      return;
    }
    const { type, body } = found;
    response.writeHead(200, {
      'content-type': type,
      'content-length': body.length,
      'cache-control': 'no-cache',
    });
    response.end(method === 'HEAD' ? undefined : body);
  }
}
