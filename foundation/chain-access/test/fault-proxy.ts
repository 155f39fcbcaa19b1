import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Json, stringifyJson } from '@cairn/primitives';

/** One JSON-RPC call on its way to the chain. */
export interface ProxiedCall {
  readonly method: string;
  readonly params: readonly unknown[];
  /** The chain's own result. */
  forward(): Promise<unknown>;
}

/** What the proxy does with a call. */
export type ProxyReply =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string } }
  | { readonly status: number }
  /** The connection is cut. */
  | 'drop'
  /** Nothing is ever answered. */
  | 'hang';

/** Stands between a client and a chain, and lies on command. */
export class FaultProxy {
  readonly url: string;
  /** Calls seen, by method. */
  readonly calls = new Map<string, number>();
  /** Decides about each call; forwards it unless set. */
  handle: ((call: ProxiedCall) => Promise<ProxyReply>) | undefined;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(target: string): Promise<FaultProxy> {
    let proxy: FaultProxy | undefined;
    const server = createServer((request, response) => {
      void proxy?.answer(target, request, response).catch(() => request.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    proxy = new FaultProxy(server, typeof address === 'object' ? (address?.port ?? 0) : 0);
    return proxy;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async answer(target: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    const { id, method, params } = JSON.parse(body);
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
    const send = async (): Promise<Record<string, unknown>> => {
      const headers = { 'content-type': 'application/json' };
      return (await (await fetch(target, { method: 'POST', headers, body })).json()) as Record<
        string,
        unknown
      >;
    };
    let message: Record<string, unknown>;
    let status = 200;
    if (this.handle === undefined) {
      message = await send();
    } else {
      const reply = await this.handle({
        method,
        params,
        forward: async () => (await send())['result'],
      });
      if (reply === 'hang') return;
      if (reply === 'drop') {
        request.socket.destroy();
        return;
      }
      if ('status' in reply) {
        response.writeHead(reply.status, { 'content-type': 'text/html' }).end('<h1>no</h1>');
        return;
      }
      message = { jsonrpc: '2.0', id, ...reply };
      if ('error' in reply) status = 400;
    }
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(stringifyJson(message as Json & object));
  }
}
