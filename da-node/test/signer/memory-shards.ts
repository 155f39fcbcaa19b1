import { checkpointHash, type Domain, type Network } from '@cairn/attestation';
import { bigEndianBytes, chainIdOf, keccak256, parseAddress } from '@cairn/primitives';
import type {
  CheckpointContent,
  OrderedHead,
  ShardChains,
  WatchedShard,
} from '../../src/signer/shards/ports.ts';

export const ORDERING_HUB: Domain = {
  chainId: chainIdOf(31_337),
  address: parseAddress(`0x${'0d'.repeat(20)}`),
};
export const NETWORK: Network = {
  hubChainId: chainIdOf(31_337),
  hub: parseAddress(`0x${'1b'.repeat(20)}`),
};
const PERIOD = 10;

/** Chains of shards in memory, and the order that a hub gave them. */
export class MemoryShards implements ShardChains {
  /** Newest final checkpoint of each shard, by number of the shard. */
  readonly finals = new Map<number, number>();
  /** Number of a shard's first checkpoint; 1 unless told. */
  readonly firsts = new Map<number, number>();
  /** Shards whose chain does not answer. */
  readonly away = new Set<number>();
  /** History of a shard that is told: another one is another number. */
  readonly histories = new Map<number, number>();
  readonly #ordered = new Map<number, Uint8Array[]>();

  async shards(): Promise<readonly WatchedShard[]> {
    return [...this.finals.keys()].map((shardId) => ({ shardId, version: '1' }));
  }

  async head(shardId: number): Promise<OrderedHead> {
    const ordered = this.#ordered.get(shardId) ?? [];
    return {
      number: this.#before(shardId) + ordered.length,
      hash: ordered.at(-1) ?? new Uint8Array(32),
    };
  }

  async orderedHash(shardId: number, number: number): Promise<Uint8Array | undefined> {
    return this.#ordered.get(shardId)?.[number - 1 - this.#before(shardId)];
  }

  async newest(shardId: number): Promise<number> {
    if (this.away.has(shardId)) throw new Error(`shard ${shardId} does not answer`);
    return this.finals.get(shardId) ?? 0;
  }

  async content(shardId: number, number: number): Promise<CheckpointContent> {
    if (this.away.has(shardId)) throw new Error(`shard ${shardId} does not answer`);
    const history = this.histories.get(shardId) ?? 0;
    const root = (name: string): Uint8Array =>
      keccak256(...[shardId, number, history].map((part) => bigEndianBytes(part, 8)), utf8(name));
    return {
      shardId,
      flowRoot: root('flow'),
      flowLength: 100 * number,
      logRoot: root('log'),
      logCount: number,
      daRoot: root('da'),
      daCount: number,
      blockNumber: PERIOD * number,
      blockHash: root('block'),
      timeSeconds: 1_700_000_000 + PERIOD * number,
    };
  }

  /** The number before a shard's first one. */
  #before(shardId: number): number {
    return (this.firsts.get(shardId) ?? 1) - 1;
  }

  /** The hub orders leaves of a shard, in a row. */
  order(shardId: number, ...leaves: readonly Uint8Array[]): void {
    this.#ordered.set(shardId, [...(this.#ordered.get(shardId) ?? []), ...leaves]);
  }

  /** The hub orders the next checkpoints as the shard's chain has them. */
  async orderNext(shardId: number, count: number): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      const { number, hash } = await this.head(shardId);
      const content = await this.content(shardId, number + 1);
      this.order(shardId, checkpointHash({ ...content, number: number + 1, previous: hash }));
    }
  }
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
