import { MAX_BATCH_SUBMISSIONS } from '@cairn/chain-access';
import { fileShape } from '@cairn/commitments';
import { SECTOR_BYTES } from '@cairn/primitives';
import type { Price } from './payer.ts';
import type { Placement } from './shards/placement.ts';

/** What one file of the log costs. */
export interface FileCost {
  readonly sizeBytes: number;
  /** Sectors that hold the file's bytes. */
  readonly sectors: number;
  /** Sectors charged: the padded length. */
  readonly chargedSectors: number;
  /** Bytes charged that hold nothing of the file. */
  readonly paddingBytes: number;
  readonly feeWei: bigint;
}

/** What storing costs, before anything is paid. */
export interface CostQuote extends FileCost {
  readonly pricePerSectorWei: bigint;
  /** Gas of the transactions, as far as it can be estimated; absent where there is no payer. */
  readonly gas?: bigint;
  readonly gasFeeWei?: bigint;
  /** Storage and gas together, as far as known. */
  readonly totalWei: bigint;
  /** One file of the log each, in order. */
  readonly fragments: readonly FileCost[];
  /** Transactions it takes. */
  readonly transactions: number;
  /** On which consensus shard, and why there, where the client knows of several. */
  readonly placement?: Placement;
}

/**
 * What files of these sizes cost at a price. Padding between files is not charged.
 *
 * @throws {CommitmentError} FILE_EMPTY
 */
export function quoteOf(sizes: readonly number[], price: Price): CostQuote {
  const { pricePerSectorWei, gas, gasPriceWei } = price;
  const fragments = sizes.map((sizeBytes) => costOf(sizeBytes, pricePerSectorWei));
  const sum = (pick: (file: FileCost) => number): number =>
    fragments.reduce((total, file) => total + pick(file), 0);
  const feeWei = fragments.reduce((total, file) => total + file.feeWei, 0n);
  const gasFeeWei = gas === undefined || gasPriceWei === undefined ? undefined : gas * gasPriceWei;
  return {
    sizeBytes: sum((file) => file.sizeBytes),
    sectors: sum((file) => file.sectors),
    chargedSectors: sum((file) => file.chargedSectors),
    paddingBytes: sum((file) => file.paddingBytes),
    feeWei,
    pricePerSectorWei,
    ...(gas === undefined ? {} : { gas }),
    ...(gasFeeWei === undefined ? {} : { gasFeeWei }),
    totalWei: feeWei + (gasFeeWei ?? 0n),
    fragments,
    transactions: Math.ceil(sizes.length / MAX_BATCH_SUBMISSIONS),
  };
}

function costOf(sizeBytes: number, pricePerSectorWei: bigint): FileCost {
  const { sectors, paddedSectors } = fileShape(sizeBytes);
  return {
    sizeBytes,
    sectors,
    chargedSectors: paddedSectors,
    paddingBytes: paddedSectors * SECTOR_BYTES - sizeBytes,
    feeWei: BigInt(paddedSectors) * pricePerSectorWei,
  };
}
