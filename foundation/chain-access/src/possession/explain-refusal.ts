import { formatCoin } from '@cairn/primitives';
import { TransactionError } from '../send/errors.ts';
import { PossessionError } from './errors.ts';

type Args = Readonly<Record<string, string>>;

/** What each refusal of the contracts of duties and stake means, with its numbers. */
const SENTENCES: Readonly<Record<string, (args: Args) => string>> = {
  UnknownDuty: ({ id }) => `there is no duty ${id}`,
  NotProvider: ({ caller, provider }) => `the duty is of ${provider}, not of ${caller}`,
  DutyStartedAlready: ({ id }) => `duty ${id} has started: its files do not change any more`,
  UnknownLogRoot: ({ logRoot }) => `nobody has noted ${logRoot} as a root of the log`,
  NotInLog: ({ sequence }) => `the log does not hold the record given for entry ${sequence}`,
  SequencesNotAscending: ({ sequence, previous }) =>
    `files come in the order of the log: entry ${sequence} after ${previous} does not`,
  EmptyDuty: () => 'a duty is of at least one sector, with a deposit of at least one wei',
  NotInRole: ({ caller }) =>
    `${caller} has not taken the role of a provider: bond stake first (--bond)`,
  LiabilityExceeded: ({ available }) =>
    `of the account's stake ${coins(available)} are free to answer for it: bond more (--bond)`,
  NotStarted: ({ id }) => `duty ${id} was opened and never started`,
  DutyEnds: ({ endPeriod }) => `the duty ends before period ${endPeriod}`,
  WrongPayment: ({ periods, cost, paid }) =>
    `${periods} periods cost ${coins(cost)}, ${coins(paid)} came along`,
  DepositSpent: ({ left, penalty }) =>
    `${coins(left)} of the deposit are left, less than the ${coins(penalty)} that a missed period costs: nobody can pay for more`,
  NotClosing: ({ id }) => `the provider has not said that duty ${id} will end`,
  ClosableFrom: ({ from }) => `the duty can end from Unix second ${from} on`,
  NotClosed: ({ id }) => `duty ${id} has not ended`,
  UnknownSpan: ({ span }) => `nobody paid for a span ${span} of the duty`,
  NotOwed: ({ period }) => `nobody paid for period ${period}, or the duty had ended`,
  PeriodSettled: ({ period }) => `period ${period} was answered, reported or paid back`,
  TooEarly: ({ from }) => `that is for blocks after ${from}`,
  TooLate: ({ until }) => `that was for blocks up to ${until}`,
  SeedUnknown: ({ period }) => `nobody has proven the seed of period ${period}`,
  NoEntropy: ({ period, blockNumber }) =>
    `block ${blockNumber} has no entropy: nobody answers for period ${period}`,
  WrongCount: ({ shown, wanted }) => `an answer shows ${wanted} sectors, not ${shown}`,
  NotDrawn: ({ challenge, drawn }) =>
    `the file shown for challenge ${challenge} does not hold sector ${drawn} of the set`,
  NotInSet: ({ challenge }) => `the file shown for challenge ${challenge} is not of the set`,
  NotInFile: ({ challenge }) => `the sector shown for challenge ${challenge} is not of its file`,
  TooManyUnbonds: () => 'the account has as much stake on its way out, in parts, as it may',
  NothingUnbonding: () => 'the account has no stake on its way out',
  Locked: () => 'none of the stake on its way out has waited long enough',
  InFreeze: () => 'the account cannot take stake out while a case against it is open',
};

/**
 * What a refusal of the contracts of duties means, in a sentence; any other failure as it is.
 *
 * @returns {PossessionError} POSSESSION_REFUSED with the transaction's fault as its cause
 */
export function explainRefusal(error: unknown): unknown {
  if (!(error instanceof TransactionError) || error.facts.code !== 'TX_REVERTED') return error;
  const { errorName: refusal, errorArgs, transactionHash } = error.facts;
  const sentence = refusal === undefined ? undefined : SENTENCES[refusal];
  if (refusal === undefined || sentence === undefined) return error;
  const paid = transactionHash === undefined ? 'nothing was paid' : 'gas was paid';
  return new PossessionError(
    { code: 'POSSESSION_REFUSED', refusal, args: errorArgs, transactionHash },
    `${sentence(errorArgs)} (${refusal}; ${paid})`,
    { cause: error },
  );
}

/** An amount with its unit: wei where coins would be rounded to nothing. */
function coins(wei: string | undefined): string {
  if (wei === undefined || !/^\d+$/.test(wei)) return '? wei';
  const text = formatCoin(BigInt(wei));
  return text === '0' ? `${wei} wei` : `${text} coins`;
}
