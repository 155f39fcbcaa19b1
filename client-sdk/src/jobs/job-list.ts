import { type Job, readJob, readJobCount } from '@cairn/chain-access/shards';
import { mapConcurrent } from '@cairn/primitives';
import type { JobNetwork } from './job-network.ts';

/** Open jobs that are looked at, the oldest first: more wait until some of these are over. */
const MAX_OPEN = 1000;
/** Jobs behind the newest that are looked at after a start: older ones are taken for over. */
const MAX_PAST = 10_000;
/** Jobs asked for at once. */
const PARALLEL = 8;

/** The jobs of a board that are not over, read anew at each look; those that are over are read once. */
export class JobList {
  readonly #network: Pick<JobNetwork, 'board' | 'nowSeconds'>;
  /** Numbers of jobs that were open when last looked at. */
  #open: readonly number[] = [];
  /** Jobs below were looked at. */
  #next: number | undefined;

  constructor(network: Pick<JobNetwork, 'board' | 'nowSeconds'>) {
    this.#network = network;
  }

  /** Jobs that have neither result nor end, by rising number. @throws what the hub's endpoint throws */
  async open({ signal }: { readonly signal: AbortSignal }): Promise<readonly Job[]> {
    const { board } = this.#network;
    const count = await readJobCount(board, { signal });
    const nowSeconds = await this.#network.nowSeconds({ signal });
    const first = this.#next ?? Math.max(0, count - MAX_PAST);
    const jobs: Job[] = [];
    const look = async (ids: readonly number[]): Promise<void> => {
      const read = (jobId: number, inner: AbortSignal): Promise<Job | undefined> =>
        readJob(board, jobId, { signal: inner });
      for await (const job of mapConcurrent(ids, read, { parallel: PARALLEL, signal })) {
        if (job !== undefined && isOpen(job, nowSeconds)) jobs.push(job);
      }
    };
    await look(this.#open);
    let next = first;
    while (next < count && jobs.length < MAX_OPEN) {
      const upTo = Math.min(count, next + PARALLEL);
      await look(Array.from({ length: upTo - next }, (_, at) => next + at));
      next = upTo;
    }
    this.#next = next;
    this.#open = jobs.map(({ jobId }) => jobId);
    return jobs;
  }
}

function isOpen({ poster, resultId, deadlineSeconds }: Job, nowSeconds: number): boolean {
  return poster !== undefined && resultId === undefined && deadlineSeconds > nowSeconds;
}
