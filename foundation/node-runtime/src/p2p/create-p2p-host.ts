import { setMaxListeners } from 'node:events';
import { type Clock, type Logger, noMetrics, withDeadline } from '@cairn/primitives';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { P2pError } from './errors.ts';
import { type Reply, tooLong } from './frames.ts';
import type { DialTarget } from './libp2p-node.ts';
import { DEFAULT_P2P_LIMITS, type P2pLimits } from './limits.ts';
import { linkSignals } from './link-signals.ts';
import { createP2pMetrics, type P2pMetrics } from './metrics.ts';
import type { P2pCounts, P2pHost, P2pHostOptions, P2pRequestOptions } from './p2p-host.ts';
import { PeerStreams } from './peer-streams.ts';
import {
  type P2pHandler,
  type P2pOutcome,
  type P2pProtocol,
  type P2pServeOptions,
  requireProtocol,
  requireQuota,
} from './protocol.ts';
import { QuietConnections } from './quiet-connections.ts';
import {
  type FailedRequest,
  outcomeOf,
  refusalFault,
  requestFault,
  stoppedFault,
} from './request-faults.ts';
import { ServedProtocol } from './serve-protocol.ts';
import { provideWithResolvers } from './with-resolvers.ts';

const DEFAULT_LISTEN: readonly string[] = ['/ip4/127.0.0.1/tcp/0'];
const DEFAULT_TIMEOUT_MS = 20_000;

/**
 * Starts a host: TCP and WebSocket, noise, yamux. libp2p is loaded now, not before.
 *
 * Streams of libp2p hold nobody back: what a peer sends is kept until it is read. So each stream
 * carries one request at a time, its reply is at most 1 MiB, and a stream on which more comes than
 * was asked for is ended.
 *
 * @throws what listening throws
 */
export async function createP2pHost(options: P2pHostOptions): Promise<P2pHost> {
  const limits = { ...DEFAULT_P2P_LIMITS, ...options.limits };
  const { key, listen = DEFAULT_LISTEN } = options;
  provideWithResolvers();
  const { startLibp2p, parseTarget } = await import('./libp2p-node.ts');
  const node = await startLibp2p({ key, listen, limits });
  return new Libp2pHost(node, parseTarget, options, limits);
}

/** The host over a node of libp2p that runs; `stop` stops the node too. */
export class Libp2pHost implements P2pHost {
  readonly peerId: string;
  readonly #node: Libp2p;
  readonly #parseTarget: (text: string) => DialTarget;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: P2pMetrics;
  readonly #limits: P2pLimits;
  readonly #stopping = new AbortController();
  readonly #signal: AbortSignal;
  readonly #served = new Map<string, ServedProtocol>();
  readonly #pools = new Map<string, PeerStreams>();
  readonly #quiet: QuietConnections;
  readonly #tidying: Promise<void>;
  #stopped: Promise<void> | undefined;

  constructor(
    node: Libp2p,
    parseTarget: (text: string) => DialTarget,
    { clock, logger, metrics, stopping }: P2pHostOptions,
    limits: P2pLimits,
  ) {
    const own = this.#stopping.signal;
    this.#signal = stopping === undefined ? own : AbortSignal.any([own, stopping]);
    setMaxListeners(0, this.#signal); // each stream and each request listens
    this.#node = node;
    this.#parseTarget = parseTarget;
    this.#clock = clock;
    this.#logger = logger;
    this.#metrics = createP2pMetrics(metrics ?? noMetrics());
    this.#limits = limits;
    this.#quiet = new QuietConnections(clock, limits.connectionIdleMs);
    this.peerId = node.peerId.toString();
    this.#tidying = this.#tidy();
  }

  get addresses(): readonly string[] {
    return this.#node.getMultiaddrs().map(String);
  }

  get counts(): P2pCounts {
    const { inbound, outbound } = this.#streams();
    return { connections: this.#node.getConnections().length, streams: inbound + outbound };
  }

  async handle(
    protocol: P2pProtocol,
    options: P2pServeOptions,
    handler: P2pHandler,
  ): Promise<void> {
    requireProtocol(protocol);
    requireQuota(options.quota);
    const { id } = protocol;
    if (this.#served.has(id)) {
      throw new P2pError({ code: 'P2P_SETTING', field: 'id' }, `${id} is answered already`);
    }
    const served = new ServedProtocol(protocol, options, handler, {
      clock: this.#clock,
      logger: this.#logger,
      metrics: this.#metrics,
      limits: this.#limits,
      stopping: this.#signal,
    });
    this.#served.set(id, served);
    await this.#node.handle(id, (stream, connection) => served.serve(stream, connection), {
      maxInboundStreams: this.#limits.maxStreamsPerProtocol,
      maxOutboundStreams: this.#limits.streamsToPeer,
    });
  }

