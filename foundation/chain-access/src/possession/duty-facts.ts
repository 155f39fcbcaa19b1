import { type Address, isZeroBytes } from '@cairn/primitives';
import type { ReadOptions } from '../da/contract.ts';
import type { Possession } from './open-possession.ts';

/** A provider's duty. */
export interface Duty {
  readonly provider: Address;
  /** First period that it can be paid for; 0 while its set is being made. */
  readonly firstPeriod: number;
  /** 32 bytes. */
  readonly setRoot: Uint8Array;
  readonly sectors: number;
  readonly entries: number;
  /** First period without the duty; 0 while it has no end. */
  readonly endPeriod: number;
  /** Wei for each answered period. */
  readonly priceWei: bigint;
  readonly depositWei: bigint;
}

/** Periods that someone paid for; its number is its place in the list. */
export interface DutySpan {
  readonly from: number;
  /** The period after the last one. */
  readonly until: number;
  readonly payer: Address;
}

/** Everything about a duty; `undefined` for a number that none has. @throws what the client throws */
export async function readDuty(
  { contract }: Possession,
  id: number,
  options: ReadOptions,
): Promise<Duty | undefined> {
  const duty = (await contract.read('dutyOf', [id], options)).inner(0);
  if (isZeroBytes(duty.bytes('provider'))) return undefined;
  return {
    provider: duty.address('provider'),
    firstPeriod: duty.number('firstPeriod'),
    setRoot: duty.bytes('setRoot'),
    sectors: duty.number('sectors'),
    entries: duty.number('entries'),
    endPeriod: duty.number('endPeriod'),
    priceWei: duty.wide('price'),
    depositWei: duty.wide('deposit'),
  };
}

/** What a duty was paid for, by the numbers of the spans. @throws what the client throws */
export async function readDutySpans(
  { contract }: Possession,
  id: number,
  options: ReadOptions,
): Promise<readonly DutySpan[]> {
  const spans = (await contract.read('spansOf', [id], options)).inner(0);
  return Array.from({ length: spans.length }, (_, index) => {
    const span = spans.inner(index);
    return { from: span.number('from'), until: span.number('until'), payer: span.address('payer') };
  });
}

/** Whether a period was answered, reported or paid back. @throws what the client throws */
export async function readIsSettled(
  { contract }: Possession,
  id: number,
  period: number,
  options: ReadOptions,
): Promise<boolean> {
  return (await contract.read('isSettled', [id, period], options)).flag(0);
}

/** Whether a period's seed is proven. @throws what the client throws */
export async function readIsPeriodOpen(
  { contract }: Possession,
  period: number,
  options: ReadOptions,
): Promise<boolean> {
  return !isZeroBytes((await contract.read('seedOf', [period], options)).bytes(0));
}

/** Sectors of a duty's set that an open period asks for. @throws what the client throws */
export async function readDrawn(
  { contract, terms }: Possession,
  id: number,
  period: number,
  options: ReadOptions,
): Promise<readonly number[]> {
  const drawn = (await contract.read('drawnIn', [id, period], options)).inner(0);
  return Array.from({ length: terms.challenges }, (_, index) => drawn.number(index));
}

/** What has been earned or paid back and not been taken, in wei. @throws what the client throws */
export async function readDutyPayments(
  { contract }: Possession,
  payee: Address,
  options: ReadOptions,
): Promise<bigint> {
  return (await contract.read('payments', [payee], options)).wide(0);
}

/**
 * Numbers in the log of the files of a duty, ascending, from the events that added them.
 *
 * @throws what the client throws; {ChainError} CHAIN_LOG_RANGE where the endpoint takes no such range
 */
export async function readDutySequences(
  { client, contract }: Possession,
  id: number,
  options: ReadOptions,
): Promise<readonly number[]> {
  const logs = await client.getLogs(
    {
      address: contract.address,
      topic: contract.topic('EntriesAdded'),
      indexed: `0x${id.toString(16).padStart(64, '0')}`,
      fromBlock: 0,
      toBlock: await client.blockNumber(options),
    },
    options,
  );
  return logs.flatMap((log) => {
    const sequences = contract.decode('EntriesAdded', log).inner('sequences');
    return Array.from({ length: sequences.length }, (_, index) => sequences.number(index));
  });
}
