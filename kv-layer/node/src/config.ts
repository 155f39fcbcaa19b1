import { resolve } from 'node:path';
import { parseStreamId, type RootTrust, type SenderSource, type StreamId } from '@cairn/kv-layer';
import { loadConfig, renderExampleConfig } from '@cairn/node-runtime/config';
import type { LogLevel } from '@cairn/node-runtime/observe';
import {
  type Address,
  type ChainId,
  chainIdOf,
  parseAddress,
  parseRoot,
  type Root,
} from '@cairn/primitives';
import { type ConfigFile, KV_NODE_SCHEMA } from './config-schema.ts';
import { KvNodeError } from './errors.ts';

/** A key-value node's configuration, checked and complete. */
export interface KvNodeConfig {
  readonly node: {
    /** Absolute path; everything the node keeps lies below it. */
    readonly dataDirectory: string;
    readonly reserveBytes: number;
  };
  readonly log: { readonly level: LogLevel; readonly pretty: boolean };
  readonly chain: {
    readonly rpcUrl: string;
    /** `undefined`: whichever chain the endpoint serves. */
    readonly chainId: ChainId | undefined;
    readonly flow: Address;
    readonly startBlock: number;
    readonly confirmations: number;
    readonly pollMs: number;
    readonly pageBlocks: number;
    readonly senders: SenderSource;
  };
  readonly storage: { readonly nodes: readonly string[]; readonly indexer: string | undefined };
  readonly streams: {
    readonly ids: readonly StreamId[];
    readonly discover: boolean;
    readonly limit: number;
    /** Whether `admin_addStream` is served. */
    readonly isOpen: boolean;
    /** Who may use it; nobody named: anyone. */
    readonly accounts: readonly Address[];
  };
  readonly replay: ReplayConfig;
  /** Keys of streams whose batches are encrypted, in the order in which they are tried. */
  readonly decrypt: readonly { readonly stream: StreamId; readonly keyFile: string }[];
  /** The key that vouches for state roots. */
  readonly attest: {
    /** Raw hex or a Web3 keystore; `undefined`: the node vouches for nothing. */
    readonly keyFile: string | undefined;
    /** Of a keystore. */
    readonly passwordFile: string | undefined;
  };
  /** `undefined`: replay begins with the first entry. */
  readonly bootstrap: BootstrapConfig | undefined;
  readonly http: { readonly host: string; readonly port: number };
  readonly limits: {
    readonly maxConnections: number;
    readonly concurrentReads: number;
    readonly queuedReads: number;
    readonly wholeValueBytes: number;
    readonly drainMs: number;
  };
}

/** A snapshot to begin with. */
export interface BootstrapConfig {
  readonly file: Root;
  readonly trust: RootTrust;
  readonly waitMs: number;
  /** Whether the node vouches for roots though it did not replay everything itself. */
  readonly isVouching: boolean;
}

/** How the log is replayed. */
export interface ReplayConfig {
  /** `undefined`: a file that nobody serves is waited for. */
  readonly skip: { readonly afterMs: number; readonly maxHoles: number } | undefined;
  readonly healEveryMs: number;
  readonly prefetchFiles: number;
  readonly prefetchBytes: number;
  readonly memoryFileBytes: number;
  readonly cacheBytes: number;
}

