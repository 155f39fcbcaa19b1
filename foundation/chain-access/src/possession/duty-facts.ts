import { type Address, isZeroBytes, toHex } from '@cairn/primitives';
import type { ReadOptions } from '../da/contract.ts';
import { dutyEventPages } from './duty-events.ts';
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
  /** Unix second from which the provider may end it; 0 while it has not said that it will. */
  readonly closableFrom: number;
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
    closableFrom: duty.number('closableFrom'),
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
 * @throws as `dutyEventPages`
 */
export async function readDutySequences(
  possession: Possession,
  id: number,
  options: ReadOptions,
): Promise<readonly number[]> {
  const toBlock = await possession.client.blockNumber(options);
  const found: number[] = [];
  for await (const { events } of dutyEventPages(possession, { id, toBlock }, options)) {
    for (const event of events) {
      if (event.kind !== 'added') continue;
      for (const sequence of event.sequences) found.push(sequence);
    }
  }
  return found;
}

/** Stake that still answers for a duty, in wei: its deposit less what missed periods cost. @throws what the client throws */
export async function readDepositLeft(
  { contract, stakeHub }: Possession,
  id: number,
  provider: Address,
  options: ReadOptions,
): Promise<bigint> {
  const caseId = (await contract.read('caseOf', [id], options)).bytes(0);
  return (await stakeHub.read('reservedFor', [provider, toHex(caseId)], options)).wide(0);
}

/** Duties that were ever begun; their numbers are below this. @throws what the client throws */
export async function readDutyCount(
  { contract }: Possession,
  options: ReadOptions,
): Promise<number> {
  return (await contract.read('dutyCount', [], options)).number(0);
}
