import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a storage node in front of another does with what that one answers. */
export type StorageManner = 'honest' | 'empty' | 'lying';

/** A storage node that stands in front of an honest one. */
export class FrontNode {
  manner: StorageManner = 'honest';
  /** Answers with segments that were spoilt. */
  spoilt = 0;
  readonly #server: Server;
  readonly #behind: string;

  constructor(behind: string) {
    this.#behind = behind;
    this.#server = createServer((request, reply) => {
      this.#answer(request, reply).catch(() => reply.destroy());
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  start(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const hasBody = request.method === 'POST';
    const type = request.headers['content-type'];
    const far = await fetch(`${this.#behind}${request.url}`, {
      method: request.method ?? 'GET',
      ...(hasBody ? { body } : {}),
      ...(type === undefined ? {} : { headers: { 'content-type': type } }),
    });
    let bytes = Buffer.from(await far.arrayBuffer());
    const isSegments = request.url?.startsWith('/v1/segments') === true;
    if (isSegments && this.manner !== 'honest') {
      this.spoilt += 1;
      if (this.manner === 'empty') bytes = Buffer.alloc(0);
      else for (let at = bytes.length - 40; at < bytes.length; at += 1) bytes[at] = 0x66;
    }
    reply.writeHead(far.status, {
      'content-type': far.headers.get('content-type') ?? 'application/octet-stream',
      'content-length': bytes.length,
    });
    reply.end(bytes);
  }
}
