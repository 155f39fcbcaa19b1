import type { Clock, Logger, Metrics, PeerRequestOptions } from '@cairn/primitives';
import type { P2pLimits } from './limits.ts';
import type { P2pHandler, P2pProtocol, P2pServeOptions } from './protocol.ts';

/** Who a host is and where it listens. */
export interface P2pHostOptions {
  /** Seed of an Ed25519 key, 32 bytes: `openP2pKey`, or `randomP2pKey` for a host that only asks. */
  readonly key: Uint8Array;
  /** Multiaddresses, TCP or WebSocket (…/ws); `/ip4/127.0.0.1/tcp/0` unless told, none to only ask. */
  readonly listen?: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  readonly limits?: Partial<P2pLimits>;
  /** Gives up everything at work when it aborts; `stop` is still to be called. */
  readonly stopping?: AbortSignal;
}

/** How long and for whom a request waits: see the port. */
export type P2pRequestOptions = PeerRequestOptions;

/** What is open on a host. */
export interface P2pCounts {
  readonly connections: number;
  /** Streams for requests, of both directions. */
  readonly streams: number;
}

/** A host of libp2p that asks and answers: one message each way, both bounded. */
export interface P2pHost {
  readonly peerId: string;
  /** Where it is reached, each with its peer id at the end; none if it does not listen. */
  readonly addresses: readonly string[];
  readonly counts: P2pCounts;
  /**
   * Answers a protocol from now on.
   *
   * @throws {P2pError} P2P_SETTING for bounds that cannot be or a protocol that is answered already
   */
  handle(protocol: P2pProtocol, options: P2pServeOptions, handler: P2pHandler): Promise<void>;
  /**
   * Asks a peer. A request may reach it twice, where a kept stream had just been ended.
   *
   * @param to - a multiaddress that ends in /p2p/<peer id>, or the peer id of a connection there is
   * @returns the reply's bytes
   * @throws {P2pError} P2P_ADDRESS, P2P_UNREACHABLE, P2P_PROTOCOL_UNKNOWN, P2P_TIMEOUT, P2P_TOO_LONG,
   *   P2P_FRAME, P2P_REFUSED, P2P_QUOTA, P2P_BUSY, P2P_STOPPED; {QueueFullError} QUEUE_FULL; the
   *   signal's reason
   */
  request(
    to: string,
    protocol: P2pProtocol,
    bytes: Uint8Array,
    options: P2pRequestOptions,
  ): Promise<Uint8Array>;
  /** Takes no more requests, lets those at work end within the drain time, then closes everything. */
  stop(): Promise<void>;
}
