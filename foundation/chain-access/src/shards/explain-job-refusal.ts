import { Fault } from '@cairn/primitives';
import { TransactionError } from '../send/errors.ts';

type Args = Readonly<Record<string, string>>;

/** What a board of jobs refused. */
export type JobRefusalFault = {
  readonly code: 'JOB_REFUSED';
  /** Name of the contract's error: NotOrdered, NotWhatIsProven, JobTakenBy, JobClosed, … */
  readonly refusal: string;
  readonly args: Args;
  /** Of the block in which it was refused; `undefined` where it was refused on trial, and nothing was paid. */
  readonly transactionHash: string | undefined;
};

/** A board of jobs refused a call. */
export class JobRefusal extends Fault<JobRefusalFault> {}

/** What each refusal of a board means, with its numbers. */
const SENTENCES: Readonly<Record<string, (args: Args) => string>> = {
  BadInputs: ({ inputs, proofs }) =>
    `a job cites 1 to 8 files, each with its proof, not ${inputs} with ${proofs}`,
  DeadlineOver: ({ deadline }) => `the deadline was Unix second ${deadline}`,
  JobClosed: ({ jobId }) => `job ${jobId} has its result, was withdrawn, or never was`,
  JobTakenBy: ({ worker, takenUntil }) =>
    /^0x0{40}$/.test(worker ?? '')
      ? 'nobody has taken the job: take it first'
      : `${worker} has the job until Unix second ${takenUntil}`,
  NotYours: ({ jobId }) =>
    `job ${jobId} is taken back by who posted it only, while nobody has it or after its deadline`,
  BadRange: ({ offset, length, size }) =>
    `${length} bytes from byte ${offset} on are not in a file of ${size} bytes`,
  ReferenceOfAnotherChain: ({ named, proven }) =>
    `the reference says chain ${named}, what is proven is on chain ${proven}`,
  NotWhatIsProven: ({ root, size, globalIndex }) =>
    `what is proven is file ${root} of ${size} bytes at place ${globalIndex}, not what is cited`,
  NotOrdered: ({ globalIndex, orderCount }) =>
    `place ${globalIndex} is not proven under a root that the hub knows of the first ${orderCount} places: what is cited is not ordered yet, or in another way`,
  NotLogged: ({ sequence, logCount }) =>
    `the log of ${logCount} files does not have that file as number ${sequence}`,
  ShardUnknown: () => 'the order has no shard of that number',
  HubHasNoLog: () => 'checkpoints of shard 0 tell of the order, not of a log',
};

/**
 * What the refusal of a board of jobs means, in a sentence; any other failure as it is.
 *
 * @returns {JobRefusal} JOB_REFUSED with the transaction's fault as its cause
 */
export function explainJobRefusal(error: unknown): unknown {
  if (!(error instanceof TransactionError) || error.facts.code !== 'TX_REVERTED') return error;
  const { errorName: refusal, errorArgs: args, transactionHash } = error.facts;
  const sentence = refusal === undefined ? undefined : SENTENCES[refusal];
  if (refusal === undefined || sentence === undefined) return error;
  const paid = transactionHash === undefined ? 'nothing was paid' : 'gas was paid';
  return new JobRefusal(
    { code: 'JOB_REFUSED', refusal, args, transactionHash },
    `${sentence(args)} (${refusal}; ${paid})`,
    { cause: error },
  );
}
