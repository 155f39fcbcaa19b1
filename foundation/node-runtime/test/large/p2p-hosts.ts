import { silentLogger, systemClock } from '@cairn/primitives';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import {
  createP2pHost,
  DEFAULT_P2P_LIMITS,
  type P2pHost,
  type P2pHostOptions,
  type P2pProtocol,
  randomP2pKey,
} from '../../src/p2p/index.ts';
import { startLibp2p } from '../../src/p2p/libp2p-node.ts';
import { provideWithResolvers } from '../../src/p2p/with-resolvers.ts';

/** A protocol whose handlers answer with what they were asked. */
export const ECHO: P2pProtocol = {
  id: '/cairn/test/echo/1',
  maxRequestBytes: 1024,
  maxReplyBytes: 1024 ** 2,
};

/** So much that no test meets it. */
export const AMPLE = { burstItems: 10 ** 9, itemsPerSecond: 10 ** 9 };

/** Never aborts. */
export const signal: AbortSignal = new AbortController().signal;

/** Hosts and nodes of one test; all are stopped at its end. */
export class Hosts {
  readonly #stops: (() => Promise<void>)[] = [];

  async open(options: Partial<P2pHostOptions> = {}): Promise<P2pHost> {
    const host = await createP2pHost({
      key: randomP2pKey(),
      clock: systemClock(),
      logger: silentLogger(),
      ...options,
      // Many hosts share one address here.
      limits: { connectionsPerSecond: 1000, drainMs: 500, ...options.limits },
    });
    this.#stops.push(() => host.stop());
    return host;
  }

  /** A host that answers the echo with what it was asked. */
  async echo(options: Partial<P2pHostOptions> = {}): Promise<P2pHost> {
    const host = await this.open(options);
    await host.handle(ECHO, { quota: AMPLE }, async (request) => request);
    return host;
  }

  /** libp2p itself, for what a host of ours never does. */
  async rogue(listen: readonly string[] = []): Promise<Libp2p> {
    provideWithResolvers();
    const node = await startLibp2p({ key: randomP2pKey(), listen, limits: DEFAULT_P2P_LIMITS });
    this.#stops.push(async () => node.stop());
    return node;
  }

  /** A peer that does something else than to answer, and where it is. */
  async rogueServer(
    handler: (stream: Stream, connection: Connection) => Promise<void>,
  ): Promise<string> {
    const node = await this.rogue(['/ip4/127.0.0.1/tcp/0']);
    await node.handle(ECHO.id, handler);
    return addressOf({ addresses: node.getMultiaddrs().map(String) });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#stops.splice(0).map((stop) => stop()));
  }
}

/** The first address of a host. */
export function addressOf({ addresses }: Pick<P2pHost, 'addresses'>): string {
  const [address] = addresses;
  if (address === undefined) throw new Error('the host does not listen');
  return address;
}

/** Waits until something holds, for at most two minutes. */
export async function until(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 120_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error('it did not come to hold');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
