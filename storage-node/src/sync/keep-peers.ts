import {
  type Clock,
  describeError,
  forEachConcurrent,
  type Logger,
  LruCache,
  type PeerNetwork,
  type Rng,
} from '@cairn/primitives';
import { peerOfAddress } from '@cairn/wire-protocol/peers';
import type { PeerBook } from './peer-book.ts';
import type { RecordOffice } from './record-office.ts';
import type { SyncMetrics } from './sync-metrics.ts';

/** What keeping peers works with. */
export interface PeerKeeperDeps {
  readonly network: Pick<PeerNetwork, 'self' | 'peers' | 'connect' | 'drop' | 'discover'>;
  readonly book: PeerBook;
  readonly office: Pick<RecordOffice, 'exchange'>;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly metrics: SyncMetrics;
  /** Told when a peer is met on a new connection. */
  readonly onMet: () => void;
}

/** Whom to know first, and how many. */
export interface PeerKeeperOptions {
  /** Multiaddresses that end in a peer id. */
  readonly boot: readonly string[];
  /** Connections that are looked for; more come by themselves. */
  readonly targetPeers: number;
}

/** Time between looks at who is there. */
const LOOK_MS = 1000;
/** Time between exchanges of records with somebody. */
const EXCHANGE_MS = 10_000;
/** Time between looks for strangers, while peers are too few. */
const DISCOVER_MS = 15_000;
/** The first rest after an address did not answer; it doubles up to the longest. */
const REDIAL_MS = 2000;
const MAX_REDIAL_MS = 300_000;
/** Nodes of another log, and of another kind, are not met again for so long. */
const STRANGER_MS = 600_000;
/** A node that begins is reached before it knows its protocols; who knows none by then is of another kind. */
const BEGIN_MS = 30_000;
/** Addresses dialled at once, and in one look. */
const PARALLEL = 4;
const MAX_DIALS = 8;
const MAX_TRIED = 4096;

