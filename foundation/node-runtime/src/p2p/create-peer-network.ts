import { setMaxListeners } from 'node:events';
import {
  type Clock,
  LruCache,
  type PeerHandler,
  type PeerListener,
  type PeerNetwork,
  type PeerProtocol,
  type PeerRequestOptions,
  type PeerServeOptions,
  type PeerVerdict,
  withDeadline,
} from '@cairn/primitives';
import type { Libp2p } from '@libp2p/interface';
import { Libp2pHost } from './create-p2p-host.ts';
import type { DiscoveryServices } from './discovery.ts';
import { P2pError } from './errors.ts';
import { DEFAULT_P2P_LIMITS } from './limits.ts';
import { linkSignals } from './link-signals.ts';
import type { P2pHost, P2pHostOptions } from './p2p-host.ts';
import { requestFault } from './request-faults.ts';
import { provideWithResolvers } from './with-resolvers.ts';

/** Who a node of the network is, and what it hears. */
export interface PeerNetworkOptions extends P2pHostOptions {
  /** Multiaddresses that others are told; those listened on unless told. */
  readonly announce?: readonly string[];
  /** Topics that may be subscribed to and published; others are refused. */
  readonly topics: readonly string[];
  /** Whether the local network is searched by multicast; not unless told. */
  readonly mdns?: boolean;
}

/** Peers that are kept out at once, at most; beyond, those longest out may come back. */
const MAX_DROPPED = 4096;
/** Peers that one look for others names. */
const MAX_DISCOVERED = 20;
const DEFAULT_TIMEOUT_MS = 20_000;

/**
 * Starts a node that finds others: TCP and WebSocket, noise, yamux, identify, Kademlia and gossipsub.
 * Questions and answers are those of `createP2pHost`, with its bounds.
 *
 * @throws what listening throws
 */
export async function createPeerNetwork(options: PeerNetworkOptions): Promise<PeerNetwork> {
  const limits = { ...DEFAULT_P2P_LIMITS, ...options.limits };
  const { key, listen = ['/ip4/127.0.0.1/tcp/0'], announce = [], topics, clock } = options;
  provideWithResolvers();
  const [{ startLibp2p, parseTarget }, { createDiscovery, VERDICTS }, { signerOf, isSignedBy }] =
    await Promise.all([
      import('./libp2p-node.ts'),
      import('./discovery.ts'),
      import('./peer-signatures.ts'),
    ]);
  const dropped = new LruCache<string, number>({ maxWeight: MAX_DROPPED });
  const refuses = (peer: string): boolean => (dropped.get(peer) ?? 0) > clock.monotonic();
  const discovery = createDiscovery({
    isReached: listen.length > 0,
    mdns: options.mdns ?? false,
    topics,
    refuses,
  });
  const node = await startLibp2p({ key, listen, limits, announce, discovery });
  const host = new Libp2pHost(node, parseTarget, options, limits);
  return new Libp2pNetwork(node, host, {
    clock,
    dropped,
    parseTarget,
    sign: await signerOf(key),
    verify: isSignedBy,
    services: discovery.running(),
    verdicts: VERDICTS,
  });
}

interface NetworkParts {
  readonly clock: Clock;
  readonly dropped: LruCache<string, number>;
  readonly parseTarget: typeof import('./libp2p-node.ts').parseTarget;
  readonly sign: (bytes: Uint8Array) => Promise<Uint8Array>;
  readonly verify: PeerNetwork['verify'];
  readonly services: Pick<DiscoveryServices, 'dht' | 'gossip'>;
  readonly verdicts: typeof import('./discovery.ts').VERDICTS;
}

class Libp2pNetwork implements PeerNetwork {
  readonly self: string;
  readonly #node: Libp2p;
  readonly #host: P2pHost;
  readonly #parts: NetworkParts;
  readonly #stopping = new AbortController();

