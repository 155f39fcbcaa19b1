import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Libp2p, PeerId } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { peerIdFromString } from '@libp2p/peer-id';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { boundedWebSockets, provideWebSocket } from './bounded-web-sockets.ts';
import type { Discovery } from './discovery.ts';
import { P2pError } from './errors.ts';
import type { P2pLimits } from './limits.ts';

/** What a node of libp2p is made from. */
export interface Libp2pNodeOptions {
  /** Seed of its Ed25519 key, 32 bytes. */
  readonly key: Uint8Array;
  /** Multiaddresses to listen on, TCP or WebSocket; none for a node that only dials. */
  readonly listen: readonly string[];
  readonly limits: P2pLimits;
  /** Addresses that others are told instead of those listened on; those unless told. */
  readonly announce?: readonly string[];
  /** Services beside identify; none unless told. */
  readonly discovery?: Discovery;
}

/** How others see the program. */
const AGENT = 'cairn';
/** Silence after which a socket is closed; keep-alives come each 30 s. */
const QUIET_SOCKET_MS = 120_000;
/** Bytes of what a peer tells of itself. */
const MAX_IDENTIFY_BYTES = 8192;

/**
 * Starts libp2p with TCP and WebSocket, noise and yamux, and every bound that it has.
 *
 * This module loads libp2p: it is itself loaded only where a host is made, after
 * `provideWithResolvers`.
 *
 * @throws what listening throws
 */
export async function startLibp2p(options: Libp2pNodeOptions): Promise<Libp2p> {
  const { key, listen, limits, announce = [], discovery } = options;
  const timeouts = {
    inboundUpgradeTimeout: limits.connectMs,
    dialTimeout: limits.connectMs,
    addressDialTimeout: limits.connectMs,
    inboundStreamProtocolNegotiationTimeout: limits.connectMs,
    outboundStreamProtocolNegotiationTimeout: limits.connectMs,
  };
  // Those that have not shown who they are come on top.
  const maxSockets = limits.maxConnections + limits.maxPendingConnections;
  provideWebSocket();
  let countOf: (peer: PeerId) => number = () => 0;
  const refuses = (peer: PeerId): boolean => discovery?.refuses(peer.toString()) ?? false;
  const settings = {
    start: false,
    privateKey: await generateKeyPairFromSeed('Ed25519', key),
    nodeInfo: { userAgent: AGENT },
    addresses: { listen: [...listen], announce: [...announce] },
    transports: [
      tcp({ inboundSocketInactivityTimeout: QUIET_SOCKET_MS, maxConnections: maxSockets }),
      boundedWebSockets({
        maxBufferedBytes: limits.maxWriteBufferBytes,
        maxSockets,
        connectMs: limits.connectMs,
      }),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        maxInboundStreams: limits.maxStreams,
        maxOutboundStreams: limits.maxStreams,
        streamOptions: {
          maxStreamWindowSize: limits.maxWindowBytes,
          maxWriteBufferLength: limits.maxWriteBufferBytes,
        },
      }),
    ],
    connectionManager: {
      ...timeouts,
      maxConnections: limits.maxConnections,
      maxIncomingPendingConnections: limits.maxPendingConnections,
      inboundConnectionThreshold: limits.connectionsPerSecond,
      maxParallelDials: limits.maxPendingConnections,
      maxDialQueueLength: limits.maxConnections,
      maxPeerAddrsToDial: 4,
      reconnectRetries: 0,
      resolvers: {},
    },
    // It pings each connection with a stream of its own; quiet ones are closed here instead.
    connectionMonitor: { enabled: false },
    connectionGater: {
      denyInboundEncryptedConnection: (peer: PeerId) =>
        countOf(peer) >= limits.maxConnectionsPerPeer || refuses(peer),
      denyDialPeer: refuses,
      denyDialMultiaddr: (address: Multiaddr) => !isDialled(address),
    },
  };
  const own = { identify: identify({ maxMessageSize: MAX_IDENTIFY_BYTES }) };
  const node: Libp2p =
    discovery === undefined
      ? await createLibp2p({ ...settings, services: own })
      : await createLibp2p({
          ...settings,
          services: { ...own, ...discovery.services },
          peerDiscovery: [...discovery.found],
        });
  countOf = (peer) => node.getConnections(peer).length;
  // What is known of a peer goes with it, or some time after it where others ask for addresses:
  // peers that come once would fill the memory.
  const gone = new Map<string, PeerId>();
  node.addEventListener('peer:disconnect', ({ detail }) => {
    gone.delete(detail.toString());
    gone.set(detail.toString(), detail);
    for (const [text, peer] of gone) {
      if (gone.size <= (discovery?.rememberedPeers ?? 0)) break;
      gone.delete(text);
      if (countOf(peer) > 0) continue;
      node.peerStore.delete(peer).catch(() => undefined); // it was not known
    }
  });
  await node.start();
  return node;
}

/** Whom and where to dial. */
export interface DialTarget {
  readonly peer: PeerId;
  /** `undefined`: over a connection that there is. */
  readonly address: Multiaddr | undefined;
}

/**
 * Reads a peer id, or an address that ends in one: `/ip4/1.2.3.4/tcp/3202/p2p/12D3…`; ip4, ip6, dns4
 * and dns6 over TCP, plain or with /ws, /wss or /tls/ws.
 *
 * @throws {P2pError} P2P_ADDRESS
 */
export function parseTarget(text: string): DialTarget {
  try {
    if (!text.startsWith('/')) return { peer: peerIdFromString(text), address: undefined };
    const address = multiaddr(text);
    const last = address.getComponents().at(-1);
    if (last?.name === 'p2p' && last.value !== undefined && isDialled(address)) {
      return { peer: peerIdFromString(last.value), address };
    }
  } catch (cause) {
    throw addressFault(text, cause);
  }
  throw addressFault(text);
}

const HOSTS = ['ip4', 'ip6', 'dns', 'dns4', 'dns6'];
const FORMS = ['tcp', 'tcp/ws', 'tcp/wss', 'tcp/tls/ws'];

/** Whether an address names a host and a port, and nothing that leads elsewhere. */
function isDialled(address: Multiaddr): boolean {
  const [host = '', ...rest] = address.getComponents().map(({ name }) => name);
  const form = (rest.at(-1) === 'p2p' ? rest.slice(0, -1) : rest).join('/');
  return HOSTS.includes(host) && FORMS.includes(form);
}

function addressFault(address: string, cause?: unknown): P2pError {
  const shown = address.slice(0, 200);
  return new P2pError(
    { code: 'P2P_ADDRESS', address: shown },
    `${shown} is no peer id and no address of one that can be dialled`,
    cause === undefined ? undefined : { cause },
  );
}
