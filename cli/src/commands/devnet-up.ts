import { relative, resolve } from 'node:path';
import type { Devnet, DevnetEvent } from '@cairn/devnet';
import {
  consensusShardsFor,
  type PortChoice,
  readDevnetEndpoints,
  readTopology,
  startDetached,
  type Topology,
  topologyOf,
} from '@cairn/devnet/control';
import { formatDuration } from '@cairn/primitives';
import { type Endpoints, formatEndpoints, formatShard } from '@cairn/wire-protocol';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext, CommandIo } from '../io.ts';
import { devnetDirectory } from '../network-options.ts';
import { coloured, shellQuoted } from '../output.ts';
import { formatTable } from '../table.ts';

/** What `cairn devnet up` takes. */
export interface DevnetUpOptions {
  readonly dir?: string;
  readonly detach?: boolean;
  readonly basePort?: number;
  /** 0 if given: any free ports. */
  readonly port?: number;
  readonly storage?: string;
  /** How many signers; 0 for no blobs. */
  readonly da?: number;
  /** How many key-value nodes. */
  readonly kv?: number;
  /** Chains with a log of their own, the hub included. */
  readonly consensusShards?: number;
  /** Whether storage nodes mine. */
  readonly mine?: boolean;
  readonly topology?: string;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** Starts a devnet, prints what runs where, and stops it on Ctrl-C, unless it was detached. */
export async function devnetUp(options: DevnetUpOptions, context: CommandContext): Promise<number> {
  const { io, signal } = context;
  const directory = devnetDirectory(options, io);
  const plan = {
    directory,
    topology: await topologyFor(options, io),
    ports: portsFor(options),
    isKept: options.keep === true,
  };
  if (options.detach === true) {
    const { readyAfterMs } = await startDetached(plan, { signal });
    const endpoints = await readDevnetEndpoints(directory);
    if (endpoints === undefined) throw lostAtOnce(directory);
    await printEndpoints(endpoints, { directory, readyAfterMs, options, io });
    io.writeErr(`It runs in the background. Stop it with: ${downCommand(options)}\n`);
    return EXIT.ok;
  }
  const { createDevnet } = await import('@cairn/devnet');
  const devnet = await createDevnet({
    ...plan,
    signal,
    onEvent: (event) => io.writeErr(describeEvent(event, io)),
  });
  return serve(devnet, options, context);
}

async function serve(
  devnet: Devnet,
  options: DevnetUpOptions,
  { io, signal }: CommandContext,
): Promise<number> {
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    const { endpoints, directory, readyAfterMs } = devnet;
    await printEndpoints(endpoints, { directory, readyAfterMs, options, io });
    io.writeErr('Ctrl-C stops it.\n');
    const lost = await Promise.race([stopped, devnet.chainLost]);
    if (lost === undefined) {
      io.writeErr('\nstopping …\n');
      return EXIT.ok; // asked to stop: that is how a devnet ends
    }
    io.writeErr(`cairn: ${lost}; stopping the rest\n`);
    return EXIT.failure;
  } finally {
    await devnet.stop();
    io.writeErr('stopped\n');
  }
}

async function topologyFor(
  { topology, storage, da, mine, kv, consensusShards, keep }: DevnetUpOptions,
  io: CommandIo,
): Promise<Topology> {
  const chains = consensusShards ?? consensusShardsFor({ signers: da, isKept: keep });
  return topology === undefined
    ? topologyOf(storage, da, mine, kv, chains)
    : readTopology(resolve(io.cwd, topology));
}

/**
 * The ports that were asked for; `otherwise` where none were.
 *
 * @throws {CliError} CLI_USAGE if both ways are used
 */
export function portsFor(
  { basePort, port }: Pick<DevnetUpOptions, 'basePort' | 'port'>,
  otherwise: PortChoice = { kind: 'default' },
): PortChoice {
  if (basePort !== undefined && port !== undefined) {
    throw usageError('port', 'give --base-port or --port 0, not both');
  }
  if (port === 0 || basePort === 0) return { kind: 'any' };
  return basePort === undefined ? otherwise : { kind: 'base', base: basePort };
}

