/** Duties of possession on chain: sets, periods, answers, and a keeper that gives them by itself. */
export {
  answerPeriod,
  bondProvider,
  type DutyCaller,
  fundDuty,
  openDuty,
  openPeriod,
  reportMissedPeriod,
  type ShownSector,
  startDuty,
} from './duty-calls.ts';
export {
  type Duty,
  type DutySpan,
  readDrawn,
  readDuty,
  readDutyPayments,
  readDutySequences,
  readDutySpans,
  readIsPeriodOpen,
  readIsSettled,
} from './duty-facts.ts';
export { type DrawnSector, DutySet, type SetEntry } from './duty-set.ts';
export { PossessionError, type PossessionFault } from './errors.ts';
export { DutyKeeper, type DutyKeeperDeps, type DutyLook, type SectorSource } from './keep-duty.ts';
export {
  openPossession,
  type Possession,
  type PossessionTerms,
  periodAt,
  reportEndOf,
  seedBlockOf,
  windowEndOf,
} from './open-possession.ts';
export { readLogRecords } from './read-records.ts';
