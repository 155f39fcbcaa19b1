import type { Clock } from '@cairn/primitives';
import type { Connection } from '@libp2p/interface';

/** Closes connections on which nothing is open for a while: each takes the place of another. */
export class QuietConnections {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #idleMs: number;
  readonly #quietSince = new WeakMap<Connection, number>();

  constructor(clock: Pick<Clock, 'monotonic'>, idleMs: number) {
    this.#clock = clock;
    this.#idleMs = idleMs;
  }

  /** Looks at all connections there are; those that stay quiet from one look to another count. */
  async close(connections: readonly Connection[]): Promise<void> {
    const nowMs = this.#clock.monotonic();
    const old = connections.filter((connection) => {
      if (connection.streams.length > 0) {
        this.#quietSince.delete(connection);
        return false;
      }
      const sinceMs = this.#quietSince.get(connection) ?? nowMs;
      this.#quietSince.set(connection, sinceMs);
      return nowMs - sinceMs >= this.#idleMs;
    });
    await Promise.all(
      old.map((connection) =>
        connection.close().catch((error: unknown) => {
          connection.abort(error instanceof Error ? error : new Error(String(error)));
        }),
      ),
    );
  }
}
