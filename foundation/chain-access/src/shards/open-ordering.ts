import type { Domain } from '@cairn/attestation';
import { orderingHubAbi, quorumVerifierAbi } from '@cairn/contracts';
import type { CallOptions } from '../client/chain-client.ts';
import { checkContract, requireSame } from '../da/check-contract.ts';
import { Contract } from '../da/contract.ts';
import { finalBlock } from '../da/finality.ts';
import { type Hub, type HubOptions, openHub } from '../da/open-hub.ts';
import { readShard } from './ordering-facts.ts';

/** What gives the checkpoints of all consensus shards a place in one order. */
export interface Ordering {
  readonly hub: Hub;
  /** What bundles of checkpoints are stated to. */
  readonly domain: Domain;
  readonly contract: Contract;
  /** Checks what the committee signed; its errors come through. */
  readonly verifier: Contract;
  /** Seconds after an epoch's end in which its committee's bundles are taken. */
  readonly graceSeconds: number;
}

/**
 * Opens the contract that the hub's epochs name as what orders checkpoints.
 *
 * @returns `undefined` for a network that orders none: it has one shard
 * @throws {ChainError} CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT and what the client throws; {DaError}
 *   DA_CONTRACTS_DIFFER
 */
export async function openOrdering(
  hub: Hub,
  { signal }: CallOptions,
): Promise<Ordering | undefined> {
  const { client, chainId, sortition, network } = hub;
  const address = (await sortition.read('orderSource', [], { signal })).address(0);
  if (BigInt(address) === 0n) return undefined;
  const contract = new Contract(client, address, orderingHubAbi);
  await checkContract(contract, 'orderCount', { client, chainId }, { signal });
  const verifierAt = (await contract.read('verifier', [], { signal })).address(0);
  const verifier = new Contract(client, verifierAt, quorumVerifierAbi);
  await checkContract(verifier, 'hubChainId', { client, chainId }, { signal });
  const named = (await verifier.read('hub', [], { signal })).address(0);
  requireSame('hub of what orders checkpoints', network.hub, named);
  return {
    hub,
    domain: { chainId, address },
    contract,
    verifier,
    graceSeconds: (await contract.read('graceSeconds', [], { signal })).number(0),
  };
}

/**
 * Opens what orders checkpoints by the network's sortition contract alone: the hub's blocks are final as the registry
 * says of shard 0.
 *
 * @returns `undefined` for a network that orders none
 * @throws as `openHub` and `openOrdering`
 */
export async function openOrderingOf(
  place: Pick<HubOptions, 'client' | 'sortition' | 'chainId' | 'firstBlock'>,
  { signal }: CallOptions,
): Promise<Ordering | undefined> {
  const hub = await openHub({ ...place, finality: 'tag' }, { signal });
  const ordering = await openOrdering(hub, { signal });
  if (ordering === undefined) return undefined;
  const { finality } = await readShard(ordering, 0, { signal });
  const { client } = place;
  return {
    ...ordering,
    hub: { ...hub, finalBlock: (within) => finalBlock(client, finality, within) },
  };
}
