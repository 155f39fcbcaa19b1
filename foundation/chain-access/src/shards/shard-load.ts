import type { BlockTag, CallOptions, ChainClient } from '../client/chain-client.ts';
import { type Finality, finalBlock } from '../da/finality.ts';
import type { FlowContract } from '../flow/open-flow.ts';

/** What storing on a shard costs now, and how far it is behind. */
export interface ShardLoad {
  /** Wei per sector of 256 bytes, in the coin of the shard's chain. */
  readonly pricePerSectorWei: bigint;
  /** Wei per gas. */
  readonly gasPriceWei: bigint;
  readonly headBlock: number;
  readonly finalBlock: number;
  /** Entries of the log at the newest block. */
  readonly entries: number;
  /** Of these, entries that are not in a final block yet. */
  readonly waitingEntries: number;
  /**
   * Checkpoints that final blocks are due and the hub has not ordered, but for the one on its way; 0 where nobody
   * orders any.
   */
  readonly lateCheckpoints: number;
}

/** What of a shard decides how far behind it is. */
export interface ShardPace {
  readonly finality: Finality;
  /** Blocks between two checkpoints and the number of the newest that is ordered; `undefined` without an order. */
  readonly order: { readonly periodBlocks: number; readonly orderedNumber: number } | undefined;
}

/**
 * Price and backlog of a shard's log, by its own chain.
 *
 * Two entries are compared at one height: those of the newest block, and those of the newest final one, whose state
 * the endpoint has to have.
 *
 * @throws {ChainError} CHAIN_BAD_REPLY where the chain names no final block; what the client throws
 */
export async function readShardLoad(
  flow: Pick<FlowContract, 'pricePerSector' | 'numSubmissions'> & {
    readonly client: Pick<ChainClient, 'blockNumber' | 'getBlock' | 'gasPrice'>;
  },
  { finality, order }: ShardPace,
  options: CallOptions,
): Promise<ShardLoad> {
  const { client } = flow;
  const [headBlock, final, pricePerSectorWei, gasPriceWei] = await Promise.all([
    client.blockNumber(options),
    finalBlock(client, finality, options),
    flow.pricePerSector(options),
    client.gasPrice(options),
  ]);
  const entriesAt = (block: BlockTag): Promise<number> =>
    flow.numSubmissions({ ...options, block });
  const [entries, finalEntries] = await Promise.all([entriesAt('latest'), entriesAt(final)]);
  return {
    pricePerSectorWei,
    gasPriceWei,
    headBlock,
    finalBlock: final,
    entries,
    waitingEntries: Math.max(0, entries - finalEntries),
    lateCheckpoints: lateCheckpoints(final, order),
  };
}

/** Checkpoint k is due once block k · period is final; one of them is always on its way. */
function lateCheckpoints(final: number, order: ShardPace['order']): number {
  if (order === undefined) return 0;
  const due = Math.floor(final / order.periodBlocks);
  return Math.max(0, due - order.orderedNumber - 1);
}
