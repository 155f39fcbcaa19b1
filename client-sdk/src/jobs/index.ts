/** Jobs over cited content: posted on a board of the hub, done by workers, checked by anyone. */
export { checkResult } from './check-result.ts';
export {
  awaitOrdered,
  awaitPlace,
  citeContents,
  referToStored,
  type StoredContent,
} from './cite-content.ts';
export { badInput, JobError, type JobFault } from './errors.ts';
export { readJobInputs } from './job-inputs.ts';
export { JobNetwork, type JobNetworkOptions, openJobNetwork } from './job-network.ts';
export {
  type JobEvent,
  JobWorker,
  type JobWorkerDeps,
  type JobWorkerOptions,
} from './job-worker.ts';
export { type CitedJob, postCitedJob, requireJob } from './post-cited-job.ts';
export { type JobInput, type JobProgram, type PreparedJob, programId } from './program.ts';
export type { HeldResult, ResultStore, WantedResult } from './result-store.ts';
export { scoreRows } from './score-rows.ts';
