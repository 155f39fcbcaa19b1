import { createHash } from 'node:crypto';
import { P2pError, P2pRefusal } from '@cairn/node-runtime/p2p';
import type {
  Clock,
  PeerHandler,
  PeerListener,
  PeerNetwork,
  PeerProtocol,
  PeerRequestOptions,
  Rng,
} from '@cairn/primitives';
import { peerOfAddress } from '@cairn/wire-protocol/peers';

/** How a seat's messages travel. */
export interface Manners {
  /** Time that the peer takes before it answers, at most, beside the way. */
  readonly answerMs: number;
  /** What becomes of its answers; honest peers leave them as they are. */
  readonly tamper?: (protocol: string, reply: Uint8Array) => Uint8Array;
}

/** What the network is made of. */
export interface SimulatedNetworkDeps {
  readonly clock: Clock & { after(durationMs: number, run: () => void): void };
  readonly rng: Rng;
  /** Told of everything that happens. */
  readonly note: (what: string) => void;
  /** Told of what a peer answers another. */
  readonly onReply: (from: string, protocol: string, reply: Uint8Array) => void;
  /** Told of what a peer publishes. */
  readonly onPublish: (from: string, bytes: Uint8Array) => void;
  /** Told of a peer that keeps another out. */
  readonly onDrop: (by: string, peer: string) => void;
}

/** What was sent. */
export interface Traffic {
  requests: number;
  requestBytes: number;
  gossip: number;
  gossipBytes: number;
}

/** Time of a message on its way: 5 to 60 ms. */
const MIN_WAY_MS = 5;
const WAY_SPREAD_MS = 55;
/** One message of so many is lost. */
const LOST_ONE_OF = 100;
/** Peers that a message is passed on to. */
const FANOUT = 4;
const DEFAULT_TIMEOUT_MS = 20_000;
/** Longer than anybody waits for an answer. */
const NEVER_MS = 3_600_000;
/** Messages that a peer knows it has heard. */
const MAX_HEARD = 20_000;

/** All peers and what is between them: latency, loss, partitions. Turned by a clock, drawn by a seed. */
export class SimulatedNetwork {
  readonly traffic: Traffic = { requests: 0, requestBytes: 0, gossip: 0, gossipBytes: 0 };
  readonly #deps: SimulatedNetworkDeps;
  readonly #online = new Map<string, SimulatedPeer>();
  /** Which side of a partition a peer is on; all on one unless told. */
  #sides = new Map<string, number>();
  #sent = 0;

  constructor(deps: SimulatedNetworkDeps) {
    this.#deps = deps;
  }

  get clock(): SimulatedNetworkDeps['clock'] {
    return this.#deps.clock;
  }

  get rng(): Rng {
    return this.#deps.rng;
  }

  /** A peer comes to its address. */
  join(peer: string, address: string, manners: Manners): SimulatedPeer {
    const seat = new SimulatedPeer(this, peer, address, manners);
    this.#online.set(peer, seat);
    return seat;
  }

