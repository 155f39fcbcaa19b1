import { chunkLinearRewardAbi, flowAbi, poraMineAbi } from '@cairn/contracts';
import { PORA_VERSION } from '@cairn/pora';
import type { Address } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { checkContract } from '../da/check-contract.ts';
import { Contract } from '../da/contract.ts';
import { MineError } from './errors.ts';

/** A mining contract with what it mines and who pays for it. */
export interface Mine {
  readonly client: ChainClient;
  readonly contract: Contract;
  readonly flow: Contract;
  readonly reward: Contract;
}

/**
 * Opens a mining contract after checking that it is one, of this flow and of rules that this build
 * keeps.
 *
 * @throws {ChainError} CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT and what the client throws; {MineError}
 * MINE_VERSION, MINE_CONTRACTS_DIFFER
 */
export async function openMine(
  client: ChainClient,
  addresses: { readonly mine: Address; readonly flow: Address },
  { signal }: CallOptions,
): Promise<Mine> {
  const contract = new Contract(client, addresses.mine, poraMineAbi);
  const chainId = await client.chainId({ signal });
  await checkContract(contract, 'poraVersion', { client, chainId }, { signal });
  const version = (await contract.read('poraVersion', [], { signal })).number(0);
  if (version !== PORA_VERSION) {
    throw new MineError(
      { code: 'MINE_VERSION', expected: PORA_VERSION, actual: version },
      `the mining contract ${addresses.mine} keeps version ${version} of the rules, this build knows ${PORA_VERSION}`,
    );
  }
  const flow = (await contract.read('flow', [], { signal })).address(0);
  if (flow !== addresses.flow) {
    throw new MineError(
      { code: 'MINE_CONTRACTS_DIFFER', what: 'flow', expected: addresses.flow, actual: flow },
      `the mining contract ${addresses.mine} is of the flow ${flow}, not of ${addresses.flow}`,
    );
  }
  const reward = (await contract.read('reward', [], { signal })).address(0);
  return {
    client,
    contract,
    flow: new Contract(client, flow, flowAbi),
    reward: new Contract(client, reward, chunkLinearRewardAbi),
  };
}
