import {
  type Clock,
  isFault,
  LruCache,
  type PeerHandler,
  type PeerNetwork,
  type PeerProtocol,
  type PeerRequestOptions,
  type PeerServeOptions,
} from '@cairn/primitives';
import {
  type PeerLog,
  parseSegmentQuestion,
  parseSignedRecord,
  RECORDS_PROTOCOL,
  SEGMENTS_PROTOCOL,
  splitRecords,
} from '@cairn/wire-protocol/peers';
import { StorageNodeError } from '../errors.ts';

/** Peers that a chain left and has not forgotten, at most. */
const MAX_LEFT = 4096;

/**
 * One place in the network of peers for several chains: one key, one set of connections. What peers ask goes to
 * the chain that the question names; a chain that leaves a peer leaves it to the others. Who stops it is the owner
 * of the network, not a chain.
 */
export class SharedNetwork {
  readonly #network: PeerNetwork;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #views: ChainNetwork[] = [];
  readonly #handlers = new Map<string, Map<string, PeerHandler>>();

  constructor(deps: { readonly network: PeerNetwork; readonly clock: Pick<Clock, 'monotonic'> }) {
    this.#network = deps.network;
    this.#clock = deps.clock;
  }

  /** The network as one chain sees it. Its `stop` does nothing: other chains use the connections. */
  viewFor(log: PeerLog): PeerNetwork {
    const view = new ChainNetwork(this.#network, this.#clock, {
      handle: (protocol, options, handler) => this.#handle(log, protocol, options, handler),
      onLeave: (peer, durationMs) => this.#onLeave(peer, durationMs),
    });
    this.#views.push(view);
    return view;
  }

  async #handle(
    log: PeerLog,
    protocol: PeerProtocol,
    options: PeerServeOptions,
    handler: PeerHandler,
  ): Promise<void> {
    const known = this.#handlers.get(protocol.id);
    const handlers = known ?? new Map<string, PeerHandler>();
    handlers.set(keyOf(log), handler);
    if (known !== undefined) return;
    this.#handlers.set(protocol.id, handlers);
    await this.#network.handle(protocol, options, async (request, call) => {
      const asked = logOf(protocol, request);
      // Whoever asks for a log that is not kept, or for nothing at all, is refused by any of them.
      const chosen = (asked && handlers.get(keyOf(asked))) ?? handler;
      return chosen(request, call);
    });
  }

  /** A peer that no chain has a use for is left for good. */
  async #onLeave(peer: string, durationMs: number): Promise<void> {
    if (this.#views.every((view) => view.hasLeft(peer))) await this.#network.drop(peer, durationMs);
  }
}

interface ChainNetworkHooks {
  readonly handle: PeerNetwork['handle'];
  readonly onLeave: (peer: string, durationMs: number) => Promise<void>;
}

class ChainNetwork implements PeerNetwork {
  readonly #network: PeerNetwork;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #hooks: ChainNetworkHooks;
  /** Until when a peer is left alone, on the monotonic clock. */
  readonly #left = new LruCache<string, number>({ maxWeight: MAX_LEFT });

  constructor(network: PeerNetwork, clock: Pick<Clock, 'monotonic'>, hooks: ChainNetworkHooks) {
    this.#network = network;
    this.#clock = clock;
    this.#hooks = hooks;
  }

  get self(): string {
    return this.#network.self;
  }

  get addresses(): readonly string[] {
    return this.#network.addresses;
  }

  hasLeft(peer: string): boolean {
    return (this.#left.get(peer) ?? 0) > this.#clock.monotonic();
  }

  peers(): readonly string[] {
    return this.#network.peers().filter((peer) => !this.hasLeft(peer));
  }

  dialled(): readonly string[] {
    return this.#network.dialled().filter((peer) => !this.hasLeft(peer));
  }

  async connect(address: string, options: PeerRequestOptions): Promise<string> {
    const peer = await this.#network.connect(address, options);
    if (!this.hasLeft(peer)) return peer;
    throw new StorageNodeError(
      { code: 'PEER_LEFT', peer },
      `${peer} was left lately: it does not keep this chain's log, or lied about it`,
    );
  }

  async drop(peer: string, durationMs: number): Promise<void> {
    if (durationMs > 0) this.#left.set(peer, this.#clock.monotonic() + durationMs);
    await this.#hooks.onLeave(peer, durationMs);
  }

  discover(options: PeerRequestOptions): Promise<readonly string[]> {
    return this.#network.discover(options);
  }

  handle(protocol: PeerProtocol, options: PeerServeOptions, handler: PeerHandler): Promise<void> {
    return this.#hooks.handle(protocol, options, handler);
  }

  request(
    peer: string,
    protocol: PeerProtocol,
    bytes: Uint8Array,
    options: PeerRequestOptions,
  ): Promise<Uint8Array> {
    return this.#network.request(peer, protocol, bytes, options);
  }

  subscribe(topic: string, listener: Parameters<PeerNetwork['subscribe']>[1]): void {
    this.#network.subscribe(topic, listener);
  }

  publish(topic: string, bytes: Uint8Array): Promise<void> {
    return this.#network.publish(topic, bytes);
  }

  sign(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#network.sign(bytes);
  }

  verify(peer: string, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
    return this.#network.verify(peer, bytes, signature);
  }

  async stop(): Promise<void> {
    // the other chains go on
  }
}

/** Which log a request is about; `undefined` for what no chain can answer. */
function logOf({ id }: PeerProtocol, request: Uint8Array): PeerLog | undefined {
  try {
    if (id === SEGMENTS_PROTOCOL.id) return parseSegmentQuestion(request);
    if (id !== RECORDS_PROTOCOL.id) return undefined;
    const [first] = splitRecords(request);
    return first && parseSignedRecord(first).record;
  } catch (error) {
    if (isFault(error)) return undefined; // refused by whoever judges it
    throw error;
  }
}

function keyOf({ chainId, flow }: PeerLog): string {
  return `${chainId} ${flow}`;
}
