import type { CallOptions } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import { findLastProven, type LastProven } from './last-proven.ts';
import type { FileFees, Stretch } from './open-reward.ts';
import { readPaidUntil, readRenewalCost, readSectorPrice } from './renewals.ts';

/** What a file's place in the log costs, until when that is paid, and who proved it last. */
export interface FileTerms {
  /** Sectors charged: the padded length. */
  readonly chargedSectors: number;
  /** What was paid for storing it, at the price of its block; absent where nobody tells that. */
  readonly paidWei?: bigint;
  /** A sector's price now. */
  readonly pricePerSectorWei: bigint;
  /** Seconds that an upload pays for, and each term of a renewal. */
  readonly termSeconds: number;
  /**
   * Unix second until which it is paid for. Absent while its pricing chunk is not full: the first
   * term begins when it is.
   */
  readonly paidUntil?: number;
  /** What one term more costs now. */
  readonly renewalWei: bigint;
  readonly lastProven: LastProven;
}

/**
 * What the chain says of the fees of a file.
 *
 * @param block - the one that holds its log entry; what was paid is not known without it
 * @throws as `findLastProven`; what the client throws
 */
export async function readFileTerms(
  fees: FileFees,
  stretch: Stretch,
  block: number | undefined,
  options: CallOptions,
): Promise<FileTerms> {
  const [pricePerSectorWei, renewalWei, paidUntil, lastProven, paidWei] = await Promise.all([
    readSectorPrice(fees, options),
    readRenewalCost(fees, stretch, 1, options),
    readPaidUntil(fees, stretch, options),
    findLastProven(fees, stretch, options),
    block === undefined ? undefined : readPaid(fees, stretch, block, options),
  ]);
  return {
    chargedSectors: stretch.sectors,
    ...(paidWei !== undefined && { paidWei }),
    pricePerSectorWei,
    termSeconds: fees.termSeconds,
    ...(paidUntil !== undefined && { paidUntil }),
    renewalWei,
    lastProven,
  };
}

/** What storing cost; `undefined` from endpoints without old states. */
async function readPaid(
  fees: FileFees,
  { sectors }: Stretch,
  block: number,
  { signal }: CallOptions,
): Promise<bigint | undefined> {
  try {
    return (await readSectorPrice(fees, { signal, block })) * BigInt(sectors);
  } catch (error) {
    if (error instanceof ChainError && error.code === 'CHAIN_RPC_ERROR') return undefined;
    throw error;
  }
}
