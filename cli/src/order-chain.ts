import { blstBackend } from '@cairn/attestation/native';
import { type ChainClient, createChainClient } from '@cairn/chain-access';
import {
  type Ordering,
  openOrderingOf,
  type ProveFileDeps,
  type Shard,
  ShardBook,
  ShardError,
} from '@cairn/chain-access/shards';
import { type Address, parseAddress } from '@cairn/primitives';
import type { ChainEndpoint } from '@cairn/wire-protocol';
import { CliError, usageError } from './errors.ts';
import type { CommandContext, CommandIo } from './io.ts';
import { readNetworkFile } from './network-options.ts';

/** How a command is told where checkpoints of all shards are ordered. */
export interface OrderOptions {
  /** A devnet's directory. */
  readonly dir?: string;
  readonly endpoints?: string;
  /** JSON-RPC address of the hub's chain. */
  readonly rpc?: string;
  /** The sortition contract there. */
  readonly hub?: string;
  /** JSON-RPC address of the chain of the shard that is asked about. */
  readonly shardRpc?: string;
}

/** The order of a network's checkpoints, and its shards. */
export interface OrderChain {
  readonly ordering: Ordering;
  /** Of the registry in final blocks, by rising number. */
  readonly shards: readonly Shard[];
  /** Contracts on the hub's chain that the network names. */
  readonly contracts: Readonly<Record<string, Address>>;
  /** What names the network. */
  readonly name: string;
  /** The chain of a shard, which the caller does not close; `undefined` where no endpoint of it is named. */
  clientOf(shard: Shard): ChainClient | undefined;
  /** What proving a file of a shard takes. @throws {CliError} CLI_USAGE; {ShardError} SHARD_OTHER_CHAIN */
  proverOf(shard: Shard): Promise<ProveFileDeps>;
}

interface HubPlace {
  readonly rpc: string;
  readonly sortition: Address;
  readonly chains: readonly ChainEndpoint[];
  readonly contracts: Readonly<Record<string, Address>>;
  readonly name: string;
}

/**
 * Works on the order of a network: the hub is the chain of its endpoints that names a sortition
 * contract, or `--rpc` with `--hub`; a shard's chain is found by its chain id, or is `--shard-rpc`.
 *
 * @throws {CliError} CLI_NO_NETWORK, CLI_ENDPOINTS_INVALID, CLI_NO_ORDER; what the chain throws
 */
export async function withOrder<Result>(
  options: OrderOptions,
  { io, signal }: CommandContext,
  work: (order: OrderChain) => Promise<Result>,
): Promise<Result> {
  const { rpc, sortition, chains, contracts, name } = await chooseHub(options, io);
  const clients: ChainClient[] = [];
  const open = (rpcUrl: string): ChainClient => {
    const client = createChainClient({ rpcUrl });
    clients.push(client);
    return client;
  };
  try {
    const ordering = await openFinal(open(rpc), sortition, name, signal);
    const shards = await new ShardBook(ordering).shards({ signal });
    const backend = blstBackend();
    const proverOf = async (shard: Shard): Promise<ProveFileDeps> => {
      const client = open(shardRpc(shard, options, chains, name));
      const { shardId, chainId: expected } = shard;
      const actual = await client.chainId({ signal });
      if (actual === expected) return { ordering, shard, client, backend };
      throw new ShardError(
        { code: 'SHARD_OTHER_CHAIN', shardId, expected, actual },
        `shard ${shardId} is chain ${expected}, and the endpoint serves chain ${actual}`,
      );
    };
    const clientOf = ({ chainId }: Shard): ChainClient | undefined => {
      if (chainId === ordering.hub.chainId) return ordering.hub.client;
      const url = chains.find((chain) => chain.chainId === chainId)?.rpc;
      return url === undefined ? undefined : open(url);
    };
    return await work({ ordering, shards, contracts, name, clientOf, proverOf });
  } finally {
    for (const client of clients) await client.close();
  }
}

/** Works on a chain by an endpoint of its own. @throws what `work` throws */
export async function withClient<Result>(
  rpcUrl: string,
  work: (client: ChainClient) => Promise<Result>,
): Promise<Result> {
  const client = createChainClient({ rpcUrl });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/**
 * The shard that a command asks about: that of the number, else the only one whose files have a place.
 *
 * @throws {CliError} CLI_USAGE, CLI_NO_SHARD
 */
export function chooseShard(shards: readonly Shard[], shardId: number | undefined): Shard {
  const named = shards.map((shard) => shard.shardId).join(', ');
  if (shardId !== undefined) {
    const found = shards.find((shard) => shard.shardId === shardId);
    if (found !== undefined) return found;
    throw new CliError(
      { code: 'CLI_NO_SHARD', shardId },
      `there is no shard ${shardId}: there are ${named}`,
    );
  }
  const [only, ...others] = shardsWithFiles(shards);
  if (only === undefined) {
    throw new CliError(
      { code: 'CLI_NO_SHARD', shardId: undefined },
      `of shards ${named} none has a log whose files have a place in the order`,
    );
  }
  if (others.length === 0) return only;
  const many = [only, ...others].map((shard) => shard.shardId).join(', ');
  throw usageError('shard', `shards ${many} have logs: say which one with --shard`);
}

/** Shards whose logs are in their checkpoints; those of the hub tell of the order in its place. */
export function shardsWithFiles(shards: readonly Shard[]): readonly Shard[] {
  return shards.filter(({ shardId, flow }) => shardId !== 0 && flow !== undefined);
}

async function chooseHub(options: OrderOptions, io: CommandIo): Promise<HubPlace> {
  const given = options.hub === undefined ? undefined : parseAddress(options.hub);
  if (options.rpc !== undefined && given !== undefined) {
    const isNamed = options.endpoints !== undefined || options.dir !== undefined;
    const chains = isNamed ? (await readNetworkFile(options, io)).endpoints.chains : [];
    const { contracts = {} } = chains.find((each) => each.contracts['sortition'] === given) ?? {};
    return { rpc: options.rpc, sortition: given, chains, contracts, name: options.rpc };
  }
  const { endpoints, path } = await readNetworkFile(options, io);
  const { chains } = endpoints;
  const chain = chains.find(({ contracts }) => contracts['sortition'] !== undefined);
  const rpc = options.rpc ?? chain?.rpc;
  const sortition = given ?? chain?.contracts['sortition'];
  if (rpc === undefined || sortition === undefined) {
    throw noOrder(path, `${path} names no hub`);
  }
  return { rpc, sortition, chains, contracts: chain?.contracts ?? {}, name: path };
}

async function openFinal(
  client: ChainClient,
  sortition: Address,
  name: string,
  signal: AbortSignal,
): Promise<Ordering> {
  const ordering = await openOrderingOf({ client, sortition }, { signal });
  if (ordering !== undefined) return ordering;
  throw noOrder(name, `${name} orders no checkpoints: it has one shard only`);
}

function shardRpc(
  { shardId, chainId }: Shard,
  options: OrderOptions,
  chains: readonly ChainEndpoint[],
  name: string,
): string {
  const rpc = options.shardRpc ?? chains.find((chain) => chain.chainId === chainId)?.rpc;
  if (rpc !== undefined) return rpc;
  throw usageError(
    'shardRpc',
    `${name} names no endpoint for chain ${chainId} of shard ${shardId}: give --shard-rpc URL`,
  );
}

function noOrder(network: string, text: string): CliError {
  return new CliError({ code: 'CLI_NO_ORDER', network }, text);
}
