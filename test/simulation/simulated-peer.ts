import { createHash } from 'node:crypto';
import { P2pError, P2pRefusal } from '@cairn/node-runtime/p2p';
import {
  isFault,
  type PeerHandler,
  type PeerListener,
  type PeerNetwork,
  type PeerProtocol,
  type PeerRequestOptions,
  type PeerServeOptions,
} from '@cairn/primitives';
import { peerOfAddress } from '@cairn/wire-protocol/peers';
import { TokenBuckets } from '../../foundation/node-runtime/src/p2p/token-buckets.ts';
import type { Gossip, Manners, SimulatedNetwork } from './simulated-network.ts';

const DEFAULT_TIMEOUT_MS = 20_000;
/** Longer than anybody waits for an answer. */
const NEVER_MS = 3_600_000;
/** Messages that a peer knows it has heard. */
const MAX_HEARD = 20_000;
/** Peers whose use of a method is remembered, as of real hosts. */
const MAX_METERED_PEERS = 4096;

/** How a peer answers a question. */
interface Served {
  readonly handler: PeerHandler;
  readonly itemsOf: (request: Uint8Array) => number;
  readonly buckets: TokenBuckets;
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
  readonly #served = new Map<string, Served>();
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

  async handle(
    { id }: PeerProtocol,
    { quota, itemsOf = () => 1 }: PeerServeOptions,
    handler: PeerHandler,
  ): Promise<void> {
    const buckets = new TokenBuckets(quota, this.#network.clock, MAX_METERED_PEERS);
    this.#served.set(id, { handler, itemsOf, buckets });
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
    const served = this.#served.get(id);
    if (served === undefined) {
      const facts = { code: 'P2P_PROTOCOL_UNKNOWN', peer: this.self, protocol: id } as const;
      throw new P2pError(facts, `${this.self} does not speak ${id}`);
    }
    try {
      if (!served.buckets.spend(peer, served.itemsOf(bytes))) throw overQuota(this.self, id);
      const reply = await served.handler(bytes, { peer, signal });
      requireLength('reply', reply, maxReplyBytes);
      return reply;
    } catch (error) {
      if (signal.aborted) throw unreachable(this.self);
      if (isFault(error, 'P2P_QUOTA')) throw error;
      const isRefusal = error instanceof P2pRefusal;
      const reply = isRefusal ? error.facts.code : 'INTERNAL';
      const facts = { code: 'P2P_REFUSED', peer: this.self, protocol: id, reply } as const;
      throw new P2pError(facts, isRefusal ? error.message : 'the peer failed');
    }
  }

  /** Whether a message came here before. */
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
    return new Promise((resolve, reject) => {
      const expiry = this.#network.clock.after(timeoutMs, () => {
        const facts = { code: 'P2P_TIMEOUT', peer, protocol, timeoutMs } as const;
        reject(new P2pError(facts, `${peer} did not answer ${protocol} within ${timeoutMs} ms`));
      });
      const settle = <Value>(tell: (value: Value) => void): ((value: Value) => void) => {
        return (value) => {
          expiry.run = undefined;
          tell(value);
        };
      };
      work(signal).then(settle(resolve), settle(reject));
    });
  }
}

function unreachable(peer: string): P2pError {
  const facts = { code: 'P2P_UNREACHABLE', peer, protocol: 'connect' } as const;
  return new P2pError(facts, `nobody answers as ${peer}`);
}

function overQuota(peer: string, protocol: string): P2pError {
  const facts = { code: 'P2P_QUOTA', peer, protocol } as const;
  return new P2pError(facts, `more than a peer may ask ${peer} for by ${protocol}`);
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
