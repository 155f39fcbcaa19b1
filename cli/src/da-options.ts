import { type Address, parseAddress } from '@cairn/primitives';
import type { ChainEndpoint, Endpoints } from '@cairn/wire-protocol';
import { CliError } from './errors.ts';
import type { CommandIo } from './io.ts';
import { readNetworkFile } from './network-options.ts';

/** How a command is told which data-availability network it talks to. */
export interface DaNetworkOptions {
  /** A devnet's directory. */
  readonly dir?: string;
  readonly endpoints?: string;
  readonly rest?: string;
  readonly rpc?: string;
  readonly entrance?: string;
  /** The hub's chain, where it is another than that of `rpc`. */
  readonly hubRpc?: string;
  /** The consensus shard of the blobs, where the network has several; 0, the hub, where nothing else names it. */
  readonly consensusShard?: number;
  /** Other endpoints of the hub's chain, or of the shard's, which have to name the same blocks as the one of their chain. */
  readonly witness?: readonly string[];
}

/** Where the contracts of data availability are. */
export interface DaChainPlace {
  readonly rpc: string;
  readonly entrance: Address;
  /** Endpoint of the hub's chain, where it is another than the entrance's. */
  readonly hubRpc?: string;
  readonly witnesses?: readonly string[];
}

/**
 * The disperser of a command line: `--rest`, else that of the network.
 *
 * @throws {CliError} CLI_NO_NETWORK, CLI_ENDPOINTS_INVALID, CLI_NO_BLOBS
 */
export async function chooseDisperser(options: DaNetworkOptions, io: CommandIo): Promise<string> {
  if (options.rest !== undefined) return options.rest;
  const { endpoints, path } = await readNetworkFile(options, io);
  const rest = restOf(endpoints, options, path);
  if (rest === undefined) throw noBlobs('disperser', path);
  return rest;
}

/**
 * The disperser of a command line, if it names one: `undefined` where it names a chain and no network.
 *
 * @throws as `chooseDisperser`, but for CLI_NO_BLOBS
 */
export async function findDisperser(
  options: DaNetworkOptions,
  io: CommandIo,
): Promise<string | undefined> {
  if (options.rest !== undefined) return options.rest;
  if (options.rpc !== undefined && options.entrance !== undefined) return undefined;
  const { endpoints, path } = await readNetworkFile(options, io);
  return restOf(endpoints, options, path);
}

/**
 * The chain of a command line: `--rpc` and `--entrance`, each else that of the network.
 *
 * @throws {CliError} CLI_NO_NETWORK, CLI_ENDPOINTS_INVALID, CLI_NO_BLOBS; {IdError} for an entrance
 *   that is no address
 */
export async function chooseDaChain(
  options: DaNetworkOptions,
  io: CommandIo,
): Promise<DaChainPlace> {
  const given = options.entrance === undefined ? undefined : parseAddress(options.entrance);
  const { witness: witnesses = [] } = options;
  if (options.rpc !== undefined && given !== undefined) {
    const { rpc, hubRpc } = options;
    return { rpc, entrance: given, ...(hubRpc === undefined ? {} : { hubRpc }), witnesses };
  }
  const { endpoints, path } = await readNetworkFile(options, io);
  const hub = endpoints.chains.find(({ name }) => name === endpoints.da?.chain);
  const chain = chainOf(endpoints, options, path);
  const rpc = options.rpc ?? chain?.rpc;
  const entrance = given ?? chain?.contracts['daEntrance'];
  if (rpc === undefined || entrance === undefined) throw noBlobs('entrance', path);
  const hubRpc = options.hubRpc ?? (chain === hub ? undefined : hub?.rpc);
  const elsewhere = hubRpc === undefined ? {} : { hubRpc };
  return { rpc, entrance, ...elsewhere, witnesses };
}

/** The chain whose blobs are meant: that of the hub, or a consensus shard by its number there. */
function chainOf(
  { chains, da }: Endpoints,
  { consensusShard = 0 }: DaNetworkOptions,
  path: string,
): ChainEndpoint | undefined {
  if (consensusShard === 0) return chains.find(({ name }) => name === da?.chain);
  const found = chains.find(
    ({ name, logShard }) => logShard === consensusShard && name !== da?.chain,
  );
  if (found === undefined) throw noBlobs(`consensus shard ${consensusShard}`, path);
  return found;
}

function restOf(endpoints: Endpoints, options: DaNetworkOptions, path: string): string | undefined {
  const { da, dispersers = [] } = endpoints;
  const chain = chainOf(endpoints, options, path);
  if (chain === undefined || chain.name === da?.chain) return da?.rest;
  return dispersers.find((each) => each.chain === chain.name)?.rest;
}

function noBlobs(what: string, network: string): CliError {
  return new CliError(
    { code: 'CLI_NO_BLOBS', what, network },
    `${network} names no ${what} for blobs`,
  );
}
