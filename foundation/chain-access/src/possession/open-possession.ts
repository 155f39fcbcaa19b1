import { possessionAbi, stakeHubAbi } from '@cairn/contracts';
import type { Address, ChainId } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { checkContract } from '../da/check-contract.ts';
import { Contract } from '../da/contract.ts';

/** When periods are, in blocks, and what is asked in each. */
export interface PossessionTerms {
  /** Start of period 0; the first one with duties is 1. */
  readonly firstBlock: number;
  readonly periodBlocks: number;
  /** What is younger than that when a period starts is not in force in it. */
  readonly finalityBlocks: number;
  /** From a period's start to the block whose entropy is its seed. */
  readonly seedDelay: number;
  /** After that block, to answer in. */
  readonly windowBlocks: number;
  /** After the window, to report a missed period in. */
  readonly reportBlocks: number;
  /** Sectors to be shown in a period. */
  readonly challenges: number;
}

/** A contract of duties with what it answers with and for. */
export interface Possession {
  readonly client: ChainClient;
  readonly chainId: ChainId;
  readonly contract: Contract;
  readonly stakeHub: Contract;
  /** The log whose files count. */
  readonly flow: Address;
  readonly terms: PossessionTerms;
}

/** Opens the contract of duties at `address`. @throws {ChainError} CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT; what the client throws */
export async function openPossession(
  client: ChainClient,
  address: Address,
  options: CallOptions,
): Promise<Possession> {
  const contract = new Contract(client, address, possessionAbi);
  const chainId = await client.chainId(options);
  await checkContract(contract, 'periodBlocks', { client, chainId }, options);
  const read = async (name: string): Promise<number> =>
    (await contract.read(name, [], options)).number(0);
  const [
    firstBlock,
    periodBlocks,
    finalityBlocks,
    seedDelay,
    windowBlocks,
    reportBlocks,
    challenges,
  ] = await Promise.all([
    read('firstBlock'),
    read('periodBlocks'),
    read('finalityBlocks'),
    read('seedDelay'),
    read('windowBlocks'),
    read('reportBlocks'),
    read('challenges'),
  ]);
  const hub = (await contract.read('hub', [], options)).address(0);
  return {
    client,
    chainId,
    contract,
    stakeHub: new Contract(client, hub, stakeHubAbi),
    flow: (await contract.read('flow', [], options)).address(0),
    terms: {
      firstBlock,
      periodBlocks,
      finalityBlocks,
      seedDelay,
      windowBlocks,
      reportBlocks,
      challenges,
    },
  };
}

/** The period that a block is in. */
export function periodAt({ firstBlock, periodBlocks }: PossessionTerms, block: number): number {
  return Math.max(0, Math.floor((block - firstBlock) / periodBlocks));
}

/** The block whose entropy is a period's seed; answers are taken after it. */
export function seedBlockOf(terms: PossessionTerms, period: number): number {
  return terms.firstBlock + period * terms.periodBlocks + terms.seedDelay;
}

/** The last block in which a period can be answered. */
export function windowEndOf(terms: PossessionTerms, period: number): number {
  return seedBlockOf(terms, period) + terms.windowBlocks;
}

/** The last block in which a period can be reported as missed. */
export function reportEndOf(terms: PossessionTerms, period: number): number {
  return windowEndOf(terms, period) + terms.reportBlocks;
}
