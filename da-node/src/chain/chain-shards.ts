import type { ChainClient } from '@cairn/chain-access';
import {
  blockOf,
  newestFinalCheckpoint,
  type Ordering,
  readCheckpointHash,
  readHead,
  readShardContent,
  type Shard,
  ShardBook,
  ShardError,
} from '@cairn/chain-access/shards';
import type { ChainId, Clock, Logger } from '@cairn/primitives';
import type { ChainOptions } from '../signer/ports.ts';
import type {
  CheckpointContent,
  OrderedHead,
  ShardChains,
  WatchedShard,
} from '../signer/shards/ports.ts';
import { nodeClient } from './node-client.ts';

/** Endpoints of the chains of consensus shards, by chain. */
export interface ShardEndpoints {
  /** The client of a chain; `undefined` for one that no endpoint is named for. */
  clientOf(chainId: ChainId): ChainClient | undefined;
  close(): Promise<void>;
}

/**
 * Endpoints as they are configured; the hub's own is the one that the node works with, unless another is
 * named for its chain.
 */
export function openShardEndpoints(
  rpcs: ReadonlyMap<ChainId, string>,
  hub: { readonly chainId: ChainId; readonly client: ChainClient },
  clock: Clock,
): ShardEndpoints {
  const clients = new Map<ChainId, ChainClient>(
    [...rpcs].map(([chainId, rpcUrl]) => [chainId, nodeClient(rpcUrl, clock)]),
  );
  return {
    clientOf: (chainId) =>
      clients.get(chainId) ?? (chainId === hub.chainId ? hub.client : undefined),
    close: async () => {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}

/** What shards are read with. */
export interface ChainShardsDeps {
  readonly ordering: Ordering;
  readonly endpoints: Pick<ShardEndpoints, 'clientOf'>;
  readonly logger: Logger;
}

/** Facts of consensus shards: the hub's from final blocks, each shard's from the endpoint of its chain. */
export class ChainShards implements ShardChains {
  readonly #deps: ChainShardsDeps;
  readonly #book: ShardBook;
  readonly #known = new Map<number, { readonly shard: Shard; readonly client: ChainClient }>();
  /** Chains whose endpoints serve what they should; asked once each. */
  readonly #checked = new Set<ChainId>();
  readonly #missing = new Set<number>();

  constructor(deps: ChainShardsDeps) {
    this.#deps = deps;
    this.#book = new ShardBook(deps.ordering);
  }

  async shards(options: ChainOptions): Promise<readonly WatchedShard[]> {
    const { endpoints, logger } = this.#deps;
    const watched: WatchedShard[] = [];
    for (const shard of await this.#book.shards(options)) {
      const { shardId, chainId, finality, flow, entrance } = shard;
      const client = endpoints.clientOf(chainId);
      if (client === undefined) {
        if (!this.#missing.has(shardId)) {
          logger.warn({ shardId, chainId }, 'no endpoint is named for the chain of a shard');
        }
        this.#missing.add(shardId);
        continue;
      }
      this.#known.set(shardId, { shard, client });
      watched.push({ shardId, version: `${finality}:${flow ?? ''}:${entrance ?? ''}` });
    }
    return watched;
  }

  async head(shardId: number, options: ChainOptions): Promise<OrderedHead> {
    const { ordering } = this.#deps;
    const block = await ordering.hub.finalBlock(options);
    return readHead(ordering, shardId, { ...options, block });
  }

  async orderedHash(
    shardId: number,
    number: number,
    options: ChainOptions,
  ): Promise<Uint8Array | undefined> {
    return readCheckpointHash(this.#deps.ordering, { shardId, number }, options);
  }

  async newest(shardId: number, options: ChainOptions): Promise<number> {
    const { shard, client } = await this.#require(shardId, options);
    return newestFinalCheckpoint(shard, client, options);
  }

  async content(
    shardId: number,
    number: number,
    options: ChainOptions,
  ): Promise<CheckpointContent> {
    const { shard, client } = await this.#require(shardId, options);
    const orderingHub = this.#deps.ordering.domain.address;
    return readShardContent({ shard, client, orderingHub }, blockOf(shard, number), options);
  }

  /** @throws {ShardError} SHARD_OTHER_CHAIN */
  async #require(
    shardId: number,
    options: ChainOptions,
  ): Promise<{ readonly shard: Shard; readonly client: ChainClient }> {
    const known = this.#known.get(shardId);
    if (known === undefined) throw new Error(`shard ${shardId} was not listed`);
    const { chainId: expected } = known.shard;
    if (this.#checked.has(expected)) return known;
    const actual = await known.client.chainId(options);
    if (actual !== expected) {
      throw new ShardError(
        { code: 'SHARD_OTHER_CHAIN', shardId, expected, actual },
        `the endpoint for shard ${shardId} serves chain ${actual}, not ${expected}`,
      );
    }
    this.#checked.add(expected);
    return known;
  }
}
