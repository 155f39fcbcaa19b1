import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Knows which connections have a request running.
 *
 * The server's own `closeIdleConnections` spares connections that never sent a request, and any
 * browser that connected ahead of time would hold up a stop for the whole drain time.
 */
export class ConnectionWatch {
  /** Requests running, by connection; at most the server's `maxConnections` entries. */
  readonly #running = new Map<Socket, number>();

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#running.set(socket, 0);
      socket.once('close', () => this.#running.delete(socket));
    });
    server.on('request', ({ socket }, reply) => {
      this.#count(socket, 1);
      reply.once('close', () => this.#count(socket, -1));
    });
  }

  /** Closes every connection without a running request. */
  closeIdle(): void {
    for (const [socket, running] of this.#running) if (running === 0) socket.destroy();
  }

  #count(socket: Socket, change: 1 | -1): void {
    const running = this.#running.get(socket);
    if (running !== undefined) this.#running.set(socket, running + change);
  }
}
