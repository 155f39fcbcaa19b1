import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { ShardPlace, ShardsOptions } from '@cairn/client-sdk';
import { readFileIfPresent } from '@cairn/node-runtime/files';
import { describeError, utf8Text } from '@cairn/primitives';
import { type ChainEndpoint, type Endpoints, parseEndpointsText } from '@cairn/wire-protocol';
import { CliError, usageError } from './errors.ts';
import type { CommandIo } from './io.ts';

/** How a command is told which network it talks to. */
export interface NetworkOptions {
  /** A devnet's directory. */
  readonly dir?: string;
  readonly endpoints?: string;
  readonly node?: readonly string[];
  readonly indexer?: string;
  readonly rpc?: string;
  readonly flow?: string;
  /** The consensus shard that is meant, by its number at the hub. */
  readonly consensusShard?: number;
  /** The sortition contract on the chain of `rpc`: which consensus shards there are, for `shardPlace`. */
  readonly hub?: string;
  /** Where consensus shards are reached, in place of an endpoints file. */
  readonly shardPlace?: readonly ShardPlace[];
}

/** The network a command talks to. */
export interface NetworkChoice {
  /** All consensus shards, where the network has several and no address narrows it to one chain. */
  readonly shards?: ShardsOptions;
  /** The one that is meant. */
  readonly consensusShard?: number;
  readonly indexer?: string;
  readonly nodes: readonly string[];
  readonly rpc?: string;
  readonly flow?: string;
  readonly chainId?: number;
  /** Files with funded keys that the network brings, the default payer first. */
  readonly keyFiles: readonly string[];
  /** Every storage node the network lists, whichever are asked. */
  readonly listedNodes: readonly string[];
  /** Key-value nodes that the network lists. */
  readonly kv: readonly string[];
  /** Accounts of key-value nodes that vouch for state roots. */
  readonly kvKeys: readonly string[];
  /** Where journals of uploads to this network are kept. */
  readonly uploadsDirectory: string;
  /** Names the network in messages. */
  readonly name: string;
}

/** Where a devnet lies unless told. */
export const DEFAULT_DEVNET_DIRECTORY: string = join('.cairn', 'devnet');

/** The devnet directory a command works with. */
export function devnetDirectory(options: { readonly dir?: string }, io: CommandIo): string {
  return resolve(io.cwd, options.dir ?? io.env['CAIRN_DIR'] ?? DEFAULT_DEVNET_DIRECTORY);
}

/**
 * The network of a command line.
 *
 * `--endpoints`, `--dir` and CAIRN_DIR name a network as a whole, and addresses given besides
 * replace parts of it. Addresses alone are a network of their own, unless the devnet that runs here
 * has them all: then its chain and keys are used too. With nothing given it is that devnet. Of several chains it is
 * the first, unless `--rpc` or the first `--node` is of another one. Files are on all chains whose logs are in one order
 * as long as no address is given: `--consensus-shard` means one of them, `--shard-place` says where they are.
 *
 * @throws {CliError} CLI_NO_NETWORK, CLI_ENDPOINTS_INVALID, CLI_USAGE
 */
export async function chooseNetwork(
  options: NetworkOptions,
  io: CommandIo,
): Promise<NetworkChoice> {
  const choice = await chooseChain(options, io);
  const { consensusShard } = options;
  if (consensusShard === undefined) return choice;
  if (choice.shards !== undefined) return { ...choice, consensusShard };
  throw usageError(
    'consensusShard',
    `${choice.name} is one chain here: --consensus-shard needs a network of several, and no --node, --indexer or --rpc`,
  );
}

async function chooseChain(options: NetworkOptions, io: CommandIo): Promise<NetworkChoice> {
  const directory = devnetDirectory(options, io);
  const { path, isNamed } = networkFile(options, io);
  const { hub, shardPlace: places, rpc } = options;
  if (hub !== undefined && (rpc === undefined || places === undefined)) {
    throw usageError(
      'hub',
      '--hub is a contract on the chain of --rpc: give that, and --shard-place',
    );
  }
  const placed = places && {
    ...(hub === undefined || rpc === undefined ? {} : { hub: { rpc, sortition: hub } }),
    places,
  };
  const hasAddresses = hasAddress(options) || placed !== undefined;
  const endpoints = await readEndpoints(path, { isRequired: isNamed || !hasAddresses });
  if (endpoints !== undefined && (isNamed || !hasAddresses || hasAll(endpoints, options))) {
    const isDevnet = options.endpoints === undefined;
    const uploadsDirectory = isDevnet ? join(directory, 'uploads') : stateDirectory(io);
    const shards = placed ?? (await shardsIn(endpoints, options));
    return choiceOf(endpoints, options, { path, uploadsDirectory, shards });
  }
  return {
    ...(options.indexer === undefined ? {} : { indexer: options.indexer }),
    nodes: options.node ?? [],
    ...(options.rpc === undefined ? {} : { rpc: options.rpc }),
    ...(options.flow === undefined ? {} : { flow: options.flow }),
    keyFiles: [],
    listedNodes: options.node ?? [],
    kv: [],
    kvKeys: [],
    ...(placed === undefined ? {} : { shards: placed }),
    uploadsDirectory: stateDirectory(io),
    name: options.indexer ?? options.node?.[0] ?? options.rpc ?? 'network',
  };
}

/**
 * The endpoints file of a command line that needs one.
 *
 * @throws {CliError} CLI_NO_NETWORK, CLI_ENDPOINTS_INVALID
 */