/** Keeps connections to enough peers, and knows who else is there. */
export class PeerKeeper {
  readonly #deps: PeerKeeperDeps;
  readonly #options: PeerKeeperOptions;
  /** Peers that records were exchanged with on the connection there is. */
  readonly #met = new Set<string>();
  /** Since when peers of the connections there are know no protocol of ours. */
  readonly #mute = new Map<string, number>();
  readonly #tried = new LruCache<string, { readonly failures: number; readonly againMs: number }>({
    maxWeight: MAX_TRIED,
  });
  #exchangedAtMs = Number.NEGATIVE_INFINITY;
  #discoveredAtMs = Number.NEGATIVE_INFINITY;
  #strangers: readonly string[] = [];
  #isAsked = false;

  constructor(deps: PeerKeeperDeps, options: PeerKeeperOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Exchanges records soon: somebody was heard of whose record is not held. */
  askAround(): void {
    this.#isAsked = true;
  }

  /** Runs until `signal` aborts. @throws the signal's reason */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    for (;;) {
      await this.#look(signal);
      await clock.sleep(LOOK_MS, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { network, book, metrics, clock } = this.#deps;
    const connected = network.peers();
    metrics.connectedPeers.set(connected.length);
    metrics.knownPeers.set(book.size);
    for (const peer of this.#met) if (!connected.includes(peer)) this.#met.delete(peer);
    for (const peer of this.#mute.keys()) if (!connected.includes(peer)) this.#mute.delete(peer);
    const nowMs = clock.monotonic();
    const unmet = connected.filter((peer) => !this.#met.has(peer));
    await forEachConcurrent(unmet, (peer, inner) => this.#greet(peer, inner), {
      parallel: PARALLEL,
      signal,
    });
    if (connected.length < this.#options.targetPeers) {
      await this.#dialMore(connected, nowMs, signal);
    }
    const isDue = nowMs - this.#exchangedAtMs >= EXCHANGE_MS;
    const left = network.peers(); // who was a stranger has gone
    if ((isDue || this.#isAsked) && left.length > 0) {
      this.#exchangedAtMs = nowMs;
      this.#isAsked = false;
      const peer = left[this.#deps.rng.below(left.length)];
      if (peer !== undefined) await this.#meet(peer, signal);
    }
  }

  /** Meets a peer on a new connection. */
  async #greet(peer: string, signal: AbortSignal): Promise<void> {
    if (!(await this.#meet(peer, signal))) return;
    this.#deps.book.noteConnected(peer);
    this.#deps.onMet();
  }

  /** @returns whether the peer stays, and has been met */
  async #meet(peer: string, signal: AbortSignal): Promise<boolean> {
    const { office, network, logger } = this.#deps;
    this.#met.add(peer);
    const outcome = await office.exchange(peer, { signal });
    if (outcome === 'unspoken' && !this.#isOfAnotherKind(peer)) {
      this.#met.delete(peer); // it is met once it has begun
      return false;
    }
    this.#mute.delete(peer);
    const isStranger = outcome === 'wrong log' || outcome === 'unspoken';
    if (isStranger) {
      logger.debug({ peer, outcome }, 'a peer of another log, or of another kind, is left');
      await network.drop(peer, STRANGER_MS);
    }
    return !isStranger;
  }

  #isOfAnotherKind(peer: string): boolean {
    const nowMs = this.#deps.clock.monotonic();
    const sinceMs = this.#mute.get(peer) ?? nowMs;
    this.#mute.set(peer, sinceMs);
    return nowMs - sinceMs >= BEGIN_MS;
  }

  async #dialMore(connected: readonly string[], nowMs: number, signal: AbortSignal): Promise<void> {
    const { boot, targetPeers } = this.#options;
    if (nowMs - this.#discoveredAtMs >= DISCOVER_MS && connected.length > 0) {
      this.#discoveredAtMs = nowMs;
      this.#strangers = await this.#discover(signal);
    }
    const wanted = Math.min(MAX_DIALS, targetPeers - connected.length);
    const isOpen = new Set([this.#deps.network.self, ...connected]);
    const chosen: string[] = [];
    for (const address of [...boot, ...this.#known(), ...this.#strangers]) {
      if (chosen.length >= wanted) break;
      const peer = peerOfAddress(address);
      if (peer === undefined || isOpen.has(peer)) continue;
      if ((this.#tried.get(address)?.againMs ?? 0) > nowMs) continue;
      isOpen.add(peer);
      chosen.push(address);
    }
    await forEachConcurrent(chosen, (address, inner) => this.#dial(address, inner), {
      parallel: PARALLEL,
      signal,
    });
  }

  /** Addresses of peers in the book, beginning at a place of chance: not all dial the same one. */
  #known(): readonly string[] {
    const { book, rng } = this.#deps;
    const addresses = [...book.records()].flatMap(({ record }) => record.addresses.slice(0, 1));
    const from = addresses.length === 0 ? 0 : rng.below(addresses.length);
    return [...addresses.slice(from), ...addresses.slice(0, from)];
  }

  async #dial(address: string, signal: AbortSignal): Promise<void> {
    const { network, clock, logger } = this.#deps;
    try {
      await network.connect(address, { signal });
      this.#tried.delete(address);
    } catch (error) {
      signal.throwIfAborted();
      const failures = (this.#tried.get(address)?.failures ?? 0) + 1;
      const restMs = Math.min(MAX_REDIAL_MS, REDIAL_MS * 2 ** (failures - 1));
      this.#tried.set(address, { failures, againMs: clock.monotonic() + restMs });
      logger.debug({ address, reason: describeError(error) }, 'a peer could not be dialled');
    }
  }

  async #discover(signal: AbortSignal): Promise<readonly string[]> {
    const { network, logger } = this.#deps;
    try {
      return await network.discover({ signal, timeoutMs: DISCOVER_MS });
    } catch (error) {
      signal.throwIfAborted();
      logger.debug({ reason: describeError(error) }, 'nobody else was found');
      return [];
    }
  }
}
