import { type Address, parseAddress } from '@cairn/primitives';
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
  /** Other endpoints of the chain, which have to name the same blocks. */
  readonly witness?: readonly string[];
}

/** Where the contracts of data availability are. */
export interface DaChainPlace {
  readonly rpc: string;
  readonly entrance: Address;
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
  const rest = endpoints.da?.rest;
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
  const { endpoints } = await readNetworkFile(options, io);
  return endpoints.da?.rest;
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
    return { rpc: options.rpc, entrance: given, witnesses };
  }
  const { endpoints, path } = await readNetworkFile(options, io);
  const chain = endpoints.chains.find(({ name }) => name === endpoints.da?.chain);
  const rpc = options.rpc ?? chain?.rpc;
  const entrance = given ?? chain?.contracts['daEntrance'];
  if (rpc === undefined || entrance === undefined) throw noBlobs('entrance', path);
  return { rpc, entrance, witnesses };
}

function noBlobs(what: string, network: string): CliError {
  return new CliError(
    { code: 'CLI_NO_BLOBS', what, network },
    `${network} names no ${what} for blobs`,
  );
}
