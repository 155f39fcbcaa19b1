import { type Address, type ChainId, Fault, type Hex, type Root } from '@cairn/primitives';

/** What can be wrong with a job, or with the network that it is done on. */
export type JobFault =
  /** The network's endpoints name no hub, no order of checkpoints or no board. */
  | { readonly code: 'JOB_NO_BOARD'; readonly missing: string }
  /** The network's endpoints name no such chain, or the order has no log of it. */
  | { readonly code: 'JOB_NO_CHAIN'; readonly chainId: ChainId; readonly missing: string }
  | { readonly code: 'JOB_NO_SIGNER' }
  | { readonly code: 'JOB_NOT_FOUND'; readonly jobId: number }
  /** The inputs that the endpoint's event tells are not those that the board keeps the id of. */
  | {
      readonly code: 'JOB_INPUTS_DIFFER';
      readonly jobId: number;
      readonly expected: Hex;
      readonly actual: Hex;
    }
  /** Nobody here knows what to do with the inputs. */
  | { readonly code: 'JOB_PROGRAM_UNKNOWN'; readonly jobId: number; readonly program: Hex }
  /** The program cannot work with these inputs, whoever tries. */
  | { readonly code: 'JOB_BAD_INPUT'; readonly root: Root | undefined; readonly reason: string }
  /** Somebody else has the job, it is done, or its time is over: nothing is left to do. */
  | {
      readonly code: 'JOB_LOST';
      readonly jobId: number;
      readonly reason: string;
      readonly worker: Address | undefined;
    }
  /** The job's result is not what its program makes of its inputs. */
  | {
      readonly code: 'JOB_RESULT_WRONG';
      readonly jobId: number;
      readonly expected: Root;
      readonly actual: Root;
    };

/** A job cannot be done, or was done wrongly. */
export class JobError extends Fault<JobFault> {}

/** The fault for inputs that a program cannot work with. */
export function badInput(root: Root | undefined, reason: string): JobError {
  return new JobError(
    { code: 'JOB_BAD_INPUT', root, reason },
    `the program cannot work with what is cited: ${reason}`,
  );
}

/** The fault for a job that is nobody's to do, or somebody else's. */
export function lostJob(jobId: number, reason: string, worker: Address | undefined): JobError {
  return new JobError(
    { code: 'JOB_LOST', jobId, reason, worker },
    `job ${jobId} is not ours to do: ${reason}`,
  );
}
