import type { ChainId } from '@cairn/primitives';
import type { ChainEndpoint, Endpoints } from '@cairn/wire-protocol';

/** Where the registry of consensus shards is. */
export interface HubPlace {
  /** JSON-RPC address of the hub's chain. */
  readonly rpc: string;
  /** The network's sortition contract, which names what orders checkpoints. */
  readonly sortition: string;
  /** A block not after the creation of the hub's contracts, from which the registry is read; 0 unless told. */
  readonly firstBlock?: number;
}

/** Where the log of one consensus shard is reached: a registry on a chain names no addresses. */
export interface ShardPlace {
  readonly chainId: ChainId;
  /** Its number at the hub. Needed without a hub; with one, where several shards are on one chain. */
  readonly shard?: number;
  /** The chain's JSON-RPC address: needed to pay there, and to check file sizes. */
  readonly rpc?: string;
  /** Storage nodes of this log. Those that serve other logs besides are asked for this one only. */
  readonly nodes?: readonly string[];
  readonly indexer?: string;
  /** The log contract; what the registry says counts where it answers. */
  readonly flow?: string;
  /**
   * What a coin of this chain is worth in coins of the first place, above 0 and up to 1,000,000; 1 unless told. Prices
   * of different chains are compared by it.
   */
  readonly coinWeight?: number;
}

/** The consensus shards of a network. */
export interface ShardsOptions {
  /** Tells which shards there are, and their contracts. Without it the places say so themselves. */
  readonly hub?: HubPlace;
  /** The first is the one that key-value nodes read: streams are written there. At most 256. */
  readonly places: readonly ShardPlace[];
}

/** Places of a client at most: each may be asked for every file that is read. */
export const MAX_SHARD_PLACES = 256;

/**
 * The consensus shards that an endpoints file tells of.
 *
 * @returns `undefined` where it tells of fewer than two logs that are in one order: such a network has one chain for
 *   files, its first
 */
export function shardsOf(endpoints: Endpoints): ShardsOptions | undefined {
  const { chains, storage, indexer } = endpoints;
  const places = chains.filter(({ logShard }) => logShard !== undefined);
  if (places.length < 2) return undefined;
  const hub = chains.find(({ contracts }) => contracts['sortition'] !== undefined);
  const sortition = hub?.contracts['sortition'];
  const placeOf = (chain: ChainEndpoint): ShardPlace => {
    const { chainId, logShard, rpc, contracts, name } = chain;
    const flow = contracts['flow'];
    const nodes = storage.filter((node) => node.chain === name).map((node) => node.rpc);
    // The indexer of the file knows the nodes of its first chain.
    const own = chain === chains[0] ? indexer : undefined;
    return {
      ...{ chainId, rpc, nodes: own === undefined ? nodes : [] },
      ...(logShard === undefined ? {} : { shard: logShard }),
      ...(own === undefined ? {} : { indexer: own }),
      ...(flow === undefined ? {} : { flow }),
    };
  };
  return {
    ...(hub === undefined || sortition === undefined ? {} : { hub: { rpc: hub.rpc, sortition } }),
    places: places.map(placeOf),
  };
}
