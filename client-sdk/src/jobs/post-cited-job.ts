import { explainJobRefusal, type Job, postJob, readJob } from '@cairn/chain-access/shards';
import type { ContentReference } from '@cairn/wire-protocol';
import { citeContents } from './cite-content.ts';
import { JobError } from './errors.ts';
import type { JobNetwork } from './job-network.ts';
import { programId } from './program.ts';

/** Work to be done over content that is ordered. */
export interface CitedJob {
  /** Name of what to do, such as `scoreRows.name`. */
  readonly program: string;
  /** 1 to 8, in the order in which the program takes them. */
  readonly inputs: readonly ContentReference[];
  /** Results count until then, unix seconds by the hub's clock. */
  readonly deadlineSeconds: number;
  /** What a result earns, wei. */
  readonly rewardWei: bigint;
}

/**
 * Posts a job on the network's board: proves what it cites, and leaves the reward there.
 *
 * @param intent - names the job for good: the same again, after a crash too, is the same job
 * @returns its number
 * @throws as `citeContents`; {JobRefusal} JOB_REFUSED; as `postJob`
 */
export async function postCitedJob(
  network: JobNetwork,
  { program, inputs: contents, deadlineSeconds, rewardWei }: CitedJob,
  { signal, intent }: { readonly signal: AbortSignal; readonly intent: string },
): Promise<number> {
  const inputs = await citeContents(network, contents, { signal });
  const request = { program: programId(program), inputs, deadlineSeconds, feeWei: rewardWei };
  try {
    return await postJob(network.caller(), request, { intent, signal });
  } catch (error) {
    throw explainJobRefusal(error);
  }
}

/** A job of the network's board. @throws {JobError} JOB_NOT_FOUND; as `readJob` */
export async function requireJob(
  { board }: Pick<JobNetwork, 'board'>,
  jobId: number,
  { signal }: { readonly signal: AbortSignal },
): Promise<Job> {
  const job = await readJob(board, jobId, { signal });
  if (job !== undefined) return job;
  throw new JobError(
    { code: 'JOB_NOT_FOUND', jobId },
    `the board ${board.address} has no job ${jobId}`,
  );
}
