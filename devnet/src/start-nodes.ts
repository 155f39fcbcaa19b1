import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openP2pKey, peerIdOf } from '@cairn/node-runtime/p2p';
import { type Address, MIB } from '@cairn/primitives';
import { formatShard, INDEXER, type ShardConfig } from '@cairn/wire-protocol';
import { loopback } from './endpoints.ts';
import type { PortPlan } from './ports.ts';
import { programPath } from './program-path.ts';
import type { ServicePlan } from './services.ts';
import { answered, quoted, READY_WITHIN_MS, type StartNodeDeps, startNode } from './start-node.ts';
import { awaitReady, type ManagedProcess } from './supervise.ts';
import type { StorageNodePlan } from './topology.ts';

/** What the storage nodes and the indexer of a devnet have in common. */
export interface NodeSurroundings {
  readonly rpc: string;
  readonly chainId: number;
  readonly flow: Address;
  /** `undefined` on a chain that an earlier version deployed to. */
  readonly poraMine: Address | undefined;
  /** Files with the keys of nodes that mine, by the nodes' names. */
  readonly minerKeys: ReadonlyMap<string, string>;
  /** Every node's own directory lies below. */
  readonly dataDirectory: string;
  readonly configDirectory: string;
}

/** The storage nodes of a devnet and the indexer over them, to be started. */
export function storageServices(
  deps: StartNodeDeps,
  {
    plans,
    ports,
    surroundings,
    meeting,
    chainsOf = () => [],
  }: {
    readonly plans: readonly StorageNodePlan[];
    readonly ports: Pick<PortPlan, 'storage' | 'indexer'>;
    readonly surroundings: NodeSurroundings;
    /** What else the process of a storage node keeps, by the node's name. */
    readonly chainsOf?: (name: string) => readonly KeptChain[];
    /** Where nodes meet; `undefined` where there is only one. */
    readonly meeting: MeetingPlace | undefined;
  },
): { readonly storage: readonly ServicePlan[]; readonly indexer: ServicePlan } {
  const storage = plans.map((plan, index) => {
    const port = ports.storage[index] ?? 0;
    const chains = chainsOf(plan.name);
    const config =
      storageConfig(plan, port, surroundings) +
      p2pConfig(index, meeting) +
      chains.map(shardConfig).join('');
    // All of them from the start: one chain alone makes the process ready.
    const places = chains.length === 0 ? [] : [surroundings, ...chains];
    const alsoReady = places.map(({ chainId }) => `${chainPath(chainId)}/health/ready`);
    return storageProgram(deps, { name: plan.name, port, config, alsoReady }, surroundings);
  });
  const urls = storage.map(({ url }) => url);
  const config = indexerConfig(ports.indexer, urls, surroundings);
  const indexer = { name: 'indexer', port: ports.indexer, config };
  return { storage, indexer: storageProgram(deps, indexer, surroundings) };
}

/** A chain beside the hub, as the process of one of the hub's storage nodes keeps it. */
export interface KeptChain {
  readonly name: string;
  readonly rpc: string;
  readonly chainId: number;
  readonly flow: Address;
  readonly shard: ShardConfig;
}

/** Path below which a process that keeps several chains serves one of them. */
export function chainPath(chainId: number): string {
  return `/chains/${chainId}`;
}

function shardConfig({ name, rpc, chainId, flow, shard }: KeptChain): string {
  return [
    `\n[[shards]]\nname = ${quoted(name)}\nrpc = ${quoted(rpc)}\nchain_id = ${chainId}`,
    `flow = ${quoted(flow)}\nshard = ${quoted(formatShard(shard))}`,
    'confirmations = 0\npoll_ms = 500\n',
  ].join('\n');
}

/** Storage nodes that nobody has to find: those of a chain beside the hub with a process of their own, to be started. */
export function loneStorageServices(
  deps: StartNodeDeps,
  {
    plans,
    ports,
    surroundings,
  }: {
    readonly plans: readonly StorageNodePlan[];
    /** In the order of `plans`. */
    readonly ports: readonly number[];
    readonly surroundings: NodeSurroundings;
  },
): readonly ServicePlan[] {
  return plans.map((plan, index) => {
    const port = ports[index] ?? 0;
    const config = storageConfig(plan, port, surroundings);
    return storageProgram(deps, { name: plan.name, port, config }, surroundings);
  });
}

function storageProgram(
  deps: StartNodeDeps,
  {
    name,
    port,
    config,
    alsoReady = [],
  }: {
    readonly name: string;
    readonly port: number;
    readonly config: string;
    readonly alsoReady?: readonly string[];
  },
  { configDirectory }: Pick<NodeSurroundings, 'configDirectory'>,
): ServicePlan {
  const program = programPath('run-storage-node');
  return {
    name,
    url: loopback(port),
    start: (signal) =>
      startNode(deps, { name, program, config, configDirectory, port, alsoReady }, { signal }),
  };
}

