import type { ConfigSchema } from '@cairn/node-runtime/config';
import {
  type Address,
  type ChainId,
  chainIdOf,
  describeError,
  isHexOf,
  parseAddress,
} from '@cairn/primitives';
import { parseShardText, type ShardConfig } from '@cairn/wire-protocol';

/** The log that is followed, and how closely. */
export interface ChainConfig {
  readonly rpcUrl: string;
  /** `undefined`: whichever chain the endpoint serves. */
  readonly chainId: ChainId | undefined;
  /** `undefined` where no role reads the log. */
  readonly flow: Address | undefined;
  readonly startBlock: number;
  readonly confirmations: number;
  readonly pollMs: number;
  readonly pageBlocks: number;
}

/** A chain that the storage role keeps beside the first one. */
export interface ShardChainConfig extends ChainConfig {
  /** For people, in health, status and logs. */
  readonly name: string;
  readonly chainId: ChainId;
  readonly flow: Address;
  /** The segments of its files that are kept. */
  readonly shard: ShardConfig;
}

/** A table of `[[shards]]`: names as they are written in the file. */
export interface ShardTable {
  readonly name: string;
  readonly rpc: string;
  readonly chain_id: number;
  readonly flow: string;
  readonly shard: string;
  readonly start_block: number;
  readonly confirmations: number;
  readonly poll_ms: number;
  readonly page_blocks: number;
}

/**
 * Chains beside the first: each has a log store, an index and caches of its own, some 10 MB of memory when idle,
 * so that sixteen chains fit into the memory of a small machine.
 */
export const MAX_SHARDS = 15;

const whole = (
  description: string,
  fallback: number,
  bounds: { readonly unit?: string; readonly minimum?: number } = {},
): ConfigSchema => ({ type: 'integer', description, default: fallback, minimum: 0, ...bounds });

/** `[[shards]]`: more chains that the storage role keeps. */
export const SHARDS_SCHEMA: ConfigSchema = {
  type: 'array',
  description:
    'More chains whose logs the storage role keeps in this process: consensus shards, each a table of its own. They share data directory, listeners, disk budget and reserve with the first chain, and are served below /chains/CHAIN_ID. Mining and duties are of the first chain only. They are set in this file, not by the environment.',
  default: [],
  maxItems: MAX_SHARDS,
  items: {
    type: 'object',
    required: ['rpc', 'chain_id', 'flow'],
    properties: {
      name: {
        type: 'string',
        description: 'For people, in health, status and logs. Empty: chain-CHAIN_ID.',
        default: '',
        pattern: '^([a-z0-9][a-z0-9-]{0,31})?$',
      },
      rpc: {
        type: 'string',
        description: 'JSON-RPC endpoint of the chain. It may be away when the node starts.',
        pattern: '^https?://.*$',
      },
      chain_id: {
        type: 'integer',
        description:
          'Chain id, which also names its folder: chains/CHAIN_ID in the data directory. No two chains have the same.',
        minimum: 1,
      },
      flow: { type: 'string', description: 'Address of its log contract.' },
      shard: {
        type: 'string',
        description:
          'The segments of its files that are kept: id/count, as storage.shard of the first chain.',
        default: '0/1',
        pattern: '^[0-9]+/[0-9]+$',
      },
      start_block: whole('First block that can hold log entries.', 0),
      confirmations: whole('As chain.confirmations.', 1),
      poll_ms: whole('Time between looks at an idle chain.', 500, { unit: 'ms', minimum: 10 }),
      page_blocks: whole('Blocks of history read at once, at most.', 999, { minimum: 1 }),
    },
  },
};

/** A setting that the schema lets through and that still cannot work. */
export interface ShardProblem {
  readonly field: string;
  readonly rule: string;
}

/** What is wrong with the chains beside the first, by name and number. */
export function shardProblems(
  tables: readonly ShardTable[],
  first: { readonly chain_id: number; readonly isStorage: boolean },
): readonly ShardProblem[] {
  if (tables.length === 0) return [];
  const problems: ShardProblem[] = [];
  if (!first.isStorage) problems.push({ field: 'shards', rule: 'need the storage role' });
  if (first.chain_id === 0) {
    problems.push({ field: 'chain.chain_id', rule: 'must be set where shards are kept besides' });
  }
  const chains = new Map([[first.chain_id, 'chain']]);
  const names = new Map<string, string>();
  for (const [index, table] of tables.entries()) {
    const here = `shards[${index}]`;
    const { rpc, flow, shard, chain_id: chainId } = table;
    const tell = (key: string, rule: string): void => {
      problems.push({ field: `${here}.${key}`, rule });
    };
    if (!URL.canParse(rpc)) tell('rpc', 'must be a URL');
    if (!isHexOf(flow, 20)) tell('flow', 'must be an address: 0x and 40 hex digits');
    try {
      parseShardText(shard);
    } catch (error) {
      tell('shard', `cannot be "${shard}": ${describeError(error)}`);
    }
    const chain = chains.get(chainId);
    if (chain !== undefined) tell('chain_id', `is ${chainId}, which ${chain} has already`);
    else chains.set(chainId, here);
    const name = nameOf(table);
    const namesake = names.get(name);
    if (namesake !== undefined) tell('name', `is "${name}", which ${namesake} has already`);
    else names.set(name, here);
  }
  return problems;
}

/** The chains beside the first; `shardProblems` found nothing wrong with them. */
export function shardConfigsOf(tables: readonly ShardTable[]): readonly ShardChainConfig[] {
  return tables.map((table) => ({
    name: nameOf(table),
    rpcUrl: table.rpc,
    chainId: chainIdOf(table.chain_id),
    flow: parseAddress(table.flow),
    shard: parseShardText(table.shard),
    startBlock: table.start_block,
    confirmations: table.confirmations,
    pollMs: table.poll_ms,
    pageBlocks: table.page_blocks,
  }));
}

function nameOf({ name, chain_id: chainId }: Pick<ShardTable, 'name' | 'chain_id'>): string {
  return name === '' ? `chain-${chainId}` : name;
}