/** Where a node's configuration comes from. */
export interface LoadKvNodeConfigOptions {
  /** A TOML file. */
  readonly file?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Sections and settings by the names they have in the file; over everything else. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/**
 * Reads and checks a key-value node's configuration.
 *
 * @throws {ConfigError} CONFIG_INVALID with all problems together; {KvNodeError} KV_CONFIG
 */
export async function loadKvNodeConfig(options: LoadKvNodeConfigOptions): Promise<KvNodeConfig> {
  const { config } = await loadConfig<ConfigFile>({ schema: KV_NODE_SCHEMA, ...options });
  return settingsOf(config);
}

/** The text of `kv.example.toml`: every setting with its meaning, bounds and default. */
export function exampleConfig(): string {
  return renderExampleConfig(KV_NODE_SCHEMA);
}

function settingsOf(file: ConfigFile): KvNodeConfig {
  const { node, chain, storage, streams, replay, attest, limits } = file;
  const ids = [...new Set(streams.ids.map(streamOf))];
  if (storage.nodes.length === 0 && storage.indexer === '') {
    throw new KvNodeError(
      { code: 'KV_CONFIG', field: 'storage.nodes' },
      'storage.nodes or storage.indexer must say where files are read',
    );
  }
  if (attest.key === '' && attest.key_password !== '') {
    throw new KvNodeError(
      { code: 'KV_CONFIG', field: 'attest.key' },
      'attest.key_password names a password, attest.key names no keystore that it opens',
    );
  }
  if (ids.length > streams.limit) {
    throw new KvNodeError(
      { code: 'KV_CONFIG', field: 'streams.ids' },
      `streams.ids names ${ids.length} streams, streams.limit allows ${streams.limit}`,
    );
  }
  return {
    node: { dataDirectory: resolve(node.data_dir), reserveBytes: node.reserve_bytes },
    log: file.log,
    chain: {
      rpcUrl: chain.rpc,
      chainId: chain.chain_id === 0 ? undefined : chainIdOf(chain.chain_id),
      flow: parseAddress(chain.flow),
      startBlock: chain.start_block,
      confirmations: chain.confirmations,
      pollMs: chain.poll_ms,
      pageBlocks: chain.page_blocks,
      senders: chain.sender,
    },
    storage: {
      nodes: storage.nodes,
      indexer: storage.indexer === '' ? undefined : storage.indexer,
    },
    streams: {
      ids,
      discover: streams.discover,
      limit: streams.limit,
      isOpen: streams.open,
      accounts: streams.accounts.map((account) => parseAddress(account)),
    },
    replay: {
      skip:
        replay.missing === 'block'
          ? undefined
          : { afterMs: replay.skip_after_s * 1000, maxHoles: replay.max_holes },
      healEveryMs: replay.heal_every_s * 1000,
      prefetchFiles: replay.prefetch_files,
      prefetchBytes: replay.prefetch_bytes,
      memoryFileBytes: replay.memory_file_bytes,
      cacheBytes: replay.cache_bytes,
    },
    bootstrap: bootstrapOf(file.bootstrap),
    decrypt: file.decrypt.keys.map((text) => {
      const at = text.indexOf('=');
      return { stream: streamOf(text.slice(0, at)), keyFile: resolve(text.slice(at + 1)) };
    }),
    attest: {
      keyFile: attest.key === '' ? undefined : resolve(attest.key),
      passwordFile: attest.key_password === '' ? undefined : resolve(attest.key_password),
    },
    http: file.http,
    limits: {
      maxConnections: limits.max_connections,
      concurrentReads: limits.concurrent_reads,
      queuedReads: limits.queued_reads,
      wholeValueBytes: limits.whole_value_bytes,
      drainMs: limits.drain_ms,
    },
  };
}

/** @throws {KvNodeError} KV_CONFIG */
function bootstrapOf(file: ConfigFile['bootstrap']): BootstrapConfig | undefined {
  if (file.file === '') return undefined;
  const keys = [...new Set(file.keys.map((key) => parseAddress(key)))];
  const threshold = file.agree === 0 ? Math.floor(keys.length / 2) + 1 : file.agree;
  if (threshold > keys.length) {
    throw new KvNodeError(
      { code: 'KV_CONFIG', field: 'bootstrap.keys' },
      `bootstrap.keys names ${keys.length} accounts, ${threshold} of them would have to agree on a snapshot`,
    );
  }
  return {
    file: parseRoot(file.file),
    trust: { keys, threshold },
    waitMs: file.wait_s * 1000,
    isVouching: file.vouch,
  };
}

function streamOf(text: string): StreamId {
  return parseStreamId(text.startsWith('0x') ? text : `0x${text}`);
}
