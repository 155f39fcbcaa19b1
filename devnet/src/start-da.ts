import { join } from 'node:path';
import { type Address, DEVNET_CONSENSUS, MIB } from '@cairn/primitives';
import type { KeyFiles } from './da-keys.ts';
import type { DaPorts } from './ports.ts';
import { programPath } from './program-path.ts';
import { type NodePlan, quoted, type StartNodeDeps, startNode } from './start-node.ts';
import type { ManagedProcess } from './supervise.ts';
import { DISPERSER, RELAYER, type SignerPlan } from './topology.ts';

/** What the nodes of data availability have in common. */
export interface DaSurroundings {
  readonly rpc: string;
  readonly chainId: number;
  readonly entrance: Address;
  /** Where blobs are archived; none where there are no storage nodes. */
  readonly log: { readonly indexer: string; readonly flow: Address } | undefined;
  /** A block not after the creation of its contracts. */
  readonly startBlock: number;
  /** Every node's own directory lies below. */
  readonly dataDirectory: string;
  readonly configDirectory: string;
  /** Endpoints of the chains of consensus shards beside the hub, as "chain id=URL". */
  readonly shardRpcs: readonly string[];
}

/** Coins at stake of each signer: as many votes, and seats. */
const SIGNER_COINS = 4;
/** Coins that the disperser keeps deposited: some 10^18 bytes. */
const DEPOSIT_COINS = 1;
const GWEI_PER_COIN = 10 ** 9;
/** Time between looks at the chain: half a block. */
const POLL_MS = 500;
/** Time that tickets wait for others: the signers of one machine post them all at once. */
const GATHER_MS = 200;
/** Time between two roots of the order that the mirrors are told: some checkpoints of the hub. */
const ORDER_MS = 10_000;

/** Starts a signer and waits until it serves; it joins the network by itself. @throws as `startNode` */
export function startSigner(
  deps: StartNodeDeps,
  {
    plan,
    port,
    keeperPort,
    keys,
    surroundings,
  }: {
    readonly plan: SignerPlan;
    readonly port: number;
    /** Of the keeper that brings its tickets to the chain. */
    readonly keeperPort: number;
    readonly keys: KeyFiles;
    readonly surroundings: DaSurroundings;
  },
  options: { readonly signal: AbortSignal },
): Promise<ManagedProcess> {
  const config = [
    commonConfig(plan.name, ['signer'], keys, surroundings),
    `[signer]\nhost = "127.0.0.1"\nport = ${port}`,
    `join = true\nbond_gwei = ${SIGNER_COINS * GWEI_PER_COIN}`,
    `keepers = ["http://127.0.0.1:${keeperPort}"]`,
    // A devnet is to run on a laptop that is nearly full as well.
    `reserve_bytes = ${16 * MIB}\n`,
    ...shardsConfig(surroundings),
  ].join('\n');
  return startNode(deps, nodePlan(plan.name, port, config, surroundings), options);
}

/** Starts the disperser, which is the keeper too, and waits until it serves. @throws as `startNode` */
export function startDisperser(
  deps: StartNodeDeps,
  {
    ports,
    keys,
    surroundings,
  }: {
    readonly ports: DaPorts;
    readonly keys: KeyFiles;
    readonly surroundings: DaSurroundings;
  },
  options: { readonly signal: AbortSignal },
): Promise<ManagedProcess> {
  const config = [
    commonConfig(DISPERSER, ['disperser', 'keeper'], keys, surroundings),
    ...disperserConfig(ports),
    ...archiveConfig(surroundings),
    `[keeper]\nhost = "127.0.0.1"\nport = ${ports.keeper}\ngather_ms = ${GATHER_MS}\n`,
  ].join('\n');
  return startNode(deps, nodePlan(DISPERSER, ports.disperser, config, surroundings), options);
}

