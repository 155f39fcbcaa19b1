import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '@cairn/node-runtime/files';
import { type Address, type Clock, MIB } from '@cairn/primitives';
import { formatShard, INDEXER } from '@cairn/wire-protocol';
import { loopback } from './endpoints.ts';
import { awaitReady, type ManagedProcess, type Supervisor } from './supervise.ts';
import type { StorageNodePlan } from './topology.ts';

/** What the nodes of a devnet have in common. */
export interface NodeSurroundings {
  readonly rpc: string;
  readonly chainId: number;
  readonly flow: Address;
  /** Every node's own directory lies below. */
  readonly dataDirectory: string;
  readonly configDirectory: string;
}

export interface StartNodeDeps {
  readonly supervisor: Supervisor;
  readonly clock: Clock;
}

/** On a machine with other work a node loads for seconds before it listens. */
const READY_WITHIN_MS = 30_000;

/** Starts a storage node and waits until it serves. @throws {DevnetError} PROCESS_ENDED, PROCESS_NOT_READY */
export function startStorageNode(
  deps: StartNodeDeps,
  {
    plan,
    port,
    surroundings,
  }: {
    readonly plan: StorageNodePlan;
    readonly port: number;
    readonly surroundings: NodeSurroundings;
  },
  options: { readonly signal: AbortSignal },
): Promise<ManagedProcess> {
  const config = storageConfig(plan, port, surroundings);
  return startNode(deps, { name: plan.name, port, config, surroundings }, options);
}

/** Starts the indexer over the devnet's storage nodes. @throws as `startStorageNode` */
export function startIndexer(
  deps: StartNodeDeps,
  {
    port,
    storageUrls,
    surroundings,
  }: {
    readonly port: number;
    readonly storageUrls: readonly string[];
    readonly surroundings: NodeSurroundings;
  },
  options: { readonly signal: AbortSignal },
): Promise<ManagedProcess> {
  const config = indexerConfig(port, storageUrls, surroundings);
  return startNode(deps, { name: 'indexer', port, config, surroundings }, options);
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
  ].join('\n');
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
    '# Written anew at every start of the devnet.',
    `[node]\nroles = ["${role}"]\ndata_dir = ${quoted(directory)}\n`,
    `[chain]\nrpc = ${quoted(rpc)}\nchain_id = ${chainId}\nflow = ${quoted(flow)}`,
    // A reorganisation is unwound, so nothing has to wait for confirmations here.
    'confirmations = 0\npoll_ms = 500\n',
    `[admin]\nenabled = ${hasSocket}\n`,
  ].join('\n');
}

/** A TOML basic string; its escapes are JSON's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

async function startNode(
  { supervisor, clock }: StartNodeDeps,
  {
    name,
    port,
    config,
    surroundings,
  }: {
    readonly name: string;
    readonly port: number;
    readonly config: string;
    readonly surroundings: NodeSurroundings;
  },
  { signal }: { readonly signal: AbortSignal },
): Promise<ManagedProcess> {
  await mkdir(surroundings.configDirectory, { recursive: true });
  const path = join(surroundings.configDirectory, `${name}.toml`);
  await writeFileAtomic(path, config);
  const program = fileURLToPath(import.meta.resolve('@cairn/storage-node/main'));
  const managed = await supervisor.run({
    name,
    command: process.execPath,
    args: [...process.execArgv, program, '--config', path],
  });
  const isReady = (asking: AbortSignal): Promise<boolean> =>
    answered(asking, async (limit) => {
      const reply = await fetch(`${loopback(port)}/health/ready`, { signal: limit });
      await reply.arrayBuffer(); // frees the connection
      return reply.ok;
    });
  await awaitReady(managed, isReady, { clock, signal, timeoutMs: READY_WITHIN_MS });
  return managed;
}

/** One question to a service that may not listen yet. @throws the signal's reason */
async function answered(
  asking: AbortSignal,
  question: (limit: AbortSignal) => Promise<boolean>,
): Promise<boolean> {
  try {
    return await question(AbortSignal.any([asking, AbortSignal.timeout(2_000)]));
  } catch {
    asking.throwIfAborted();
    return false;
  }
}
