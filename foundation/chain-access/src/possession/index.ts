/** Duties of possession on chain: sets, periods, answers, and a keeper that gives them by itself. */
export { type DuePeriod, findSpan, openWindowAt, readDuePeriod } from './due-period.ts';
export {
  answerPeriod,
  bondProvider,
  closeDuty,
  type DutyCaller,
  fundDuty,
  openDuty,
  openPeriod,
  type RecordsUpTo,
  refundClosedSpan,
  refundLapsedPeriod,
  releaseDuty,
  reportMissedPeriod,
  requestCloseDuty,
  type ShownSector,
  startDuty,
  withdrawDutyPayments,
} from './duty-calls.ts';
export {
  type DutyEvent,
  type DutyEventPage,
  type DutyEventRange,
  dutyEventPages,
  readWasAnswered,
} from './duty-events.ts';
export {
  type Duty,
  type DutySpan,
  readDepositLeft,
  readDrawn,
  readDuty,
  readDutyCount,
  readDutyPayments,
  readDutySequences,
  readDutySpans,
  readIsPeriodOpen,
  readIsSettled,
} from './duty-facts.ts';
export { type DrawnSector, DutySet, type SetEntry, type SetRecord } from './duty-set.ts';
export { PossessionError, type PossessionFault } from './errors.ts';
export { explainRefusal } from './explain-refusal.ts';
export {
  DutyKeeper,
  type DutyKeeperDeps,
  type DutyLook,
  ensurePeriodOpen,
  type SectorSource,
} from './keep-duty.ts';
export {
  openPossession,
  type Possession,
  type PossessionTerms,
  periodAt,
  reportEndOf,
  seedBlockOf,
  windowEndOf,
} from './open-possession.ts';
export {
  collectStakeReward,
  type ProviderStake,
  readProviderStake,
  requestUnbond,
  type UnbondingStake,
  withdrawStake,
} from './provider-stake.ts';
export {
  logRecordPages,
  type RecordPage,
  type RecordRange,
  readFirstLogBlock,
  readLogRecords,
} from './read-records.ts';
