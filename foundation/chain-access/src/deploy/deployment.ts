import { CONTRACT_NAMES, type ContractName } from '@cairn/contracts';
import {
  type Address,
  type ChainId,
  chainIdOf,
  type Hex,
  isHexOf,
  isRecord,
  parseAddress,
} from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import { DeployError } from './errors.ts';

/** The contracts of one network on one chain; what a deployment file holds, as JSON. */
export interface Deployment {
  readonly chainId: ChainId;
  readonly contracts: DeployedContracts;
  /** The block that holds the flow's creation: where following its log can begin. */
  readonly block: number;
}

/** The Directory, and the contracts it names. */
export type DeployedContracts = Readonly<Record<ContractName | 'directory', Address>>;

/** Reads a deployment from outside, such as a file's parsed JSON. @throws {DeployError} DEPLOY_FILE_INVALID */
export function parseDeployment(value: unknown): Deployment {
  if (!isRecord(value)) throw invalid('the whole');
  const { chainId, contracts, block } = value;
  if (typeof chainId !== 'number' || !Number.isSafeInteger(chainId) || chainId < 1) {
    throw invalid('chainId');
  }
  if (typeof block !== 'number' || !Number.isSafeInteger(block) || block < 0) {
    throw invalid('block');
  }
  if (!isRecord(contracts)) throw invalid('contracts');
  const address = (name: keyof DeployedContracts): Address => {
    const text = contracts[name];
    if (!isHexOf(text, 20)) throw invalid(`contracts.${name}`);
    return parseAddress(text);
  };
  return {
    chainId: chainIdOf(chainId),
    contracts: {
      directory: address('directory'),
      flow: address('flow'),
      market: address('market'),
      reward: address('reward'),
      poraMine: address('poraMine'),
    },
    block,
  };
}

const REWARD_OF = 'function reward() view returns (address)';
const DIRECTORY_GET = 'function get(bytes32 name) view returns (address)';

/**
 * Asks a Directory which contracts the network has now.
 *
 * @throws {ChainError} CHAIN_RPC_ERROR if it has no such entry, CHAIN_BAD_REPLY if it is no Directory
 */
export async function readDirectory(
  client: ChainClient,
  directory: Address,
  options: CallOptions,
): Promise<DeployedContracts> {
  const entry = async (name: Hex): Promise<Address> => {
    const [address] = await client.call(directory, DIRECTORY_GET, [name], options);
    return parseAddress(String(address));
  };
  return {
    directory,
    flow: await entry(CONTRACT_NAMES.flow),
    market: await entry(CONTRACT_NAMES.market),
    reward: await entry(CONTRACT_NAMES.reward),
    poraMine: await entry(CONTRACT_NAMES.poraMine),
  };
}

/**
 * Checks that every contract of a deployment is there and knows the others.
 *
 * @throws {DeployError} DEPLOY_MISMATCH naming the first that does not; what the client throws
 */
export async function verifyDeployment(
  client: ChainClient,
  { chainId, contracts }: Deployment,
  options: CallOptions,
): Promise<void> {
  const actual = await client.chainId(options);
  if (actual !== chainId) throw mismatch('chain', `${chainId}`, `${actual}`);
  for (const [name, address] of Object.entries(contracts)) {
    const code = await client.getCode(address, options);
    if (code.length === 0) throw mismatch(name, `code at ${address}`, 'none');
  }
  const read = async (at: Address, fragment: string): Promise<string> => {
    try {
      return String((await client.call(at, fragment, [], options))[0]).toLowerCase();
    } catch (error) {
      if (!(error instanceof ChainError) || error.code === 'CHAIN_UNREACHABLE') throw error;
      return `unknown to ${at}`; // another contract, or none
    }
  };
  const { flow, market, reward, poraMine } = contracts;
  const links = [
    ['market of the flow', market, await read(flow, 'function market() view returns (address)')],
    ['flow of the market', flow, await read(market, 'function flow() view returns (address)')],
    ['reward of the market', reward, await read(market, REWARD_OF)],
    ['reward of the mine', reward, await read(poraMine, REWARD_OF)],
    ['flow of the mine', flow, await read(poraMine, 'function flow() view returns (address)')],
    ['mine of the reward', poraMine, await read(reward, 'function mine() view returns (address)')],
  ] as const;
  for (const [what, expected, found] of links) {
    if (found !== expected) throw mismatch(what, expected, found);
  }
  const named = await readDirectory(client, contracts.directory, options);
  for (const name of ['flow', 'market', 'reward', 'poraMine'] as const) {
    if (named[name] !== contracts[name]) {
      throw mismatch(`directory entry ${name}`, contracts[name], named[name]);
    }
  }
}

function mismatch(contract: string, expected: string, actual: string): DeployError {
  return new DeployError(
    { code: 'DEPLOY_MISMATCH', contract, expected, actual },
    `the deployment is not what it should be: ${contract} is ${actual}, not ${expected}`,
  );
}

function invalid(field: string): DeployError {
  return new DeployError(
    { code: 'DEPLOY_FILE_INVALID', field },
    `the deployment file cannot be used: ${field} is missing or malformed`,
  );
}
