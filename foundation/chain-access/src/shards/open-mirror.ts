import type { Network } from '@cairn/attestation';
import { epochMirrorAbi } from '@cairn/contracts';
import { type Address, type ChainId, chainIdOf } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { checkContract, requireSame } from '../da/check-contract.ts';
import { Contract } from '../da/contract.ts';
import { checkChainId } from '../log/check-contract.ts';

/** Which chain's mirror, and of whose epochs. */
export interface MirrorOptions {
  readonly client: ChainClient;
  readonly mirror: Address;
  /** The chain it must be on; whatever the endpoint serves unless told. */
  readonly chainId?: ChainId;
  /** The network whose epochs it must mirror; whatever it mirrors unless told. */
  readonly network?: Network;
}

/** The hub's epochs and the order of checkpoints, as another chain knows them. */
export interface Mirror {
  readonly client: ChainClient;
  readonly chainId: ChainId;
  readonly network: Network;
  /** What orders checkpoints on the hub. */
  readonly orderingHub: Address;
  readonly contract: Contract;
  /** Seconds after an epoch's end for which its committee is believed about the next. */
  readonly trustingSeconds: number;
  /** Seconds by which the hub's clock may be ahead of this chain's. */
  readonly maxDriftSeconds: number;
  /** Seconds after an epoch's end in which its committee's checkpoints are taken. */
  readonly graceSeconds: number;
}

/**
 * Opens a mirror after checking that it is one, and of which network.
 *
 * @throws {ChainError} CHAIN_WRONG_ID, CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT and what the client
 *   throws; {DaError} DA_CONTRACTS_DIFFER for another network's
 */
export async function openMirror(
  { client, mirror, ...wanted }: MirrorOptions,
  { signal }: CallOptions,
): Promise<Mirror> {
  const chainId = await checkChainId(client, wanted.chainId, { signal });
  const contract = new Contract(client, mirror, epochMirrorAbi);
  await checkContract(contract, 'headEpoch', { client, chainId }, { signal });
  const number = async (name: string): Promise<number> =>
    (await contract.read(name, [], { signal })).number(0);
  const address = async (name: string): Promise<Address> =>
    (await contract.read(name, [], { signal })).address(0);
  const network = {
    hubChainId: chainIdOf(await number('hubChainId')),
    hub: await address('hub'),
  };
  const expected = wanted.network ?? network;
  requireSame('hub of the mirror', expected.hub, network.hub);
  requireSame('chain of its hub', `${expected.hubChainId}`, `${network.hubChainId}`);
  return {
    client,
    chainId,
    network,
    orderingHub: await address('orderingHub'),
    contract,
    trustingSeconds: await number('trustingPeriod'),
    maxDriftSeconds: await number('maxDrift'),
    graceSeconds: await number('graceSeconds'),
  };
}