export async function readNetworkFile(
  options: Pick<NetworkOptions, 'dir' | 'endpoints'>,
  io: CommandIo,
): Promise<{ readonly endpoints: Endpoints; readonly path: string }> {
  const { path } = networkFile(options, io);
  const endpoints = await readEndpoints(path, { isRequired: true });
  if (endpoints === undefined) throw new Error('unreachable: a required file was read');
  return { endpoints, path };
}

/** Which file names the network, and whether the command line says so. */
function networkFile(
  { endpoints, dir }: Pick<NetworkOptions, 'dir' | 'endpoints'>,
  io: CommandIo,
): { readonly path: string; readonly isNamed: boolean } {
  if (endpoints !== undefined) return { path: resolve(io.cwd, endpoints), isNamed: true };
  const directory = devnetDirectory(dir === undefined ? {} : { dir }, io);
  const isNamed = dir !== undefined || io.env['CAIRN_DIR'] !== undefined;
  return { path: join(directory, 'endpoints.json'), isNamed };
}

function choiceOf(
  endpoints: Endpoints,
  options: NetworkOptions,
  {
    path,
    uploadsDirectory,
    shards,
  }: {
    readonly path: string;
    readonly uploadsDirectory: string;
    readonly shards: ShardsOptions | undefined;
  },
): NetworkChoice {
  const chain = chainOf(endpoints, options);
  // Nodes given by hand are asked instead of what the file lists, the indexer included; that knows the first chain only.
  const isListed = options.node === undefined && chain === endpoints.chains[0];
  const indexer = options.indexer ?? (isListed ? endpoints.indexer : undefined);
  const listed = endpoints.storage
    .filter((node) => chain === undefined || node.chain === chain.name)
    .map(({ rpc }) => rpc);
  const rpc = options.rpc ?? chain?.rpc;
  const flow = options.flow ?? chain?.contracts['flow'];
  return {
    ...(indexer === undefined ? {} : { indexer }),
    nodes: options.node ?? (indexer === undefined ? listed : []),
    ...(rpc === undefined ? {} : { rpc }),
    ...(flow === undefined ? {} : { flow }),
    ...(chain === undefined ? {} : { chainId: chain.chainId }),
    ...(shards === undefined ? {} : { shards }),
    listedNodes: listed,
    kv: endpoints.kv,
    kvKeys: endpoints.kvKeys ?? [],
    keyFiles: endpoints.keys.map((key) => resolve(dirname(path), key)),
    uploadsDirectory,
    name: path,
  };
}

/** The shards of an endpoints file, unless an address narrows it to one chain. Loads the SDK where there are several. */
async function shardsIn(
  endpoints: Endpoints,
  options: NetworkOptions,
): Promise<ShardsOptions | undefined> {
  if (endpoints.chains.length < 2 || hasAddress(options)) return undefined;
  const { shardsOf } = await import('@cairn/client-sdk');
  return shardsOf(endpoints);
}

/** Whether an address narrows the network to one chain. */
function hasAddress({ node, indexer, rpc }: NetworkOptions): boolean {
  return node !== undefined || indexer !== undefined || rpc !== undefined;
}

/** The chain that `--rpc` names, or else the one of the first node that `--node` names; the first unless told. */
function chainOf(
  { chains, storage }: Endpoints,
  { rpc, node }: Pick<NetworkOptions, 'rpc' | 'node'>,
): ChainEndpoint | undefined {
  const isSame = (url: string, asked: string): boolean => bareUrl(url) === bareUrl(asked);
  const named = rpc === undefined ? undefined : chains.find((chain) => isSame(chain.rpc, rpc));
  const asked = node?.[0];
  const holder =
    rpc !== undefined || asked === undefined
      ? undefined
      : storage.find((each) => isSame(each.rpc, asked));
  return named ?? chains.find(({ name }) => name === holder?.chain) ?? chains[0];
}

function bareUrl(url: string): string {
  return url.replace(/\/+$/, '');
}

async function readEndpoints(
  path: string,
  { isRequired }: { readonly isRequired: boolean },
): Promise<Endpoints | undefined> {
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) {
    if (!isRequired) return undefined;
    throw new CliError({ code: 'CLI_NO_NETWORK', looked: path }, `no network: there is no ${path}`);
  }
  try {
    return parseEndpointsText(utf8Text(bytes));
  } catch (error) {
    throw new CliError(
      { code: 'CLI_ENDPOINTS_INVALID', path },
      `${path} is not an endpoints file: ${describeError(error)}`,
      { cause: error },
    );
  }
}

/** Whether every address given is one of these endpoints. */
function hasAll(endpoints: Endpoints, { node, indexer, rpc }: NetworkOptions): boolean {
  const known = new Set(
    [
      endpoints.indexer,
      ...endpoints.storage.map((storage) => storage.rpc),
      ...endpoints.chains.map((chain) => chain.rpc),
    ].map((url) => (url === undefined ? undefined : bareUrl(url))),
  );
  const given = [...(node ?? []), indexer, rpc].filter((url) => url !== undefined);
  return given.every((url) => known.has(url));
}

/** Journals of uploads to networks that have no directory here. */
function stateDirectory(io: CommandIo): string {
  const state = io.env['XDG_STATE_HOME'];
  const base = state?.startsWith('/') ? state : join(homedir(), '.local', 'state');
  return join(base, 'cairn', 'uploads');
}
