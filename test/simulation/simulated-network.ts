import type { Clock, Rng } from '@cairn/primitives';
import { SimulatedPeer } from './simulated-peer.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** How a seat's messages travel. */
export interface Manners {
  /** Time that the peer takes before it answers, at most, beside the way. */
  readonly answerMs: number;
  /** What becomes of its answers; honest peers leave them as they are. */
  readonly tamper?: (protocol: string, reply: Uint8Array) => Uint8Array;
}

/** What the network is made of. */
export interface SimulatedNetworkDeps {
  readonly clock: Clock & Pick<VirtualClock, 'after'>;
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

/** A message on its way. */
export interface Gossip {
  readonly id: number;
  readonly from: string;
  readonly topic: string;
  readonly bytes: Uint8Array;
}
