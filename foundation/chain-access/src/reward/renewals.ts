import { priceMarketAbi } from '@cairn/contracts';
import type { Address, Hex } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import type { ReadOptions } from '../da/contract.ts';
import { sendCall } from '../da/send-call.ts';
import type { SendOptions, TransactionSender } from '../send/transaction-sender.ts';
import type { FileFees, Stretch } from './open-reward.ts';

/** Most terms that one renewal pays for. */
export const MAX_RENEWAL_TERMS = 64;

/** What a renewal brought. */
export interface Renewal {
  readonly transactionHash: Hex;
  /** Wei that the terms cost, gas left out. */
  readonly feeWei: bigint;
  /** Wei for gas. */
  readonly gasPaidWei: bigint;
  /** As `readPaidUntil`, after it. */
  readonly paidUntil: number | undefined;
}

/** What a sector costs, in wei. @throws what the client throws */
export async function readSectorPrice({ market }: FileFees, options: ReadOptions): Promise<bigint> {
  return (await market.read('pricePerSector', [], options)).wide(0);
}

/**
 * Unix second until which sectors are paid for, with what was renewed for exactly these;
 * `undefined` while a pricing chunk of theirs is not full: their time has not begun.
 *
 * @throws what the client throws
 */
export async function readPaidUntil(
  { reward }: FileFees,
  { startSector, sectors }: Stretch,
  options: ReadOptions,
): Promise<number | undefined> {
  const until = (await reward.read('paidUntil', [startSector, sectors], options)).number(0);
  return until === 0 ? undefined : until;
}

/** What renewing sectors for so many terms costs now, in wei. @throws what the client throws */
export async function readRenewalCost(
  { reward }: FileFees,
  { startSector, sectors }: Stretch,
  terms: number,
  options: ReadOptions,
): Promise<bigint> {
  return (await reward.read('renewalCost', [startSector, sectors, terms], options)).wide(0);
}

/**
 * Pays for sectors for so many terms more. What a falling price leaves over comes back.
 *
 * The same renewal again, after a crash, is the same payment, until a block holds it: it is named by
 * how many the sender has made before.
 *
 * @param terms - 1 … 64
 * @throws {TransactionError}; TX_REVERTED with RenewalUnderpaid where the price rose meanwhile; {ChainError}
 */
export async function renewSectors(
  { fees, sender }: { readonly fees: FileFees; readonly sender: TransactionSender },
  stretch: Stretch,
  terms: number,
  options: SendOptions,
): Promise<Renewal> {
  const { reward } = fees;
  const { startSector, sectors } = stretch;
  const { signal } = options;
  const before = await renewalsBefore(fees, stretch, sender.address, { signal });
  const valueWei = await readRenewalCost(fees, stretch, terms, { signal });
  const intent = `renew:${reward.address}:${startSector}:${sectors}:${terms}:${before}`;
  const call = {
    contract: reward,
    name: 'renew',
    args: [startSector, sectors, terms],
    valueWei,
    others: [priceMarketAbi],
  };
  const receipt = await sendCall(sender, call, { ...options, intent });
  const topic = reward.topic('Renewed');
  const feeWei = receipt.logs
    .filter(({ address, topics }) => address === reward.address && topics[0] === topic)
    .reduce((sum, log) => sum + reward.decode('Renewed', log).wide('amount'), 0n);
  return {
    transactionHash: receipt.transactionHash,
    feeWei,
    gasPaidWei: receipt.gasUsed * receipt.gasPriceWei,
    paidUntil: await readPaidUntil(fees, stretch, { signal }),
  };
}

/** What tells the next renewal from those that a payer made: how many, or until when those last. */
async function renewalsBefore(
  fees: FileFees,
  stretch: Stretch,
  payer: Address,
  options: CallOptions,
): Promise<string> {
  const { client, reward } = fees;
  try {
    const logs = await client.getLogs(
      {
        address: reward.address,
        topic: reward.topic('Renewed'),
        indexed: `0x${payer.slice(2).padStart(64, '0')}`,
        fromBlock: 0,
        toBlock: await client.blockNumber(options),
      },
      options,
    );
    const own = logs.filter(
      (log) => reward.decode('Renewed', log).number('start') === stretch.startSector,
    );
    return String(own.length);
  } catch (error) {
    if (!(error instanceof ChainError) || error.code !== 'CHAIN_LOG_RANGE') throw error;
    // An endpoint that keeps such ranges back: the time paid for moves with each renewal, once it runs.
    const until = await readPaidUntil(fees, stretch, options);
    if (until === undefined) throw error;
    return `until ${until}`;
  }
}
