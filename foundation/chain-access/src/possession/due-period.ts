import type { ReadOptions } from '../da/contract.ts';
import { type Duty, readDutySpans, readIsSettled } from './duty-facts.ts';
import { type Possession, periodAt, seedBlockOf, windowEndOf } from './open-possession.ts';

/** A period that someone pays for and whose window is open. */
export interface DuePeriod {
  readonly id: number;
  readonly period: number;
  /** Number of the span that holds it. */
  readonly span: number;
  /** Answered, reported or paid back. */
  readonly isSettled: boolean;
  /** Blocks in which an answer sent now can still be taken. */
  readonly blocksLeft: number;
}

/** The period whose window is open at `block`; `undefined` between windows. */
export function openWindowAt(
  { terms }: Pick<Possession, 'terms'>,
  block: number,
): { readonly period: number; readonly blocksLeft: number } | undefined {
  const period = periodAt(terms, block);
  const blocksLeft = windowEndOf(terms, period) - block;
  // A transaction sent now is in the next block at the earliest.
  return block < seedBlockOf(terms, period) || blocksLeft <= 0 ? undefined : { period, blocksLeft };
}

/**
 * What a duty is to answer at `block`; `undefined` between windows, and where nobody pays for the
 * period or the duty has ended.
 *
 * @throws what the client throws
 */
export async function readDuePeriod(
  possession: Possession,
  { id, duty, block }: { readonly id: number; readonly duty: Duty; readonly block: number },
  options: ReadOptions,
): Promise<DuePeriod | undefined> {
  const open = openWindowAt(possession, block);
  if (open === undefined) return undefined;
  const { period, blocksLeft } = open;
  const span = await findSpan(possession, { id, duty, period }, options);
  if (span === undefined) return undefined;
  const isSettled = await readIsSettled(possession, id, period, options);
  return { id, period, span, isSettled, blocksLeft };
}

/** Number of the span in which a period of a duty is paid for; `undefined` where it is not owed. @throws what the client throws */
export async function findSpan(
  possession: Possession,
  { id, duty, period }: { readonly id: number; readonly duty: Duty; readonly period: number },
  options: ReadOptions,
): Promise<number | undefined> {
  if (duty.endPeriod !== 0 && period >= duty.endPeriod) return undefined;
  const spans = await readDutySpans(possession, id, options);
  const span = spans.findIndex(({ from, until }) => period >= from && period < until);
  return span < 0 ? undefined : span;
}
