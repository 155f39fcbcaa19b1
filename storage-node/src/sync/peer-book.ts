import { type Clock, LruCache } from '@cairn/primitives';
import { formatShard, ownsSegment, type ShardConfig } from '@cairn/wire-protocol';
import type { PeerRecord } from '@cairn/wire-protocol/peers';

/** What the book asks. */
export interface PeerBookDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Whether there is a connection to a peer now: one without an address is asked only over that. */
  readonly isConnected: (peer: string) => boolean;
}

/** Bounds of what is remembered of other nodes. */
export interface PeerBookOptions {
  /** Peers at most; 4,096 unless told. */
  readonly maxPeers?: number;
  /** Requests to one peer at once; 4 unless told. */
  readonly maxAtWork?: number;
}

/** A record with what it came as: what is passed on to others. */
export interface BookedRecord {
  readonly record: PeerRecord;
  /** Body and signature. */
  readonly bytes: Uint8Array;
}

/** What is known of a peer. */
interface Page extends BookedRecord {
  readonly shard: ShardConfig;
  atWork: number;
  /** Answers that came in a row to nothing. */
  failures: number;
  /** Not to be asked before. */
  restUntilMs: number;
  /** Time an answer takes, smoothed. */
  answerMs: number;
  /** Whether it gave a segment once. */
  isUseful: boolean;
}

const MAX_PEERS = 4096;
const MAX_AT_WORK = 4;
/** What is not known yet is taken for this, so that newcomers are tried. */
const FIRST_ANSWER_MS = 50;
/** Weight of the newest answer's time. */
const SMOOTHING = 0.2;
/** The first rest after a failure; it doubles with each up to the longest. */
const REST_MS = 1000;
const MAX_REST_MS = 300_000;
/** What a peer does not hold of an entry is not asked for again for so long, unless it says it does. */
const ABSENT_MS = 15_000;
const MAX_ABSENT = 65_536;
/** Peers that are kept out at once, at most; beyond, those longest out may come back. */
const MAX_BANS = 4096;

/**
 * The storage nodes that are known: their records, and how it went to ask them. Those that never
 * gave anything make room first, so a flood of new names does not push out who is good.
 */
export class PeerBook {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #isConnected: (peer: string) => boolean;
  readonly #maxPeers: number;
  readonly #maxAtWork: number;
  /** In the order in which they were heard of last. */
  readonly #pages = new Map<string, Page>();
  /** By the ends of their records, which are of signatures: hardly two are alike. */
  readonly #byTail = new Map<number, Page>();
  /** Peers by their shard, as text: a network has few of them. */
  readonly #byShard = new Map<
    string,
    { readonly shard: ShardConfig; readonly peers: Set<string> }
  >();
  readonly #bans = new LruCache<string, number>({ maxWeight: MAX_BANS });
  readonly #absent = new LruCache<string, number>({ maxWeight: MAX_ABSENT });

  constructor(deps: PeerBookDeps, options: PeerBookOptions = {}) {
    this.#clock = deps.clock;
    this.#isConnected = deps.isConnected;
    this.#maxPeers = options.maxPeers ?? MAX_PEERS;
    this.#maxAtWork = options.maxAtWork ?? MAX_AT_WORK;
  }

  get size(): number {
    return this.#pages.size;
  }

  /** When the record that is held of a peer was signed; `undefined` for a stranger. */
  signedAt(peer: string): number | undefined {
    return this.#pages.get(peer)?.record.signedAtMs;
  }

  recordOf(peer: string): PeerRecord | undefined {
    return this.#pages.get(peer)?.record;
  }

  /** The peer of which these bytes are the record that is held: nothing about them is to be checked. */
  ownerOf(bytes: Uint8Array): string | undefined {
    const page = this.#byTail.get(tailOf(bytes));
    const isHeld = page !== undefined && Buffer.compare(page.bytes, bytes) === 0;
    return isHeld ? page.record.peer : undefined;
  }

  /** All that is held, in no order that says anything. */
  records(): IterableIterator<BookedRecord> {
    return this.#pages.values();
  }

  /**
   * Takes a record whose signature holds.
   *
   * @returns `new` for a peer or a shard that was not known; `known` otherwise, and for a peer that is kept out
   */
  add(booked: BookedRecord): 'new' | 'known' {
    const { peer, shard } = booked.record;
    if (this.isBanned(peer)) return 'known';
    const held = this.#pages.get(peer);
    if (held !== undefined && held.record.signedAtMs >= booked.record.signedAtMs) return 'known';
    const isMoved = held === undefined || formatShard(held.shard) !== formatShard(shard);
    if (held !== undefined) this.#remove(peer);
    const page: Page = {
      atWork: 0,
      failures: 0,
      restUntilMs: 0,
      answerMs: FIRST_ANSWER_MS,
      isUseful: false,
      ...held,
      ...booked,
      shard,
    };
    this.#pages.set(peer, page);
    this.#byTail.set(tailOf(page.bytes), page);
    this.#group(shard).peers.add(peer);
    this.#makeRoom();
    return isMoved ? 'new' : 'known';
  }

  /** Peers that are kept out, or were until lately. */
  get banned(): number {
    return this.#bans.weight;
  }

