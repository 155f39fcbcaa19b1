import type { Network } from '@cairn/attestation';
import { signerRegistryAbi, sortitionAbi, stakeHubAbi } from '@cairn/contracts';
import { type Address, assertNatural, type ChainId } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { checkChainId } from '../log/check-contract.ts';
import { checkContract, requireSame } from './check-contract.ts';
import { Contract } from './contract.ts';
import { type Finality, finalBlock } from './finality.ts';

/** Which network's hub, and how its chain is trusted. */
export interface HubOptions {
  readonly client: ChainClient;
  /** The sortition contract: the network's identity. */
  readonly sortition: Address;
  /** The chain it must be on; whatever the endpoint serves unless told. */
  readonly chainId?: ChainId;
  /** A block not after the creation of the hub's contracts; 0 unless told. */
  readonly firstBlock?: number;
  readonly finality: Finality;
}

/** The hub: stake, keys and the epochs that follow from them. */
export interface Hub {
  readonly client: ChainClient;
  readonly chainId: ChainId;
  readonly network: Network;
  readonly sortition: Contract;
  readonly registry: Contract;
  readonly stakeHub: Contract;
  readonly firstBlock: number;
  /** Number of the newest block that stays. */
  finalBlock(options: CallOptions): Promise<number>;
}

/**
 * Opens the hub after checking that its contracts are there and belong to each other.
 *
 * @throws {ChainError} CHAIN_WRONG_ID, CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT and what the client
 * throws; {DaError} DA_CONTRACTS_DIFFER; {RangeError} for a block or depth that is none
 */
export async function openHub(options: HubOptions, { signal }: CallOptions): Promise<Hub> {
  const { client, firstBlock = 0, finality } = options;
  assertNatural(firstBlock, 'firstBlock');
  if (finality !== 'tag') assertNatural(finality, 'finality');
  const chainId = await checkChainId(client, options.chainId, { signal });
  const sortition = new Contract(client, options.sortition, sortitionAbi);
  const place = { client, chainId };
  await checkContract(sortition, 'entropyBlock', place, { signal });
  const registryAt = (await sortition.read('registry', [], { signal })).address(0);
  const stakeHubAt = (await sortition.read('stakeHub', [], { signal })).address(0);
  const registry = new Contract(client, registryAt, signerRegistryAbi);
  const stakeHub = new Contract(client, stakeHubAt, stakeHubAbi);
  await checkContract(registry, 'stakeHub', place, { signal });
  await checkContract(stakeHub, 'clock', place, { signal });
  const registryHub = (await registry.read('stakeHub', [], { signal })).address(0);
  requireSame('stake hub of the registry', stakeHubAt, registryHub);
  const clock = (await stakeHub.read('clock', [], { signal })).address(0);
  requireSame('clock of the stake hub', sortition.address, clock);
  return {
    client,
    chainId,
    network: { hubChainId: chainId, hub: sortition.address },
    sortition,
    registry,
    stakeHub,
    firstBlock,
    finalBlock: (within) => finalBlock(client, finality, within),
  };
}
