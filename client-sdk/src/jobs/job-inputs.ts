import {
  inputsIdOf,
  type Job,
  type PostedJob,
  readJob,
  readPostedJob,
} from '@cairn/chain-access/shards';
import { JobError, lostJob } from './errors.ts';
import type { JobNetwork } from './job-network.ts';

interface Waiting {
  readonly signal: AbortSignal;
}

/**
 * A job that is to be done, with the inputs that its board keeps the id of.
 *
 * @throws {JobError} JOB_NOT_FOUND, JOB_LOST for one that is done or withdrawn, JOB_INPUTS_DIFFER; what the client throws
 */
export async function readOpenJob(
  network: JobNetwork,
  jobId: number,
  { signal }: Waiting,
): Promise<PostedJob & { readonly job: Job }> {
  const cited = await readJobInputs(network, jobId, { signal });
  const { job } = cited;
  if (job.poster !== undefined && job.resultId === undefined) return cited;
  const reason = job.poster === undefined ? 'it was withdrawn' : `${job.worker} has done it`;
  throw lostJob(jobId, reason, job.worker);
}

/**
 * A job, whatever became of it, with what it cites.
 *
 * @throws {JobError} JOB_NOT_FOUND, JOB_INPUTS_DIFFER where the endpoint's event tells of other inputs than the board keeps the id
 *   of; what the client throws
 */
export async function readJobInputs(
  network: Pick<JobNetwork, 'board' | 'hub'>,
  jobId: number,
  { signal }: Waiting,
): Promise<PostedJob & { readonly job: Job }> {
  const { board, hub } = network;
  const job = await readJob(board, jobId, { signal });
  const posted = await readPostedJob({ board, client: hub }, jobId, { signal });
  if (job === undefined || posted === undefined) {
    throw new JobError(
      { code: 'JOB_NOT_FOUND', jobId },
      `the board ${board.address} has no job ${jobId}`,
    );
  }
  const actual = inputsIdOf(posted.inputs);
  if (actual === job.inputsId) return { ...posted, job };
  throw new JobError(
    { code: 'JOB_INPUTS_DIFFER', jobId, expected: job.inputsId, actual },
    `the endpoint tells of inputs ${actual} of job ${jobId}, its board keeps ${job.inputsId}`,
  );
}
