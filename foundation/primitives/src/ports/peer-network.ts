/** A question that has one answer: what both sides know of it. */
export interface PeerProtocol {
  /** `/cairn/<area>/<question>/<version>`. */
  readonly id: string;
  /** Bytes of a request at most, up to 1 MiB; it has at least one. */
  readonly maxRequestBytes: number;
  /** Bytes of a reply at most, up to 1 MiB; it may have none. */
  readonly maxReplyBytes: number;
}

/** How much of a method one peer may use. */
export interface PeerQuota {
  /** Items that it may ask for at once, after a rest. */
  readonly burstItems: number;
  /** Items a second that come back. */
  readonly itemsPerSecond: number;
}

/** How a protocol is served. */
export interface PeerServeOptions {
  /** What one peer may use. */
  readonly quota: PeerQuota;
  /**
   * Items that a request asks for, at least 1 each; 1 unless told.
   *
   * @throws {Fault} for a request that is none: the peer is refused with its code
   */
  readonly itemsOf?: (request: Uint8Array) => number;
}

/** Who asks. */
export interface PeerCall {
  /** Its peer id, proven by the connection. */
  readonly peer: string;
  /** Aborts when time is up, the stream ends or the host stops. */
  readonly signal: AbortSignal;
}

/** Answers a request with at most the protocol's bytes. @throws to refuse */
export type PeerHandler = (request: Uint8Array, call: PeerCall) => Promise<Uint8Array>;

/** How long and for whom a request waits. */
export interface PeerRequestOptions {
  /** For all of it, connecting included; 20,000 ms unless told. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

/** A message that was published to everybody who listens to a topic. */
export interface PeerMessage {
  /** Who published it, proven by its signature; not who passed it on. */
  readonly from: string;
  readonly bytes: Uint8Array;
}

/** What becomes of a message: passed on, dropped, or held against whoever sent it. */
export type PeerVerdict = 'accept' | 'ignore' | 'reject';

/** Judges a message that was heard; only `accept` passes it on. Quick: it holds the others up. */
export type PeerListener = (message: PeerMessage) => PeerVerdict;

/**
 * Other nodes, as a node sees them: peers known by the key they hold, questions with one answer, and
 * messages to all. Real nodes have libp2p; simulations have a network that is turned by hand.
 */
export interface PeerNetwork {
  /** This node's peer id. */
  readonly self: string;
  /** Where this node is reached; none if it cannot be. */
  readonly addresses: readonly string[];
  /** Peers that there is a connection to now, whoever opened it. */
  peers(): readonly string[];
  /** Those of them whose connection this node opened. */
  dialled(): readonly string[];
  /**
   * Connects to an address that ends in /p2p/<peer id>.
   *
   * @returns the peer id
   * @throws a fault if nobody answers there, or somebody else does; the signal's reason
   */
  connect(address: string, options: PeerRequestOptions): Promise<string>;
  /** Ends the connections with a peer and refuses new ones for `durationMs`; 0 only ends them. */
  drop(peer: string, durationMs: number): Promise<void>;
  /** Looks for peers at a random place of the network. @returns addresses to connect to, at most 20 */
  discover(options: PeerRequestOptions): Promise<readonly string[]>;
  /** Answers a protocol from now on. @throws for bounds that cannot be */
  handle(protocol: PeerProtocol, options: PeerServeOptions, handler: PeerHandler): Promise<void>;
  /** Asks a peer that there is a connection to. @throws a fault of the network; the signal's reason */
  request(
    peer: string,
    protocol: PeerProtocol,
    bytes: Uint8Array,
    options: PeerRequestOptions,
  ): Promise<Uint8Array>;
  /** Hears a topic from now on; one listener each. */
  subscribe(topic: string, listener: PeerListener): void;
  /** Tells everybody who hears the topic. Nobody may be there: that is no fault. */
  publish(topic: string, bytes: Uint8Array): Promise<void>;
  /** This node's signature over `bytes`, 64 bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
  /** Whether `signature` over `bytes` is that of the peer with this id; false for what is no id. */
  verify(peer: string, bytes: Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** Ends all connections. */
  stop(): Promise<void>;
}
