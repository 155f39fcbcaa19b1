import { type Clock, LruCache, type PeerQuota } from '@cairn/primitives';

/** How much of a method one peer may use. */
export type P2pQuota = PeerQuota;

interface Bucket {
  readonly items: number;
  readonly atMs: number;
}

/** What each peer has left of a method. Of peers that are forgotten the fullest use is forgiven. */
export class TokenBuckets {
  readonly #quota: P2pQuota;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #buckets: LruCache<string, Bucket>;

  /** @param maxPeers - those that asked longest ago are forgotten beyond */
  constructor(quota: P2pQuota, clock: Pick<Clock, 'monotonic'>, maxPeers: number) {
    this.#quota = quota;
    this.#clock = clock;
    this.#buckets = new LruCache({ maxWeight: maxPeers });
  }

  /**
   * Takes `items` if the peer has them left. Refused requests cost nothing; one for more than the
   * burst is never granted.
   */
  spend(peer: string, items: number): boolean {
    const { burstItems, itemsPerSecond } = this.#quota;
    const nowMs = this.#clock.monotonic();
    const held = this.#buckets.get(peer) ?? { items: burstItems, atMs: nowMs };
    const grown = held.items + ((nowMs - held.atMs) / 1000) * itemsPerSecond;
    const left = Math.min(burstItems, grown) - items;
    if (!(left >= 0)) return false;
    this.#buckets.set(peer, { items: left, atMs: nowMs });
    return true;
  }
}
