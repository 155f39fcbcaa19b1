/** Mining on chain: what to mine, what pieces are sealed with, answers as transactions made once. */
export { MineError, type MineFault } from './errors.ts';
export {
  type AcceptedAnswer,
  type MineCaller,
  readPayments,
  requestMinerId,
  submitAnswer,
} from './mine-calls.ts';
export {
  readBeneficiary,
  readSealContext,
  readWorkerContext,
  type SealContext,
  type WorkerContext,
} from './mine-facts.ts';
export { type Mine, openMine } from './open-mine.ts';