  /** Whether a peer is kept out now. */
  isBanned(peer: string): boolean {
    return (this.#bans.get(peer) ?? 0) > this.#clock.monotonic();
  }

  /** Forgets a peer and takes no record of it for `durationMs`, whoever passes one on. */
  ban(peer: string, durationMs: number): void {
    this.#remove(peer);
    this.#bans.set(peer, this.#clock.monotonic() + durationMs);
  }

  /**
   * Who is to be asked for a segment of an entry: the peers that keep it and are not resting, the
   * one that should answer soonest first, at most 16.
   */
  holdersOf(globalSegment: number, sequence: number): readonly PeerRecord[] {
    const nowMs = this.#clock.monotonic();
    const pages: Page[] = [];
    for (const { shard, peers } of this.#byShard.values()) {
      if (!ownsSegment(shard, globalSegment)) continue;
      for (const peer of peers) {
        const page = this.#pages.get(peer);
        if (page === undefined || page.restUntilMs > nowMs) continue;
        if (page.atWork >= this.#maxAtWork || this.#isAbsent(peer, sequence, nowMs)) continue;
        if (!this.#isReached(page.record)) continue;
        pages.push(page);
      }
    }
    return pages
      .sort((left, right) => expectedMs(left) - expectedMs(right))
      .slice(0, 16)
      .map(({ record }) => record);
  }

  /** Whether some peer that keeps the segment is only busy now. */
  hasBusyHolder(globalSegment: number, sequence: number): boolean {
    const nowMs = this.#clock.monotonic();
    for (const { shard, peers } of this.#byShard.values()) {
      if (!ownsSegment(shard, globalSegment)) continue;
      for (const peer of peers) {
        const atWork = this.#pages.get(peer)?.atWork ?? 0;
        if (atWork >= this.#maxAtWork && !this.#isAbsent(peer, sequence, nowMs)) return true;
      }
    }
    return false;
  }

  /** A request to a peer begins. */
  begin(peer: string): void {
    const page = this.#pages.get(peer);
    if (page !== undefined) page.atWork += 1;
  }

  /** A request came to its end: with segments, without, or not at all. */
  end(peer: string, outcome: 'gave' | 'absent' | 'failed' | 'aborted', tookMs: number): void {
    const page = this.#pages.get(peer);
    if (page === undefined) return;
    page.atWork = Math.max(0, page.atWork - 1);
    if (outcome === 'aborted') return;
    if (outcome === 'failed') {
      const restMs = Math.min(MAX_REST_MS, REST_MS * 2 ** page.failures);
      page.failures += 1;
      page.restUntilMs = this.#clock.monotonic() + restMs;
      return;
    }
    page.failures = 0;
    page.answerMs += (tookMs - page.answerMs) * SMOOTHING;
    if (outcome === 'gave') page.isUseful = true;
  }

  /** A peer does not hold what its shard should hold of an entry. */
  noteAbsent(peer: string, sequence: number): void {
    this.#absent.set(`${peer} ${sequence}`, this.#clock.monotonic() + ABSENT_MS);
  }

  /** There is a new connection to a peer: what failed before says nothing any more. */
  noteConnected(peer: string): void {
    const page = this.#pages.get(peer);
    if (page === undefined) return;
    page.failures = 0;
    page.restUntilMs = 0;
  }

  /** A peer says that it holds an entry now. */
  notePresent(peer: string, sequence: number): void {
    this.#absent.delete(`${peer} ${sequence}`);
    const page = this.#pages.get(peer);
    if (page !== undefined) page.restUntilMs = 0;
  }

  #isReached({ peer, url, addresses }: PeerRecord): boolean {
    return url !== undefined || addresses.length > 0 || this.#isConnected(peer);
  }

  #isAbsent(peer: string, sequence: number, nowMs: number): boolean {
    return (this.#absent.get(`${peer} ${sequence}`) ?? 0) > nowMs;
  }

  #group(shard: ShardConfig): { readonly peers: Set<string> } {
    const key = formatShard(shard);
    const held = this.#byShard.get(key) ?? { shard, peers: new Set<string>() };
    this.#byShard.set(key, held);
    return held;
  }

  #remove(peer: string): void {
    const page = this.#pages.get(peer);
    if (page === undefined) return;
    this.#pages.delete(peer);
    const tail = tailOf(page.bytes);
    if (this.#byTail.get(tail) === page) this.#byTail.delete(tail);
    const key = formatShard(page.shard);
    const group = this.#byShard.get(key);
    group?.peers.delete(peer);
    if (group?.peers.size === 0) this.#byShard.delete(key);
  }

  #makeRoom(): void {
    if (this.#pages.size <= this.#maxPeers) return;
    let oldest: string | undefined;
    for (const [peer, page] of this.#pages) {
      oldest ??= peer;
      if (page.isUseful || page.atWork > 0) continue;
      oldest = peer;
      break;
    }
    if (oldest !== undefined) this.#remove(oldest);
  }
}

/** The last six bytes as a number. */
function tailOf(bytes: Uint8Array): number {
  let tail = 0;
  for (let at = Math.max(0, bytes.length - 6); at < bytes.length; at += 1) {
    tail = tail * 256 + (bytes[at] ?? 0);
  }
  return tail;
}

/** When a peer would answer one more question. */
function expectedMs({ atWork, answerMs }: Page): number {
  return (atWork + 1) * answerMs;
}
