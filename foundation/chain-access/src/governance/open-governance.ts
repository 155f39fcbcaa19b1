import { stakeGovernorAbi, stakeHubAbi, timelockAbi } from '@cairn/contracts';
import type { Address, ChainId } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { checkContract } from '../da/check-contract.ts';
import { Contract } from '../da/contract.ts';

/** By what a network decides: stake votes on proposals, and a timelock does what passed. Times are seconds. */
export interface Governance {
  readonly client: ChainClient;
  readonly chainId: ChainId;
  readonly governor: Contract;
  /** Holds the admin roles. */
  readonly timelock: Contract;
  /** Whose votes count. */
  readonly stakeHub: Contract;
  /** From a proposal to its vote. */
  readonly votingDelaySeconds: number;
  readonly votingSeconds: number;
  /** From queueing to execution, at least. */
  readonly delaySeconds: number;
  /** Votes without which nobody proposes. */
  readonly proposalVotes: bigint;
}

/**
 * Opens the governor of a network, with its timelock and the stake whose votes count.
 *
 * @throws {ChainError} CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT and what the client throws
 */
export async function openGovernance(
  { client, governor: address }: { readonly client: ChainClient; readonly governor: Address },
  { signal }: CallOptions,
): Promise<Governance> {
  const chainId = await client.chainId({ signal });
  const governor = new Contract(client, address, stakeGovernorAbi);
  await checkContract(governor, 'quorumBps', { client, chainId }, { signal });
  const read = (name: string) => governor.read(name, [], { signal });
  const timelock = new Contract(client, (await read('timelock')).address(0), timelockAbi);
  const stakeHub = new Contract(client, (await read('stakeHub')).address(0), stakeHubAbi);
  return {
    ...{ client, chainId, governor, timelock, stakeHub },
    votingDelaySeconds: (await read('votingDelay')).number(0),
    votingSeconds: (await read('votingPeriod')).number(0),
    delaySeconds: (await timelock.read('getMinDelay', [], { signal })).number(0),
    proposalVotes: (await read('proposalThreshold')).wide(0),
  };
}
