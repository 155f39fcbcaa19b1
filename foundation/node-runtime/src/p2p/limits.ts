import { MIB } from '@cairn/primitives';

/** Bounds of a libp2p host. Each has a default. */
export interface P2pLimits {
  /** Connections at once, of both directions; 150. */
  readonly maxConnections: number;
  /** Connections that one peer may open; 2. */
  readonly maxConnectionsPerPeer: number;
  /** Connections a second that are taken from one address; 20. */
  readonly connectionsPerSecond: number;
  /** Connections that are still shaking hands; 32. */
  readonly maxPendingConnections: number;
  /** Streams that a peer may have open on a connection, over all protocols; 128. */
  readonly maxStreams: number;
  /** Streams that a peer may have open on a connection for one protocol; 8. */
  readonly maxStreamsPerProtocol: number;
  /** Streams that this host opens to one peer for one protocol; requests beyond wait. 4. */
  readonly streamsToPeer: number;
  /** Requests to one peer of one protocol that wait; 256. */
  readonly maxWaitingToPeer: number;
  /** Requests of one protocol at work, until their reply has left; 32. */
  readonly maxServing: number;
  /** Requests of one protocol that wait for that; 256. */
  readonly maxServingWaiting: number;
  /** Peers whose use of a protocol is remembered; 4,096. */
  readonly maxMeteredPeers: number;
  /** The largest window of a stream; 1 MiB. */
  readonly maxWindowBytes: number;
  /** Bytes of a stream that wait to leave; 8 MiB. */
  readonly maxWriteBufferBytes: number;
  /** Time to connect, shake hands and agree on a protocol; 10 s. */
  readonly connectMs: number;
  /** Time for one request to be answered by its handler; 20 s. */
  readonly serveMs: number;
  /** Time for a reply to be taken; 15 s. */
  readonly replyMs: number;
  /** Time that a stream waits for its next request, all of it; 60 s. */
  readonly streamIdleMs: number;
  /** Time that a stream of this host is kept for its next request; 10 s. */
  readonly pooledMs: number;
  /** Time that a connection without streams is kept; 60 s. */
  readonly connectionIdleMs: number;
  /** How often streams and connections are looked after; 1 s. */
  readonly tidyMs: number;
  /** Time for running requests to end when the host stops; 10 s. */
  readonly drainMs: number;
}

/** The limits of a host that is told nothing else. */
export const DEFAULT_P2P_LIMITS: P2pLimits = {
  maxConnections: 150,
  maxConnectionsPerPeer: 2,
  connectionsPerSecond: 20,
  maxPendingConnections: 32,
  maxStreams: 128,
  maxStreamsPerProtocol: 8,
  streamsToPeer: 4,
  maxWaitingToPeer: 256,
  maxServing: 32,
  maxServingWaiting: 256,
  maxMeteredPeers: 4096,
  maxWindowBytes: MIB,
  maxWriteBufferBytes: 8 * MIB,
  connectMs: 10_000,
  serveMs: 20_000,
  replyMs: 15_000,
  streamIdleMs: 60_000,
  pooledMs: 10_000,
  connectionIdleMs: 60_000,
  tidyMs: 1000,
  drainMs: 10_000,
};

/** Bytes of a message at most, whatever its protocol says. */
export const MAX_P2P_MESSAGE_BYTES: number = MIB;