  constructor(node: Libp2p, host: P2pHost, parts: NetworkParts) {
    this.#node = node;
    this.#host = host;
    this.#parts = parts;
    this.self = host.peerId;
    setMaxListeners(0, this.#stopping.signal);
  }

  get addresses(): readonly string[] {
    return this.#host.addresses;
  }

  peers(): readonly string[] {
    return this.#node.getPeers().map(String);
  }

  dialled(): readonly string[] {
    const outbound = this.#node
      .getConnections()
      .filter(({ direction }) => direction === 'outbound');
    return [...new Set(outbound.map(({ remotePeer }) => remotePeer.toString()))];
  }

  async connect(address: string, options: PeerRequestOptions): Promise<string> {
    const { peer, address: target } = this.#parts.parseTarget(address);
    const name = peer.toString();
    const what = { peer: name, protocol: 'connect', timeoutMs: timeoutOf(options) };
    return this.#within(options, what, async (signal) => {
      if (target === undefined) {
        throw new P2pError({ code: 'P2P_ADDRESS', address }, `${address} is no address to dial`);
      }
      await this.#node.dial(target, { signal });
      return name;
    });
  }

  async drop(peer: string, durationMs: number): Promise<void> {
    const { clock, dropped, parseTarget } = this.#parts;
    if (durationMs > 0) dropped.set(peer, clock.monotonic() + durationMs);
    await this.#node.hangUp(parseTarget(peer).peer).catch(() => undefined); // it may be gone
  }

  discover(options: PeerRequestOptions): Promise<readonly string[]> {
    const what = { peer: this.self, protocol: 'discover', timeoutMs: timeoutOf(options) };
    return this.#within(options, what, async (signal) => {
      const found = new Set<string>();
      const key = crypto.getRandomValues(new Uint8Array(32));
      for await (const event of this.#parts.services.dht.getClosestPeers(key, { signal })) {
        if (event.name !== 'PEER_RESPONSE') continue;
        for (const { id, multiaddrs } of event.closer) {
          for (const address of multiaddrs.slice(0, 2)) {
            const text = address.toString();
            if (found.size < MAX_DISCOVERED) {
              found.add(text.includes('/p2p/') ? text : `${text}/p2p/${id.toString()}`);
            }
          }
        }
        if (found.size >= MAX_DISCOVERED) break;
      }
      return [...found];
    });
  }

  handle(protocol: PeerProtocol, options: PeerServeOptions, handler: PeerHandler): Promise<void> {
    return this.#host.handle(protocol, options, handler);
  }

  request(
    peer: string,
    protocol: PeerProtocol,
    bytes: Uint8Array,
    options: PeerRequestOptions,
  ): Promise<Uint8Array> {
    return this.#host.request(peer, protocol, bytes, options);
  }

  subscribe(topic: string, listener: PeerListener): void {
    const { services, verdicts } = this.#parts;
    const { gossip } = services;
    gossip.topicValidators.set(topic, (_, message) => {
      const verdict: PeerVerdict =
        message.type === 'signed'
          ? listener({ from: message.from.toString(), bytes: message.data })
          : 'reject';
      return verdicts[verdict];
    });
    gossip.subscribe(topic);
  }

  async publish(topic: string, bytes: Uint8Array): Promise<void> {
    await this.#parts.services.gossip.publish(topic, bytes);
  }

  sign(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#parts.sign(bytes);
  }

  verify(peer: string, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
    return this.#parts.verify(peer, bytes, signature);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the network is stopped'));
    await this.#host.stop();
  }

  async #within<Result>(
    options: PeerRequestOptions,
    what: { readonly peer: string; readonly protocol: string; readonly timeoutMs: number },
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const within = linkSignals(options.signal, this.#stopping.signal);
    try {
      return await withDeadline(what.protocol, what.timeoutMs, work, {
        clock: this.#parts.clock,
        signal: within.signal,
      });
    } catch (error) {
      throw options.signal.aborted ? options.signal.reason : requestFault(error, what);
    } finally {
      within.release();
    }
  }
}

function timeoutOf({ timeoutMs = DEFAULT_TIMEOUT_MS }: PeerRequestOptions): number {
  return timeoutMs;
}
