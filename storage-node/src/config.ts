import { join, resolve } from 'node:path';
import { loadConfig, renderExampleConfig } from '@cairn/node-runtime/config';
import type { LogLevel } from '@cairn/node-runtime/observe';
import { chainIdOf, isHexOf, parseAddress } from '@cairn/primitives';
import { parseShardText, type ShardConfig } from '@cairn/wire-protocol';
import {
  type ChainConfig,
  type ShardChainConfig,
  shardConfigsOf,
  shardProblems,
} from './chains/shards-config.ts';
import { type ConfigFile, type NodeRole, STORAGE_NODE_SCHEMA } from './config-schema.ts';
import { type DutyConfig, dutyConfigOf, dutyProblems } from './duty/config.ts';
import { StorageNodeError } from './errors.ts';
import { type MiningConfig, miningConfigOf, miningProblems } from './mining/config.ts';
import { type P2pConfig, p2pConfigOf, p2pProblems } from './sync/sync-config.ts';
import type { ScrubOptions } from './upkeep/scrub.ts';

/** A storage node's configuration, checked and complete. */
export interface StorageNodeConfig {
  readonly node: {
    readonly roles: readonly NodeRole[];
    /** Absolute path; everything the node keeps lies below it. */
    readonly dataDirectory: string;
  };
  readonly log: { readonly level: LogLevel; readonly pretty: boolean };
  /** The first chain; most nodes have no other. */
  readonly chain: ChainConfig;
  /** More chains, kept by the same process. */
  readonly shards: readonly ShardChainConfig[];
  readonly storage: {
    readonly shard: ShardConfig;
    readonly reserveBytes: number;
    /** 0 for no bound. */
    readonly maxBytes: number;
    /** How long after nobody pays for a file it is given up; `undefined`: never. */
    readonly pruneExpiredSeconds: number | undefined;
    readonly cachedBytes: number;
    readonly cachedFileBytes: number;
    readonly cacheExpiryMs: number;
    readonly readCacheBytes: number;
    readonly readyLagBlocks: number;
  };
  readonly scrub: ScrubOptions;
  /** `undefined`: the node does not mine. */
  readonly mining: MiningConfig | undefined;
  /** `undefined`: the node keeps no duties of possession. */
  readonly duty: DutyConfig | undefined;
  readonly http: { readonly host: string; readonly port: number };
  readonly admin: { readonly enabled: boolean; readonly socketPath: string };
  /** Its part in the network of storage nodes. */
  readonly p2p: P2pConfig;
  readonly indexer: {
    readonly host: string;
    readonly port: number;
    readonly trusted: readonly string[];
  };
  readonly limits: {
    readonly maxConnections: number;
    readonly bodyBudgetBytes: number;
    readonly concurrentWrites: number;
    readonly queuedWrites: number;
    readonly concurrentReads: number;
    readonly drainMs: number;
  };
}

/** Where a node's configuration comes from. */
export interface LoadStorageNodeConfigOptions {
  /** A TOML file. */
  readonly file?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Sections and settings by the names they have in the file; over everything else. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/**
 * Reads and checks a storage node's configuration.
 *
 * @throws {ConfigError} CONFIG_INVALID with all problems together; {WireError} SHARD_INVALID;
 * {IdError}; {StorageNodeError} NODE_CONFIG
 */
export async function loadStorageNodeConfig(
  options: LoadStorageNodeConfigOptions,
): Promise<StorageNodeConfig> {
  const { config: file } = await loadConfig<ConfigFile>({
    schema: STORAGE_NODE_SCHEMA,
    ...options,
  });
  return settingsOf(file);
}

/** The text of `cairn.example.toml`: every setting with its meaning, bounds and default. */
export function exampleConfig(): string {
  return renderExampleConfig(STORAGE_NODE_SCHEMA);
}

function settingsOf(file: ConfigFile): StorageNodeConfig {
  const { node, chain, storage, scrub, admin, limits } = file;
  const dataDirectory = resolve(node.data_dir);
  const isStorage = node.roles.includes('storage');
  refuseTogether(problemsOf(file));
  return {
    node: { roles: [...new Set(node.roles)], dataDirectory },
    log: file.log,
    chain: {
      rpcUrl: chain.rpc,
      chainId: chain.chain_id === 0 ? undefined : chainIdOf(chain.chain_id),
      flow: chain.flow === '' ? undefined : parseAddress(chain.flow),
      startBlock: chain.start_block,
      confirmations: chain.confirmations,
      pollMs: chain.poll_ms,
      pageBlocks: chain.page_blocks,
    },
    shards: shardConfigsOf(file.shards),
    storage: {
      shard: parseShardText(storage.shard),
      reserveBytes: storage.reserve_bytes,
      maxBytes: storage.max_bytes,
      pruneExpiredSeconds: daysOf(storage.prune_expired),
      cachedBytes: storage.cached_bytes,
      cachedFileBytes: storage.cached_file_bytes,
      cacheExpiryMs: storage.cache_expiry_ms,
      readCacheBytes: storage.read_cache_bytes,
      readyLagBlocks: storage.ready_lag_blocks,
    },
    scrub: {
      enabled: scrub.enabled,
      periodMs: scrub.period_s * 1000,
      bytesPerSecond: scrub.bytes_per_second,
      duty: scrub.duty_percent / 100,
    },
    mining: isStorage ? miningConfigOf(file.mining) : undefined,
    duty: isStorage ? dutyConfigOf(file.duty) : undefined,
    http: file.http,
    admin: {
      enabled: admin.enabled,
      socketPath: admin.socket === '' ? join(dataDirectory, 'admin.sock') : resolve(admin.socket),
    },
    p2p: p2pConfigOf(file.p2p),
    indexer: file.indexer,
    limits: {
      maxConnections: limits.max_connections,
      bodyBudgetBytes: limits.body_budget_bytes,
      concurrentWrites: limits.concurrent_writes,
      queuedWrites: limits.queued_writes,
      concurrentReads: limits.concurrent_reads,
      drainMs: limits.drain_ms,
    },
  };
}

/** Seconds of `30d`; `undefined` for nothing. */
function daysOf(text: string): number | undefined {
  return text === '' ? undefined : Number.parseInt(text, 10) * 86_400;
}

/** A setting that the schema lets through and that still cannot work. */
interface Problem {
  readonly field: string;
  readonly rule: string;
}

function problemsOf({ node, chain, shards, mining, duty, p2p }: ConfigFile): readonly Problem[] {
  const problems: Problem[] = [
    ...miningProblems(mining),
    ...dutyProblems(duty, mining.contract === '' ? '' : mining.account),
    ...p2pProblems(p2p),
  ];
  const isStorage = node.roles.includes('storage');
  problems.push(...shardProblems(shards, { chain_id: chain.chain_id, isStorage }));
  if (isStorage && chain.rpc === '') {
    problems.push({ field: 'chain.rpc', rule: 'must be set for the storage role' });
  } else if (chain.rpc !== '' && !URL.canParse(chain.rpc)) {
    problems.push({ field: 'chain.rpc', rule: 'must be a URL' });
  }
  if (isStorage && chain.flow === '') {
    problems.push({ field: 'chain.flow', rule: 'must be set for the storage role' });
  } else if (chain.flow !== '' && !isHexOf(chain.flow, 20)) {
    problems.push({ field: 'chain.flow', rule: 'must be an address: 0x and 40 hex digits' });
  }
  return problems;
}

function refuseTogether(problems: readonly Problem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  throw new StorageNodeError(
    { code: 'NODE_CONFIG', field: first.field },
    problems.map(({ field, rule }) => `${field} ${rule}`).join('; '),
  );
}