  async request(
    to: string,
    protocol: P2pProtocol,
    bytes: Uint8Array,
    { signal, timeoutMs = DEFAULT_TIMEOUT_MS }: P2pRequestOptions,
  ): Promise<Uint8Array> {
    requireProtocol(protocol);
    this.#requireRunning();
    setMaxListeners(0, signal); // one signal serves many requests
    if (bytes.length > protocol.maxRequestBytes || bytes.length === 0) {
      throw tooLong('request', bytes.length, protocol.maxRequestBytes);
    }
    const target = this.#parseTarget(to);
    const peer = target.peer.toString();
    const ask = (inner: AbortSignal): Promise<Reply> =>
      this.#poolOf(peer, protocol).ask(
        bytes,
        (opening) => this.#openStream(target, protocol, opening),
        inner,
      );
    const within = linkSignals(signal, this.#signal);
    const options = { clock: this.#clock, signal: within.signal };
    try {
      const reply = await withDeadline('a reply', timeoutMs, ask, options);
      if (reply.kind === 'refused') throw refusalFault(reply, peer, protocol.id);
      this.#count(protocol, 'ok');
      return reply.body;
    } catch (error) {
      const fault = this.#faultOf(error, { peer, protocol: protocol.id, timeoutMs }, signal);
      this.#count(protocol, outcomeOf(fault));
      throw fault;
    } finally {
      within.release();
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  async #drain(): Promise<void> {
    const { drainMs } = this.#limits;
    const ended = new AbortController();
    const draining = Promise.all([...this.#served.values()].map((served) => served.drain()));
    const timer = this.#clock.sleep(drainMs, ended.signal).catch(() => undefined);
    await Promise.race([draining, timer, aborted(this.#signal)]);
    ended.abort(new Error('the host has drained'));
    this.#stopping.abort(stoppedFault());
    await Promise.all([...this.#pools.values()].map((pool) => pool.closeIdle(Infinity)));
    await this.#tidying;
    await this.#node.stop();
  }

  async #openStream(
    { peer, address }: DialTarget,
    { id }: P2pProtocol,
    signal: AbortSignal,
  ): Promise<Stream> {
    const connection = await this.#connect({ peer, address }, signal);
    return connection.newStream(id, { signal, maxOutboundStreams: this.#limits.streamsToPeer });
  }

  async #connect({ peer, address }: DialTarget, signal: AbortSignal): Promise<Connection> {
    if (address !== undefined) return this.#node.dial(address, { signal });
    const open = this.#node.getConnections(peer).find(({ status }) => status === 'open');
    if (open === undefined) throw new Error('there is no connection to it, and no address');
    return open;
  }

  #poolOf(peer: string, protocol: P2pProtocol): PeerStreams {
    const key = `${peer} ${protocol.id}`;
    const held = this.#pools.get(key);
    if (held !== undefined) return held;
    const deps = { clock: this.#clock, metrics: this.#metrics, limits: this.#limits };
    const pool = new PeerStreams(protocol, deps);
    this.#pools.set(key, pool);
    return pool;
  }

  /** Closes what nobody uses, and measures what is open, until the host stops. */
  async #tidy(): Promise<void> {
    const { tidyMs, pooledMs } = this.#limits;
    while (!this.#stopping.signal.aborted) {
      const since = this.#clock.monotonic() - pooledMs;
      for (const [key, pool] of this.#pools) {
        await pool.closeIdle(since);
        if (pool.isUnused) this.#pools.delete(key);
      }
      await this.#quiet.close(this.#node.getConnections());
      this.#measure();
      await this.#clock.sleep(tidyMs, this.#stopping.signal).catch(() => undefined);
    }
  }

  #measure(): void {
    const { connections, streams } = this.#metrics;
    const all = this.#node.getConnections();
    for (const direction of ['inbound', 'outbound'] as const) {
      const labels = { direction: direction === 'inbound' ? 'in' : 'out' };
      connections.set(all.filter((one) => one.direction === direction).length, labels);
      streams.set(this.#streams()[direction], labels);
    }
  }

  #streams(): { readonly inbound: number; readonly outbound: number } {
    const sum = (open: Iterable<{ readonly streams: number }>): number =>
      [...open].reduce((total, { streams }) => total + streams, 0);
    return { inbound: sum(this.#served.values()), outbound: sum(this.#pools.values()) };
  }

  #faultOf(error: unknown, request: FailedRequest, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    return this.#signal.aborted ? stoppedFault() : requestFault(error, request);
  }

  #count({ id: protocol }: P2pProtocol, outcome: P2pOutcome): void {
    this.#metrics.requests.add(1, { direction: 'out', protocol, outcome });
  }

  #requireRunning(): void {
    if (this.#stopped !== undefined || this.#signal.aborted) throw stoppedFault();
  }
}

/** Resolves once it aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
