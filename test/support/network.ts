import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, cairnProcess, commandEnv } from './cli.ts';
import { runKept } from './kept-command.ts';

/** Of each log that many lines are shown. */
const LOG_LINES = 25;

/** The parts of `endpoints.json` that tests read. */
export interface Endpoints {
  readonly chains: readonly {
    readonly rpc: string;
    readonly chainId: number;
    readonly contracts: Readonly<Record<string, string>>;
  }[];
  readonly indexer: string;
  readonly storage: readonly {
    readonly rpc: string;
    readonly shard: { readonly id: number; readonly count: number };
  }[];
  readonly kv: readonly string[];
  readonly da?: {
    readonly rest: string;
    readonly nitro: string;
    readonly grpc: string;
    readonly signers: readonly string[];
    readonly page: string;
  };
  readonly keys: readonly string[];
}

/** A whole network of real processes, started and stopped by the `cairn` command. */
export interface Network {
  readonly directory: string;
  readonly endpoints: Endpoints;
  readonly chainRpc: string;
  /** A funded development key, raw hex. */
  readonly key: string;
  /** RPC of the first node that keeps everything. */
  readonly fullNode: string;
  /** RPCs of the nodes that keep a part. */
  readonly shardNodes: readonly string[];
  /** The end of what each process wrote, for a test that failed. */
  logTails(): Promise<string>;
  stop(): Promise<void>;
}

/** How a network is started. */
export interface NetworkOptions {
  /** Whether the command starts it in the background, for a test that stops it by the command. */
  readonly isDetached?: boolean;
}

/**
 * Starts a devnet on free ports in a folder of its own, without signers and key-value nodes, and with one
 * chain, unless asked for more.
 *
 * @param extra - more of what is typed after `cairn devnet up`
 * @throws with what the command said
 */
export async function startNetwork(
  extra: readonly string[] = [],
  { isDetached = false }: NetworkOptions = {},
): Promise<Network> {
  const directory = await mkdtemp(join(tmpdir(), 'cairn-test-'));
  const least = ['--da', '0', '--kv', '0', '--consensus-shards', '1'];
  const where = ['--dir', directory, '--port', '0', ...least];
  const up = ['devnet', 'up', ...where, ...extra];
  const stop = isDetached ? await startDetached(up, directory) : await startKept(up);
  const endpoints = await readEndpoints(directory);
  const [chain] = endpoints.chains;
  const [keyFile] = endpoints.keys;
  if (chain === undefined || keyFile === undefined)
    throw new Error('the devnet names no chain or key');
  return {
    directory,
    endpoints,
    chainRpc: chain.rpc,
    key: (await readFile(join(directory, keyFile), 'utf8')).trim(),
    fullNode: endpoints.storage.find(({ shard }) => shard.count === 1)?.rpc ?? '',
    shardNodes: endpoints.storage.filter(({ shard }) => shard.count > 1).map(({ rpc }) => rpc),
    logTails: () => logTails(join(directory, 'logs')),
    stop: async () => {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** @returns how it is stopped */
async function startKept(up: readonly string[]): Promise<() => Promise<void>> {
  const line = runKept(up, { cwd: process.cwd(), env: commandEnv() });
  const early = await Promise.race([line.ended, line.answered]);
  if (early !== undefined) requireSuccess('up', early); // it ended, and says why
  return async () => {
    line.stop();
    requireSuccess('up', await line.ended);
  };
}

async function startDetached(
  up: readonly string[],
  directory: string,
): Promise<() => Promise<void>> {
  requireSuccess('up', await cairnProcess([...up, '--detach']));
  return async () =>
    requireSuccess('down', await cairnProcess(['devnet', 'down', '--dir', directory]));
}

function requireSuccess(what: 'up' | 'down', { status, stderr }: CommandResult): void {
  if (status !== 0) throw new Error(`devnet ${what} ended with ${status}: ${stderr}`);
}

async function logTails(folder: string): Promise<string> {
  const names = (await readdir(folder)).sort();
  const tails = names.map(async (name) => {
    const lines = (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n');
    return [`${name}:`, ...lines.slice(-LOG_LINES)].join('\n');
  });
  return (await Promise.all(tails)).join('\n');
}

/** What a devnet wrote about itself. */
export async function readEndpoints(directory: string): Promise<Endpoints> {
  return JSON.parse(await readFile(join(directory, 'endpoints.json'), 'utf8')) as Endpoints;
}

/** One JSON-RPC call, by a client that shares no code with ours. @throws the error object's message */
export async function rpc(
  url: string,
  method: string,
  params: readonly unknown[] = [],
): Promise<unknown> {
  const reply = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const body = (await reply.json()) as {
    result?: unknown;
    error?: { message: string; data?: unknown };
  };
  if (body.error !== undefined)
    throw new Error(`${body.error.message} ${String(body.error.data ?? '')}`);
  return body.result;
}
