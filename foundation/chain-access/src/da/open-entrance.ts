import type { Domain, Network } from '@cairn/attestation';
import { daEntranceAbi, quorumVerifierAbi } from '@cairn/contracts';
import { type Address, assertNatural, type ChainId, chainIdOf } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { checkChainId } from '../log/check-contract.ts';
import { checkContract, requireSame } from './check-contract.ts';
import { Contract } from './contract.ts';
import { type Finality, finalBlock } from './finality.ts';

/** Which consensus shard's entrance, and how its chain is trusted. */
export interface EntranceOptions {
  readonly client: ChainClient;
  readonly entrance: Address;
  /** The chain it must be on; whatever the endpoint serves unless told. */
  readonly chainId?: ChainId;
  /** The network it must belong to; whatever it belongs to unless told. */
  readonly network?: Network;
  /** A block not after the entrance's creation; 0 unless told. */
  readonly firstBlock?: number;
  readonly finality: Finality;
}

/** What an entrance was made with, for good. */
export interface EntranceSettings {
  readonly shardId: number;
  /** Cosets of parity of every blob. */
  readonly cosets: number;
  /** log2 of the data rows of the smallest blob. */
  readonly minLog2K: number;
  readonly maxRetentionEpochs: number;
  /** Nominal length of an epoch, by which retention is counted. */
  readonly epochSeconds: number;
  /** Submissions close that long before an epoch's end. */
  readonly marginSeconds: number;
  /** Confirmations close that long after it. */
  readonly graceSeconds: number;
  /** Members of a quorum at most. */
  readonly maxMembers: number;
}

/** Where blobs are submitted and batches confirmed on one consensus shard. */
export interface Entrance {
  readonly client: ChainClient;
  readonly chainId: ChainId;
  readonly network: Network;
  /** What statements about its blobs are made to. */
  readonly domain: Domain;
  readonly settings: EntranceSettings;
  readonly contract: Contract;
  readonly verifier: Contract;
  readonly firstBlock: number;
  /** Number of the newest block that stays. */
  finalBlock(options: CallOptions): Promise<number>;
}

/**
 * Opens an entrance after checking that it is one and which network it belongs to.
 *
 * @throws {ChainError} CHAIN_WRONG_ID, CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT and what the client
 * throws; {DaError} DA_CONTRACTS_DIFFER for another network's; {RangeError} for a block or depth that
 * is none
 */
export async function openEntrance(
  options: EntranceOptions,
  { signal }: CallOptions,
): Promise<Entrance> {
  const { client, entrance, firstBlock = 0, finality } = options;
  assertNatural(firstBlock, 'firstBlock');
  if (finality !== 'tag') assertNatural(finality, 'finality');
  const chainId = await checkChainId(client, options.chainId, { signal });
  const contract = new Contract(client, entrance, daEntranceAbi);
  await checkContract(contract, 'submissionCount', { client, chainId }, { signal });
  const verifierAt = (await contract.read('verifier', [], { signal })).address(0);
  const verifier = new Contract(client, verifierAt, quorumVerifierAbi);
  await checkContract(verifier, 'hubChainId', { client, chainId }, { signal });
  const network = {
    hubChainId: chainIdOf((await verifier.read('hubChainId', [], { signal })).number(0)),
    hub: (await verifier.read('hub', [], { signal })).address(0),
  };
  const wanted = options.network ?? network;
  requireSame('hub of the entrance', wanted.hub, network.hub);
  requireSame('chain of its hub', `${wanted.hubChainId}`, `${network.hubChainId}`);
  return {
    client,
    chainId,
    network,
    domain: { chainId, address: entrance },
    settings: await readSettings(contract, { signal }),
    contract,
    verifier,
    firstBlock,
    finalBlock: (within) => finalBlock(client, finality, within),
  };
}

async function readSettings(contract: Contract, options: CallOptions): Promise<EntranceSettings> {
  const number = async (name: string): Promise<number> =>
    (await contract.read(name, [], options)).number(0);
  return {
    shardId: await number('shardId'),
    cosets: await number('cosets'),
    minLog2K: await number('minLog2K'),
    maxRetentionEpochs: await number('maxRetention'),
    epochSeconds: await number('epochSeconds'),
    marginSeconds: await number('marginSeconds'),
    graceSeconds: await number('graceSeconds'),
    maxMembers: await number('maxMembers'),
  };
}