  /** A peer is gone, with all its connections. */
  leave(peer: string): void {
    this.#online.delete(peer);
    for (const other of this.#online.values()) other.unlink(peer);
  }

  /** Cuts the network in two: connections between the sides end. */
  split(sides: ReadonlyMap<string, number>): void {
    this.#sides = new Map(sides);
    for (const [peer, seat] of this.#online) {
      for (const other of seat.peers()) if (!this.isReached(peer, other)) seat.unlink(other);
    }
  }

  /** Makes it one again. */
  heal(): void {
    this.#sides.clear();
  }

  isReached(from: string, to: string): boolean {
    return (
      this.#online.has(from) &&
      this.#online.has(to) &&
      (this.#sides.get(from) ?? 0) === (this.#sides.get(to) ?? 0)
    );
  }

  seatOf(peer: string): SimulatedPeer | undefined {
    return this.#online.get(peer);
  }

  /** Addresses of some peers that are there. */
  someAddresses(count: number): readonly string[] {
    const all = [...this.#online.values()].flatMap(({ addresses }) => addresses);
    return Array.from({ length: Math.min(count, all.length) }, () => {
      return all.splice(this.rng.below(all.length), 1)[0] ?? '';
    });
  }

  wayMs(): number {
    return MIN_WAY_MS + this.rng.below(WAY_SPREAD_MS);
  }

  isLost(): boolean {
    return this.rng.below(LOST_ONE_OF) === 0;
  }

  noteReply(from: string, to: string, protocol: string, reply: Uint8Array): void {
    this.#deps.note(`${from} ${protocol} ${to} ${reply.length}`);
    this.traffic.requests += 1;
    this.traffic.requestBytes += reply.length;
    this.#deps.onReply(from, protocol, reply);
  }

  noteDrop(by: string, peer: string): void {
    this.#deps.note(`${by} keeps ${peer} out`);
    this.#deps.onDrop(by, peer);
  }

  /** Passes a message on to some of a peer's neighbours; not back, and not to its maker. */
  spread(by: SimulatedPeer, message: Gossip, heardFrom?: string): void {
    const neighbours = by.peers().filter((peer) => peer !== heardFrom && peer !== message.from);
    for (let left = FANOUT; left > 0 && neighbours.length > 0; left -= 1) {
      const [to = ''] = neighbours.splice(this.rng.below(neighbours.length), 1);
      this.traffic.gossip += 1;
      this.traffic.gossipBytes += message.bytes.length;
      const wayMs = this.wayMs();
      // Who has heard it does nothing about it when it comes again.
      if (this.isLost() || this.#online.get(to)?.hasHeard(message) !== false) continue;
      this.clock.after(wayMs, () => {
        if (this.isReached(by.self, to)) this.#online.get(to)?.hear(by.self, message);
      });
    }
  }

  /** A new message, that its maker spreads. */
  publish(from: string, topic: string, bytes: Uint8Array): Gossip {
    this.#deps.onPublish(from, bytes);
    this.#sent += 1;
    return { id: this.#sent, from, topic, bytes };
  }

  noteHeard(peer: string, { id, from }: Gossip): void {
    this.#deps.note(`${peer} heard ${id} of ${from}`);
  }
}

interface Gossip {
  readonly id: number;
  readonly from: string;
  readonly topic: string;
  readonly bytes: Uint8Array;
}

/** One node's end of the network. */
export class SimulatedPeer implements PeerNetwork {
  readonly self: string;
  readonly addresses: readonly string[];
  readonly manners: Manners;
  readonly #network: SimulatedNetwork;
  /** Peers, and whether this end opened the connection. */
  readonly #links = new Map<string, boolean>();
  readonly #droppedUntilMs = new Map<string, number>();
  readonly #handlers = new Map<string, PeerHandler>();
  readonly #listeners = new Map<string, PeerListener>();
  readonly #heard = new Set<number>();
  readonly #running = new AbortController();

  constructor(network: SimulatedNetwork, peer: string, address: string, manners: Manners) {
    this.#network = network;
    this.self = peer;
    this.addresses = [address];
    this.manners = manners;
  }

  peers(): string[] {
    return [...this.#links.keys()];
  }

  dialled(): readonly string[] {
    return [...this.#links].filter(([, isOurs]) => isOurs).map(([peer]) => peer);
  }

  async connect(address: string, options: PeerRequestOptions): Promise<string> {
    const peer = peerOfAddress(address) ?? '';
    return this.#within(peer, 'connect', options, async (signal) => {
      await this.#network.clock.sleep(this.#network.wayMs(), signal);
      const other = this.#network.seatOf(peer);
      const isOpen = this.#network.isReached(this.self, peer) && other !== undefined;
      if (!isOpen || this.refuses(peer) || other.refuses(this.self)) throw unreachable(peer);
      if (!this.#links.has(peer)) this.#links.set(peer, true);
      other.link(this.self);
      return peer;
    });
  }

  async drop(peer: string, durationMs: number): Promise<void> {
    const { clock } = this.#network;
    if (durationMs > 0) {
      this.#droppedUntilMs.set(peer, clock.monotonic() + durationMs);
      this.#network.noteDrop(this.self, peer);
    }
    this.unlink(peer);
    this.#network.seatOf(peer)?.unlink(this.self);
  }

  discover(options: PeerRequestOptions): Promise<readonly string[]> {
    return this.#within(this.self, 'discover', options, async (signal) => {
      await this.#network.clock.sleep(2 * this.#network.wayMs(), signal);
      return this.#links.size === 0 ? [] : this.#network.someAddresses(20);
    });
  }

  async handle(protocol: PeerProtocol, _: unknown, handler: PeerHandler): Promise<void> {
    this.#handlers.set(protocol.id, handler);
  }

  request(
    peer: string,
    protocol: PeerProtocol,
    bytes: Uint8Array,
    options: PeerRequestOptions,
  ): Promise<Uint8Array> {
    return this.#within(peer, protocol.id, options, async (signal) => {
      const { clock, rng } = this.#network;
      requireLength('request', bytes, protocol.maxRequestBytes);
      if (!this.#links.has(peer)) throw unreachable(peer);
      await clock.sleep(this.#network.wayMs(), signal);
      if (this.#network.isLost()) await clock.sleep(NEVER_MS, signal);
      const other = this.#network.seatOf(peer);
      if (other === undefined || !this.#links.has(peer)) throw unreachable(peer);
      const { manners } = other;
      if (manners.answerMs > 0) await clock.sleep(rng.below(manners.answerMs), signal);
      const honest = await other.answer(this.self, protocol, bytes);
      signal.throwIfAborted();
      const reply = manners.tamper?.(protocol.id, honest) ?? honest;
      this.#network.noteReply(peer, this.self, protocol.id, reply);
      await clock.sleep(this.#network.wayMs(), signal);
      if (!this.#links.has(peer)) throw unreachable(peer);
      return reply;
    });
  }

  subscribe(topic: string, listener: PeerListener): void {
    this.#listeners.set(topic, listener);
  }

  async publish(topic: string, bytes: Uint8Array): Promise<void> {
    const message = this.#network.publish(this.self, topic, bytes);
    this.#heard.add(message.id);
    this.#network.spread(this, message);
  }

  async sign(bytes: Uint8Array): Promise<Uint8Array> {
    return signatureOf(this.self, bytes);
  }

  async verify(peer: string, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
    return Buffer.compare(signatureOf(peer, bytes), signature) === 0;
  }

  async stop(): Promise<void> {
    this.#running.abort(new P2pError({ code: 'P2P_STOPPED' }, 'the host is stopping'));
    this.#network.leave(this.self);
  }

  /** Whether a peer is kept out now. */
  refuses(peer: string): boolean {
    return (this.#droppedUntilMs.get(peer) ?? 0) > this.#network.clock.monotonic();
  }

  /** A connection that another opened. */
  link(peer: string): void {
    if (!this.#links.has(peer)) this.#links.set(peer, false);
  }

  unlink(peer: string): void {
    this.#links.delete(peer);
  }

  /** Answers a question as a host does: a refusal is told with its code, another fault without. */
  async answer(
    peer: string,
    { id, maxReplyBytes }: PeerProtocol,
    bytes: Uint8Array,
  ): Promise<Uint8Array> {
    const { signal } = this.#running;
    const handler = this.#handlers.get(id);
    if (handler === undefined) {
      const facts = { code: 'P2P_PROTOCOL_UNKNOWN', peer: this.self, protocol: id } as const;
      throw new P2pError(facts, `${this.self} does not speak ${id}`);
    }
    try {
      const reply = await handler(bytes, { peer, signal });
      requireLength('reply', reply, maxReplyBytes);
      return reply;
    } catch (error) {
      if (signal.aborted) throw unreachable(this.self);
      const isRefusal = error instanceof P2pRefusal;
      const reply = isRefusal ? error.facts.code : 'INTERNAL';
      const facts = { code: 'P2P_REFUSED', peer: this.self, protocol: id, reply } as const;
      throw new P2pError(facts, isRefusal ? error.message : 'the peer failed');
    }
  }

  hasHeard({ id }: Pick<Gossip, 'id'>): boolean {
    return this.#heard.has(id);
  }

  /** Hears a message from a neighbour, once. */
  hear(by: string, message: Gossip): void {
    if (this.#heard.has(message.id) || !this.#links.has(by)) return;
    if (this.#heard.size >= MAX_HEARD) this.#heard.clear();
    this.#heard.add(message.id);
    const verdict = this.#listeners.get(message.topic)?.(message);
    this.#network.noteHeard(this.self, message);
    if (verdict === 'accept') this.#network.spread(this, message, by);
  }

  async #within<Result>(
    peer: string,
    protocol: string,
    { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: PeerRequestOptions,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted();
    const expiry = new Promise<never>((_, reject) => {
      this.#network.clock.after(timeoutMs, () => {
        const facts = { code: 'P2P_TIMEOUT', peer, protocol, timeoutMs } as const;
        reject(new P2pError(facts, `${peer} did not answer ${protocol} within ${timeoutMs} ms`));
      });
    });
    expiry.catch(() => undefined); // mostly nobody waits for it any more
    return Promise.race([work(signal), expiry]);
  }
}

function unreachable(peer: string): P2pError {
  const facts = { code: 'P2P_UNREACHABLE', peer, protocol: 'connect' } as const;
  return new P2pError(facts, `nobody answers as ${peer}`);
}

function requireLength(what: 'request' | 'reply', bytes: Uint8Array, maxBytes: number): void {
  const lengthBytes = bytes.length;
  if (lengthBytes <= maxBytes) return;
  const facts = { code: 'P2P_TOO_LONG', what, lengthBytes, maxBytes } as const;
  throw new P2pError(facts, `a ${what} of ${lengthBytes} bytes, ${maxBytes} at most`);
}

/** Stands for a signature: nobody in the simulation makes one for somebody else. */
function signatureOf(peer: string, bytes: Uint8Array): Uint8Array {
  return createHash('sha512').update(`simulated key of ${peer}`).update(bytes).digest();
}