/** Starts the disperser of a consensus shard beside the hub and waits until it serves. @throws as `startNode` */
export function startShardDisperser(
  deps: StartNodeDeps,
  {
    name,
    port,
    keys,
    surroundings,
    hubRpc,
  }: {
    readonly name: string;
    readonly port: number;
    readonly keys: KeyFiles;
    /** Of the shard's chain. */
    readonly surroundings: DaSurroundings;
    readonly hubRpc: string;
  },
  options: { readonly signal: AbortSignal },
): Promise<ManagedProcess> {
  const config = [
    commonConfig(name, ['disperser'], keys, surroundings),
    `[hub]\nrpc = ${quoted(hubRpc)}\n`,
    ...disperserConfig({ disperser: port, grpc: 0, nitro: 0 }), // nobody is told of those doors
  ].join('\n');
  return startNode(deps, nodePlan(name, port, config, surroundings), options);
}

/** Starts the relayer between consensus shards and waits until it serves. @throws as `startNode` */
export function startRelayer(
  deps: StartNodeDeps,
  {
    port,
    keys,
    surroundings,
  }: {
    readonly port: number;
    readonly keys: KeyFiles;
    readonly surroundings: DaSurroundings;
  },
  options: { readonly signal: AbortSignal },
): Promise<ManagedProcess> {
  const config = [
    commonConfig(RELAYER, ['relayer'], keys, surroundings),
    `[relayer]\nhost = "127.0.0.1"\nport = ${port}\npoll_ms = ${POLL_MS}`,
    `spread_ms = 0\norder_ms = ${ORDER_MS}\n`, // the only one: nobody else's turn is to be waited for
    ...shardsConfig(surroundings),
  ].join('\n');
  return startNode(deps, nodePlan(RELAYER, port, config, surroundings), options);
}

function disperserConfig({
  disperser,
  grpc,
  nitro,
}: Pick<DaPorts, 'disperser' | 'grpc' | 'nitro'>): readonly string[] {
  return [
    `[disperser]\nhost = "127.0.0.1"\nport = ${disperser}`,
    `retention_epochs = ${DEVNET_CONSENSUS.maxRetentionEpochs}`,
    `deposit_gwei = ${DEPOSIT_COINS * GWEI_PER_COIN}\n`,
    `[disperser.grpc]\nhost = "127.0.0.1"\nport = ${grpc}\n`,
    `[disperser.nitro]\nhost = "127.0.0.1"\nport = ${nitro}\n`,
  ];
}

function shardsConfig({ shardRpcs }: DaSurroundings): readonly string[] {
  if (shardRpcs.length === 0) return [];
  return [`[shards]\nrpcs = [${shardRpcs.map(quoted).join(', ')}]\npoll_ms = ${POLL_MS}\n`];
}

function archiveConfig({ log }: DaSurroundings): readonly string[] {
  if (log === undefined) return [];
  return [`[archive]\nindexer = ${quoted(log.indexer)}\nflow = ${quoted(log.flow)}\n`];
}

function nodePlan(
  name: string,
  port: number,
  config: string,
  { configDirectory }: DaSurroundings,
): NodePlan {
  const program = programPath('run-da-node');
  return { name, program, config, configDirectory, port };
}

function commonConfig(
  name: string,
  roles: readonly string[],
  { accountFile, blsFile }: KeyFiles,
  { rpc, chainId, entrance, startBlock, dataDirectory }: DaSurroundings,
): string {
  return [
    `[node]\nroles = [${roles.map(quoted).join(', ')}]`,
    `data_dir = ${quoted(join(dataDirectory, name))}\n`,
    `[chain]\nrpc = ${quoted(rpc)}\nchain_id = ${chainId}\nentrance = ${quoted(entrance)}`,
    `start_block = ${startBlock}\nfinality = "${DEVNET_CONSENSUS.shardFinality}"`,
    `poll_ms = ${POLL_MS}\n`,
    `[keys]\naccount = ${quoted(accountFile)}`,
    ...(blsFile === undefined ? [] : [`bls = ${quoted(blsFile)}`]),
    '',
  ].join('\n');
}
