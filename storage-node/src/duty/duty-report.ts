import { type Possession, PossessionError } from '@cairn/chain-access/possession';
import { describeError, isFault, type Json } from '@cairn/primitives';
import type { PartHealth } from '../health.ts';
import { DutyError } from './errors.ts';
import type { KeptDuty } from './kept-duty.ts';

/** How the keeping of duties goes. */
export type DutyState =
  /** The contract is not open yet, or its events are being read. */
  | 'starting'
  /** It cannot, for the reason told; it tries again. */
  | 'degraded'
  | 'keeping';

export const DUTY_STATES: readonly DutyState[] = ['starting', 'degraded', 'keeping'];

/** Sentences about single duties in a health report, at most. */
const MAX_PROBLEMS = 8;

/** What is told of: the duties at a period, or why there are none yet. */
export interface DutyReport {
  readonly state: DutyState;
  readonly fault: unknown;
  readonly period: number;
  readonly terms: Possession['terms'] | undefined;
  readonly duties: readonly KeptDuty[];
}

/**
 * What everybody may know of duties. Faults of others' making are told without their sentences, which
 * may name files, or an endpoint with its key.
 */
export function dutyHealth(report: DutyReport): PartHealth {
  const { state, fault, period } = report;
  const problems: string[] = [];
  if (fault !== undefined) {
    problems.push(
      `duties are not kept (${codeOf(fault)}): the admin status has the reason; it tries again`,
    );
  }
  const kept = report.duties.filter((duty) => duty.isKept(period));
  for (const duty of kept) problems.push(...problemsOf(duty, period));
  const more = problems.length - MAX_PROBLEMS;
  if (more > 0) problems.splice(MAX_PROBLEMS, more, `and ${more} more about duties`);
  return { fact: factOf(state, kept, report), problems };
}

function factOf(state: DutyState, kept: readonly KeptDuty[], { period }: DutyReport): string {
  if (state === 'degraded') return 'keeps no duty: it cannot go on';
  if (state === 'starting') return 'keeps no duty yet: the contract is being read';
  if (kept.length === 0) return `keeps no duty in period ${period}: the account has none`;
  const sum = (count: (duty: KeptDuty) => number): number =>
    kept.reduce((total, duty) => total + count(duty), 0);
  const due = kept.flatMap((duty) => (duty.due === undefined ? [] : [duty.due]));
  const answered = sum(({ past }) => past?.answered ?? 0);
  const missed = sum(({ past }) => past?.missed ?? 0);
  const files = sum(({ sequences }) => sequences.length);
  const dueText =
    due.length === 0
      ? 'none due'
      : `${due.length} due within ${Math.min(...due.map(({ blocksLeft }) => blocksLeft))} blocks`;
  const duties = kept.length === 1 ? '1 duty' : `${kept.length} duties`;
  const ofFiles = files === 1 ? '1 file' : `${files} files`;
  return `keeps ${duties} of ${ofFiles} in period ${period}, ${dueText}; ${answered} periods answered, ${missed} missed`;
}

function problemsOf(duty: KeptDuty, period: number): readonly string[] {
  const { id, due, fault, missingSegments, past } = duty;
  const problems: string[] = [];
  if (due !== undefined && fault !== undefined) {
    problems.push(
      `period ${due.period} of duty ${id} is not answered, ${due.blocksLeft} blocks are left: ${sentenceOf(fault)}`,
    );
  } else if (fault !== undefined) {
    problems.push(`duty ${id} is not kept: ${sentenceOf(fault)}`);
  }
  if (missingSegments > 0) {
    problems.push(`duty ${id} is of ${missingSegments} segments that are not held here`);
  }
  if (past !== undefined && past.lastMissed > 0 && past.lastMissed >= period - 1) {
    problems.push(`period ${past.lastMissed} of duty ${id} was missed`);
  }
  return problems;
}

function sentenceOf(fault: unknown): string {
  const isTold = fault instanceof DutyError || fault instanceof PossessionError;
  return isTold ? fault.message : codeOf(fault);
}

function codeOf(fault: unknown): string {
  return isFault(fault) ? fault.code : 'an error';
}

/** What admins see of duties. */
export function dutyStatusJson(report: DutyReport, account: string | undefined): Json {
  const { state, fault, period, terms, duties } = report;
  return {
    state,
    reason: fault === undefined ? null : describeError(fault),
    account: account ?? null,
    period,
    windowBlocks: terms?.windowBlocks ?? null,
    duties: duties.map((duty) => ({
      duty: duty.id,
      files: duty.sequences.length,
      isKept: duty.isKept(period),
      firstPeriod: duty.duty?.firstPeriod ?? null,
      endPeriod: duty.duty?.endPeriod ?? null,
      priceWei: duty.duty === undefined ? null : String(duty.duty.priceWei),
      depositLeftWei: String(duty.depositLeftWei),
      missingSegments: duty.missingSegments,
      due:
        duty.due === undefined
          ? null
          : { period: duty.due.period, blocksLeft: duty.due.blocksLeft },
      answered: duty.past?.answered ?? 0,
      missed: duty.past?.missed ?? 0,
      lastAnswered: duty.past?.lastAnswered ?? 0,
      lastMissed: duty.past?.lastMissed ?? 0,
      reason: duty.fault === undefined ? null : describeError(duty.fault),
    })),
  };
}
