import { resolve } from 'node:path';
import type { Finality } from '@cairn/chain-access/da';
import { loadConfig, renderExampleConfig } from '@cairn/node-runtime/config';
import type { LogLevel } from '@cairn/node-runtime/observe';
import {
  type Address,
  type ChainId,
  type ConsensusParams,
  chainIdOf,
  DEVNET_CONSENSUS,
  fromHex,
  MAINNET_CONSENSUS,
  parseAddress,
  TESTNET_CONSENSUS,
} from '@cairn/primitives';
import { networkOf } from '@cairn/wire-protocol';
import { isListenAddress, isPeerAddress } from '@cairn/wire-protocol/da';
import { type ConfigFile, DA_NODE_SCHEMA, type DaRole } from './config-schema.ts';
import type { KeyAccount } from './disperser/accounts.ts';
import type { OrderPath } from './disperser/blob-order.ts';
import type { PutStage } from './doors/op-stack/op-stack-doors.ts';
import { DaNodeError } from './node-errors.ts';

/** Where a listener binds. */
export interface ListenSettings {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** The hub's chain, where it is not the entrance's. */
export interface HubSettings {
  readonly rpcUrl: string;
  readonly startBlock: number;
  readonly finality: Finality;
}

/** The chain that a node works with. */
export interface ChainSettings {
  readonly rpcUrl: string;
  /** `undefined`: whichever chain the endpoint serves. */
  readonly chainId: ChainId | undefined;
  readonly entrance: Address;
  readonly startBlock: number;
  readonly finality: Finality;
  readonly pollMs: number;
  /** `undefined`: the hub is on the entrance's chain. */
  readonly hub: HubSettings | undefined;
}

/** The signer role's settings. */
export interface SignerSettings extends ListenSettings {
  /** What others reach it under; `undefined`: where it listens. */
  readonly url: string | undefined;
  readonly join: boolean;
  readonly bondWei: bigint;
  readonly capacityBytes: number;
  readonly reserveBytes: number;
  readonly memoryBytes: number;
  readonly maxPayerBytes: number;
  /** Addresses of keepers that relay tickets, without a slash at the end. */
  readonly keepers: readonly string[];
}

/** The keeper role's settings. */
export interface KeeperSettings extends ListenSettings {
  /** Time that a ticket waits for others. */
  readonly gatherMs: number;
}

/** The relayer role's settings. */
export interface RelayerSettings extends ListenSettings {
  /** Time between two rounds. */
  readonly pollMs: number;
  /** Time over which relayers take turns. */
  readonly spreadMs: number;
  /** Time between two roots of the order that a mirror is told, at least. */
  readonly orderMs: number;
}

/** The disperser role's settings. */
export interface DisperserSettings extends ListenSettings {
  readonly retentionEpochs: number;
  readonly maxBlobs: number;
  readonly maxBytes: number;
  readonly memoryBytes: number;
  /** 0: one less than there are cores. */
  readonly threads: number;
  readonly gatherMs: number;
  readonly batchBlobs: number;
  /** How far a blob is when a rollup that put it has its answer. */
  readonly putWait: PutStage;
  /** Time for it to get there. */
  readonly putTimeoutMs: number;
  readonly path: OrderPath;
  /** Whether every blob is written to the log. */
  readonly archivesAll: boolean;
  /** 0: not kept. */
  readonly depositWei: bigint;
  readonly accounts: readonly KeyAccount[];
  readonly accountPeriodMs: number;
  /** The door for 0G's clients. */
  readonly grpc: ListenSettings;
  /** Where Arbitrum nodes find it. */
  readonly nitro: ListenSettings;
}

/** The chains of consensus shards. */
export interface ShardSettings {
  /** Endpoints by chain. */
  readonly rpcs: ReadonlyMap<ChainId, string>;
  /** Whether a signer keeps blobs of these shards. */
  readonly keepsBlobs: boolean;
  /** Time between looks at them. */
  readonly pollMs: number;
}

/** The log that a disperser writes blobs to. */
export interface ArchiveSettings {
  readonly indexer: string | undefined;
  /** Instead of the indexer's; with neither, nothing is written. */
  readonly nodes: readonly string[];
  /** `undefined`: the storage nodes'. */
  readonly flow: Address | undefined;
  readonly rpcUrl: string;
  readonly replicas: number;
}

/** A data-availability node's configuration, checked and complete. */
export interface DaNodeConfig {
  readonly node: {
    readonly roles: readonly DaRole[];
    /** Absolute path; everything the node keeps lies below it. */
    readonly dataDirectory: string;
  };
  readonly log: { readonly level: LogLevel; readonly pretty: boolean };
  readonly chain: ChainSettings;
  readonly keys: {
    readonly accountFile: string;
    readonly accountPasswordFile: string | undefined;
    /** `undefined` without the signer role. */
    readonly blsFile: string | undefined;
    /** `undefined` where that file is raw hex. */
    readonly blsPasswordFile: string | undefined;
  };
  readonly signer: SignerSettings;
  readonly disperser: DisperserSettings;
  readonly shards: ShardSettings;
  readonly relayer: RelayerSettings;
  /** `undefined`: blobs are not written to the log. */
  readonly archive: ArchiveSettings | undefined;
  readonly keeper: KeeperSettings;
  /** libp2p, and where a signer listens with it. */
  readonly p2p: { readonly enabled: boolean; readonly listen: readonly string[] };
  readonly limits: { readonly maxConnections: number; readonly drainMs: number };
}

/** Where a node's configuration comes from. */
export interface LoadDaNodeConfigOptions {
  /** A TOML file. */
  readonly file?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Sections and settings by the names they have in the file; over everything else. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

const GWEI = 1_000_000_000n;

/** Protocol numbers of the networks that have names. */
const CONSENSUS: Readonly<Record<string, ConsensusParams>> = {
  mainnet: MAINNET_CONSENSUS,
  testnet: TESTNET_CONSENSUS,
  devnet: DEVNET_CONSENSUS,
  minimal: DEVNET_CONSENSUS,
};

/**
 * Reads and checks a node's configuration.
 *
 * @throws {ConfigError} CONFIG_INVALID with all problems together; {DaNodeError} NODE_CONFIG
 */
export async function loadDaNodeConfig(options: LoadDaNodeConfigOptions): Promise<DaNodeConfig> {
  const { config } = await loadConfig<ConfigFile>({ schema: DA_NODE_SCHEMA, ...options });
  refuseTogether(problemsOf(config));
  return settingsOf(config);
}

/** The text of `cairn-da.example.toml`: every setting with its meaning, bounds and default. */
export function exampleConfig(): string {
  return renderExampleConfig(DA_NODE_SCHEMA);
}

function settingsOf({ node, log, keys, limits, ...file }: ConfigFile): DaNodeConfig {
  const { signer, disperser, shards, archive, keeper, relayer } = file;
  return {
    node: { roles: [...new Set(node.roles)], dataDirectory: resolve(node.data_dir) },
    log,
    chain: chainSettings(file.chain, file.hub),
    keys: {
      accountFile: resolve(keys.account),
      accountPasswordFile: pathOrNone(keys.account_password),
      blsFile: pathOrNone(keys.bls),
      blsPasswordFile: pathOrNone(keys.bls_password),
    },
    signer: {
      host: signer.host,
      port: signer.port,
      url: signer.url === '' ? undefined : signer.url.replace(/\/+$/, ''),
      join: signer.join,
      bondWei: BigInt(signer.bond_gwei) * GWEI,
      capacityBytes: signer.capacity_bytes,
      reserveBytes: signer.reserve_bytes,
      memoryBytes: signer.memory_bytes,
      maxPayerBytes: signer.payer_bytes,
      keepers: [...new Set(signer.keepers.map((url) => url.replace(/\/+$/, '')))],
    },
    disperser: {
      host: disperser.host,
      port: disperser.port,
      retentionEpochs: disperser.retention_epochs,
      maxBlobs: disperser.max_blobs,
      maxBytes: disperser.max_bytes,
      memoryBytes: disperser.memory_bytes,
      threads: disperser.threads,
      gatherMs: disperser.gather_ms,
      batchBlobs: disperser.batch_blobs,
      putWait: disperser.put_wait,
      putTimeoutMs: disperser.put_timeout_ms,
      path: disperser.path,
      archivesAll: archive.all,
      depositWei: BigInt(disperser.deposit_gwei) * GWEI,
      accounts: disperser.accounts.map(accountOf),
      accountPeriodMs: disperser.account_period_ms,
      grpc: disperser.grpc,
      nitro: disperser.nitro,
    },
    keeper: { host: keeper.host, port: keeper.port, gatherMs: keeper.gather_ms },
    relayer: {
      host: relayer.host,
      port: relayer.port,
      pollMs: relayer.poll_ms,
      spreadMs: relayer.spread_ms,
      orderMs: relayer.order_ms,
    },
    shards: {
      rpcs: new Map(shards.rpcs.map(endpointOf)),
      keepsBlobs: shards.blobs,
      pollMs: shards.poll_ms,
    },
    archive: archiveSettings(archive, file.chain),
    p2p: file.p2p,
    limits: { maxConnections: limits.max_connections, drainMs: limits.drain_ms },
  };
}

function chainSettings(chain: ConfigFile['chain'], hub: ConfigFile['hub']): ChainSettings {
  const network = networkOf(chain.network);
  const usual = CONSENSUS[chain.network]?.shardFinality ?? 'tag';
  const finality = chain.finality === '' ? usual : depthOrTag(chain.finality);
  return {
    rpcUrl: chain.rpc,
    chainId: chain.chain_id === 0 ? network?.chainId : chainIdOf(chain.chain_id),
    entrance: parseAddress(chain.entrance),
    startBlock: chain.start_block,
    finality,
    pollMs: chain.poll_ms,
    hub:
      hub.rpc === ''
        ? undefined
        : {
            rpcUrl: hub.rpc,
            startBlock: hub.start_block,
            finality: hub.finality === '' ? finality : depthOrTag(hub.finality),
          },
  };
}

function archiveSettings(
  { indexer, nodes, flow, rpc, replicas }: ConfigFile['archive'],
  chain: ConfigFile['chain'],
): ArchiveSettings | undefined {
  if (indexer === '' && nodes.length === 0) return undefined;
  return {
    indexer: indexer === '' ? undefined : indexer,
    nodes,
    flow: flow === '' ? undefined : parseAddress(flow),
    rpcUrl: rpc === '' ? chain.rpc : rpc,
    replicas,
  };
}

function depthOrTag(text: string): Finality {
  return text === 'tag' ? 'tag' : Number(text);
}

/** `chain id=URL`, as the schema lets it through. */
function endpointOf(text: string): readonly [ChainId, string] {
  const at = text.indexOf('=');
  return [chainIdOf(Number(text.slice(0, at))), text.slice(at + 1)];
}

function pathOrNone(path: string): string | undefined {
  return path === '' ? undefined : resolve(path);
}

/** `name:hash:bytes`, as the schema lets it through. */
function accountOf(text: string): KeyAccount {
  const [name = '', hash = '', bytes] = text.split(':');
  return { name, keyHash: fromHex(`0x${hash}`), budgetBytes: Number(bytes) };
}

/** A setting that the schema lets through and that still cannot work. */
interface Problem {
  readonly field: string;
  readonly rule: string;
}

function problemsOf({
  node,
  chain,
  hub,
  keys,
  signer,
  disperser,
  shards,
  archive,
  p2p,
}: ConfigFile): readonly Problem[] {
  const problems: Problem[] = [];
  if (!URL.canParse(chain.rpc)) problems.push({ field: 'chain.rpc', rule: 'must be a URL' });
  if (hub.rpc !== '' && !URL.canParse(hub.rpc)) {
    problems.push({ field: 'hub.rpc', rule: 'must be a URL' });
  }
  if (node.roles.includes('signer') && keys.bls === '') {
    problems.push({ field: 'keys.bls', rule: 'must be set for the signer role' });
  }
  const isMultiaddress = isListenAddress(signer.url) || isPeerAddress(signer.url);
  if (signer.url !== '' && !isMultiaddress && !URL.canParse(signer.url)) {
    problems.push({ field: 'signer.url', rule: 'must be a URL or a multiaddress over TCP' });
  }
  if (isMultiaddress && !p2p.enabled) {
    problems.push({ field: 'p2p.enabled', rule: 'must be set where signer.url is a multiaddress' });
  }
  if (!p2p.listen.every(isListenAddress)) {
    problems.push({
      field: 'p2p.listen',
      rule: 'must have multiaddresses over TCP, without a peer',
    });
  }
  if (signer.keepers.some((url) => !URL.canParse(url))) {
    problems.push({ field: 'signer.keepers', rule: 'must be URLs' });
  }
  if (signer.join && signer.url === '' && isEveryAddress(signer.host)) {
    const rule = 'must be set where the signer joins by itself and listens on every address';
    problems.push({ field: 'signer.url', rule });
  }
  for (const url of [archive.indexer, archive.rpc, ...archive.nodes]) {
    if (url === '' || URL.canParse(url)) continue;
    problems.push({ field: 'archive', rule: `must have URLs, which ${url} is not` });
  }
  if (archive.all && archive.indexer === '' && archive.nodes.length === 0) {
    const rule = 'must be set where every blob is written to the log';
    problems.push({ field: 'archive.indexer', rule });
  }
  const chains = shards.rpcs.map((text) => text.slice(0, text.indexOf('=')));
  if (new Set(chains).size !== chains.length) {
    problems.push({ field: 'shards.rpcs', rule: 'must have each chain once' });
  }
  if (!shards.rpcs.every((text) => URL.canParse(text.slice(text.indexOf('=') + 1)))) {
    problems.push({ field: 'shards.rpcs', rule: 'must have URLs' });
  }
  const names = disperser.accounts.map((account) => account.split(':')[0]);
  if (new Set(names).size !== names.length) {
    problems.push({ field: 'disperser.accounts', rule: 'must have each name once' });
  }
  return problems;
}

function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function refuseTogether(problems: readonly Problem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  throw new DaNodeError(
    { code: 'NODE_CONFIG', field: first.field },
    problems.map(({ field, rule }) => `${field} ${rule}`).join('; '),
  );
}
