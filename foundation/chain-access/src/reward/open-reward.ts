import { chunkLinearRewardAbi, poraMineAbi, priceMarketAbi } from '@cairn/contracts';
import { type Address, parseAddress } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import { Contract } from '../da/contract.ts';
import { MARKET } from '../flow/abi.ts';

/** The contracts that hold what was paid for files of a log, and for how long. */
export interface FileFees {
  readonly client: ChainClient;
  readonly reward: Contract;
  readonly market: Contract;
  readonly mine: Contract;
  /** Sectors of a pricing chunk, whose time begins when it is full. */
  readonly sectorsPerChunk: number;
  /** Seconds that an upload pays for, and each term of a renewal. */
  readonly termSeconds: number;
}

/** Sectors of the flow: a file's, padding included. */
export interface Stretch {
  readonly startSector: number;
  readonly sectors: number;
}

/**
 * The fees of a log, found from its contract by its market and the market's reward.
 *
 * @returns `undefined` where files cannot be renewed: official contracts, and rewards that decay
 * @throws what the client throws
 */
export async function openFileFees(
  client: ChainClient,
  flow: Address,
  options: CallOptions,
): Promise<FileFees | undefined> {
  try {
    const [at] = await client.call(flow, MARKET, [], options);
    const market = new Contract(client, parseAddress(String(at)), priceMarketAbi);
    const address = (await market.read('reward', [], options)).address(0);
    const reward = new Contract(client, address, chunkLinearRewardAbi);
    const [mine, sectors, seconds] = await Promise.all([
      reward.read('mine', [], options),
      reward.read('sectorsPerPrice', [], options),
      reward.read('releaseSeconds', [], options),
    ]);
    await reward.read('paidUntil', [0, 1], options);
    return {
      client,
      reward,
      market,
      mine: new Contract(client, mine.address(0), poraMineAbi),
      sectorsPerChunk: sectors.number(0),
      termSeconds: seconds.number(0),
    };
  } catch (error) {
    const isAnother =
      error instanceof ChainError &&
      (error.code === 'CHAIN_RPC_ERROR' || error.code === 'CHAIN_BAD_REPLY');
    if (isAnother) return undefined;
    throw error;
  }
}