async function printEndpoints(
  endpoints: Endpoints,
  {
    directory,
    readyAfterMs,
    options,
    io,
  }: {
    readonly directory: string;
    readonly readyAfterMs: number;
    readonly options: DevnetUpOptions;
    readonly io: CommandIo;
  },
): Promise<void> {
  const path = relative(io.cwd, `${directory}/endpoints.json`) || directory;
  if (options.json === true) {
    // One line: the endpoints file's own content.
    await io.writeOut(`${JSON.stringify(JSON.parse(formatEndpoints(endpoints)))}\n`);
  } else {
    await io.writeOut(`${endpointsTable(endpoints)}\n`);
  }
  const ready = coloured('ready', 'green', io);
  io.writeErr(`\n${ready} in ${formatDuration(readyAfterMs)}; programs read ${path}\n`);
  const flag = options.dir === undefined ? '' : ` --dir ${shellQuoted(options.dir)}`;
  io.writeErr(`Try: npx cairn file put package.json${flag}\n`);
}

/** What runs where, as a table. */
export function endpointsTable({ chains, storage, indexer, kv, da, keys }: Endpoints): string {
  // Where there is one chain only, nothing has to say on which it is.
  const on = (chain: string): string => (chains.length === 1 ? '' : ` on ${chain}`);
  const rows = [
    ...chains.map((chain) => ['chain', chain.rpc, `${chain.name}, chain id ${chain.chainId}`]),
    ...chains.flatMap(({ name: chain, contracts }) =>
      Object.entries(contracts).map(([name, address]) => ['contract', address, name + on(chain)]),
    ),
    ...storage.map((node) => [
      'storage',
      node.rpc,
      `keeps ${describeShard(node.shard)}${on(node.chain)}`,
    ]),
    ...(indexer === undefined ? [] : [['indexer', indexer, 'knows who keeps what']]),
    ...kv.map((url) => ['kv', url, 'answers for streams of keys and values']),
    ...(da?.rest === undefined ? [] : [['blobs', da.rest, 'REST, OP Stack alt-DA, EigenDA proxy']]),
    ...(da?.grpc === undefined ? [] : [['blobs', da.grpc, 'gRPC of 0G’s disperser']]),
    ...(da?.nitro === undefined ? [] : [['blobs', da.nitro, 'JSON-RPC of Arbitrum nodes']]),
    ...(da?.page === undefined ? [] : [['page', da.page, 'samples blobs in a browser']]),
    ...(da?.signers ?? []).map((url) => ['signer', url, 'keeps and signs for rows of blobs']),
    ...(keys[0] === undefined ? [] : [['keys', keys[0], `${keys.length} funded accounts`]]),
  ];
  return formatTable(['SERVICE', 'WHERE', 'WHAT'], rows);
}

function describeShard(shard: { readonly id: number; readonly count: number }): string {
  return shard.count === 1 ? 'every segment' : `shard ${formatShard(shard)}`;
}

function describeEvent(event: DevnetEvent, io: CommandIo): string {
  if (event.kind === 'step') {
    return `${formatDuration(event.elapsedMs).padStart(8)}  ${event.text}\n`;
  }
  const { name, exit, log } = event;
  return `${coloured('lost:', 'red', io)} ${name} ended by itself (${exit}); its log is ${log}\n`;
}

function downCommand({ dir }: DevnetUpOptions): string {
  return `cairn devnet down${dir === undefined ? '' : ` --dir ${shellQuoted(dir)}`}`;
}

function lostAtOnce(directory: string): CliError {
  return new CliError(
    { code: 'CLI_NO_NETWORK', looked: directory },
    `the devnet in ${directory} was ready and is gone again; see its logs`,
  );
}
