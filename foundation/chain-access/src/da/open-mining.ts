import type { Domain } from '@cairn/attestation';
import { daMiningAbi } from '@cairn/contracts';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { checkContract, requireSame } from './check-contract.ts';
import { Contract } from './contract.ts';
import type { Entrance } from './open-entrance.ts';

/** What the contract that pays fees out was made with, for good. */
export interface MiningSettings {
  /** Blocks of a period; the first one's entropy is its seed. */
  readonly periodBlocks: number;
  /** A row is drawn where its 32 bits of a hash are not above it. */
  readonly drawTarget: number;
  /** Longest row that wins in the held lottery. */
  readonly maxRowBytes: number;
  /** Prizes that the target is moved towards, in a period. */
  readonly prizesPerPeriod: number;
  /** A row of that length is paid the pot divided by this. */
  readonly potShare: number;
}

/** The contract that pays the fees of an entrance out to those who keep rows. */
export interface Mining {
  readonly client: ChainClient;
  /** What served reports are made to. */
  readonly domain: Domain;
  readonly settings: MiningSettings;
  readonly contract: Contract;
  /** The entrance whose fees it pays out. */
  readonly entrance: Entrance;
}

/**
 * Opens the contract that an entrance pays its fees to, after checking that it is one.
 *
 * @throws {ChainError} CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT and what the client throws; {DaError}
 * DA_CONTRACTS_DIFFER
 */
export async function openMining(entrance: Entrance, { signal }: CallOptions): Promise<Mining> {
  const { client, chainId } = entrance;
  const address = (await entrance.contract.read('rewards', [], { signal })).address(0);
  const contract = new Contract(client, address, daMiningAbi);
  await checkContract(contract, 'periodBlocks', { client, chainId }, { signal });
  const own = (await contract.read('entrance', [], { signal })).address(0);
  requireSame('entrance of the rewards', entrance.domain.address, own);
  const wide = async (name: string): Promise<bigint> =>
    (await contract.read(name, [], { signal })).wide(0);
  const settings = {
    periodBlocks: Number(await wide('periodBlocks')),
    drawTarget: Number(await wide('drawTarget')),
    maxRowBytes: Number(await wide('MAX_ROW_BYTES')),
    prizesPerPeriod: Number(await wide('prizesPerPeriod')),
    potShare: Number(await wide('potShare')),
  };
  return { client, domain: { chainId, address }, settings, contract, entrance };
}