/**
 * Waits until the indexer lists every storage node: it may have asked before the last one listened,
 * and a client that comes then finds too few nodes for its file.
 *
 * @throws {DevnetError} PROCESS_ENDED, PROCESS_NOT_READY
 */
export function awaitIndexerKnows(
  { clock }: StartNodeDeps,
  { url, process }: { readonly url: string; readonly process: ManagedProcess },
  storageUrls: readonly string[],
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const knowsAll = (asking: AbortSignal): Promise<boolean> =>
    answered(asking, async (limit) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: INDEXER.getShardedNodes });
      const headers = { 'content-type': 'application/json' };
      const reply = await fetch(url, { method: 'POST', headers, body, signal: limit });
      const text = await reply.text();
      return storageUrls.every((storageUrl) => text.includes(JSON.stringify(storageUrl)));
    });
  return awaitReady(process, knowsAll, { clock, signal, timeoutMs: READY_WITHIN_MS });
}

/** Where the storage nodes of a devnet meet: the first one's libp2p. */
export interface MeetingPlace {
  /** The file with its key. */
  readonly keyFile: string;
  readonly port: number;
  /** Multiaddress that ends in its peer id. */
  readonly address: string;
}

/** The place where nodes meet, the same after a restart. @throws as `openP2pKey` */
export async function planMeeting(configDirectory: string, port: number): Promise<MeetingPlace> {
  await mkdir(configDirectory, { recursive: true });
  const keyFile = join(configDirectory, 'storage-0.p2p.key');
  const peer = await peerIdOf(await openP2pKey(keyFile));
  return { keyFile, port, address: `/ip4/127.0.0.1/tcp/${port}/p2p/${peer}` };
}

function p2pConfig(index: number, meeting: MeetingPlace | undefined): string {
  if (meeting === undefined) return '';
  const { keyFile, port, address } = meeting;
  const isFirst = index === 0;
  return [
    `\n[p2p]\nenabled = true\npublic_url = "listener"\nprivate_urls = true`,
    `listen = ["/ip4/127.0.0.1/tcp/${isFirst ? port : 0}"]`,
    isFirst ? `key_file = ${quoted(keyFile)}` : `boot = [${quoted(address)}]`,
    '',
  ].join('\n');
}

/** Longest path of a unix socket that every system takes. */
const MAX_SOCKET_PATH = 100;

function storageConfig(
  { name, shard }: StorageNodePlan,
  port: number,
  surroundings: NodeSurroundings,
): string {
  return [
    commonConfig(name, 'storage', surroundings),
    `[storage]\nshard = ${quoted(formatShard(shard))}`,
    // A devnet is to run on a laptop that is nearly full as well.
    `reserve_bytes = ${16 * MIB}`,
    `\n[http]\nhost = "127.0.0.1"\nport = ${port}\n`,
    miningConfig(name, surroundings),
  ].join('\n');
}

/** A tenth of a core for each: enough for an answer every few seconds at a devnet's difficulty. */
function miningConfig(name: string, { poraMine, minerKeys }: NodeSurroundings): string {
  const keyFile = minerKeys.get(name);
  if (keyFile === undefined || poraMine === undefined) return '';
  const account = `account = ${quoted(keyFile)}`;
  return `[mining]\ncontract = ${quoted(poraMine)}\n${account}\ncpu_percent = 10\npoll_ms = 1000\n`;
}

function indexerConfig(
  port: number,
  storageUrls: readonly string[],
  surroundings: NodeSurroundings,
): string {
  return [
    commonConfig('indexer', 'indexer', surroundings),
    `[indexer]\nhost = "127.0.0.1"\nport = ${port}\ntrusted = [${storageUrls.map(quoted).join(', ')}]\n`,
  ].join('\n');
}

function commonConfig(
  name: string,
  role: 'storage' | 'indexer',
  { rpc, chainId, flow, dataDirectory }: NodeSurroundings,
): string {
  const directory = join(dataDirectory, name);
  const hasSocket = Buffer.byteLength(join(directory, 'admin.sock')) <= MAX_SOCKET_PATH;
  return [
    `[node]\nroles = ["${role}"]\ndata_dir = ${quoted(directory)}\n`,
    `[chain]\nrpc = ${quoted(rpc)}\nchain_id = ${chainId}\nflow = ${quoted(flow)}`,
    // A reorganisation is unwound, so nothing has to wait for confirmations here.
    'confirmations = 0\npoll_ms = 500\n',
    `[admin]\nenabled = ${hasSocket}\n`,
  ].join('\n');
}
