import {
  completeJob,
  explainJobRefusal,
  type Job,
  JobRefusal,
  readJob,
  takeJob,
} from '@cairn/chain-access/shards';
import { type Address, type ChainId, equalBytes, type Root, toHex } from '@cairn/primitives';
import { type ContentReference, contentReferenceId } from '@cairn/wire-protocol';
import { awaitOrdered, citeContents, type StoredContent } from './cite-content.ts';
import { JobError, lostJob } from './errors.ts';
import { readOpenJob } from './job-inputs.ts';
import { JobList } from './job-list.ts';
import type { JobNetwork } from './job-network.ts';
import { type JobProgram, type PreparedJob, programId } from './program.ts';
import type { ResultStore } from './result-store.ts';

/** Wait between looks at the board, unless told. */
const POLL_MS = 2000;
/** Wait before a job that failed is tried again; twice as long after each failure. */
const FIRST_RETRY_MS = 10_000;
/** The longest such wait. */
const LAST_RETRY_MS = 600_000;
/** Jobs whose failures are remembered; more are forgotten, and tried again sooner. */
const MAX_FAILED = 1000;
/** Times a result is cited anew because the hub no longer knew the root of the order. */
const MAX_CITATIONS = 3;

/** What a worker works with. */
export interface JobWorkerDeps {
  /** With a signer: the worker's account takes jobs and stores results. */
  readonly network: JobNetwork;
  readonly programs: readonly JobProgram[];
  readonly results: ResultStore;
}

/** How a worker works. */
export interface JobWorkerOptions {
  /** Chain in whose log results are stored; that of the first input unless told. */
  readonly resultChain?: ChainId;
  /** Jobs that pay less are left alone; 0 unless told. */
  readonly leastRewardWei?: bigint;
  /** Jobs with less time left are left alone; 60 unless told: a result has to be stored and ordered. */
  readonly leastSeconds?: number;
  readonly pollMs?: number;
  readonly onEvent?: (event: JobEvent) => void;
}

/** What happens to a job. */
export type JobEvent =
  /** Taken now, or gone on with after a restart. */
  | { readonly kind: 'taken' | 'resumed'; readonly jobId: number; readonly untilSeconds: number }
  | { readonly kind: 'computed'; readonly jobId: number; readonly bytes: number }
  | {
      readonly kind: 'stored';
      readonly jobId: number;
      readonly root: Root;
      readonly chainId: ChainId;
      readonly sequence: number;
    }
  | { readonly kind: 'ordered'; readonly jobId: number; readonly result: ContentReference }
  | { readonly kind: 'done'; readonly jobId: number; readonly result: ContentReference }
  /** Nothing is left to do for us. */
  | { readonly kind: 'lost'; readonly jobId: number; readonly reason: string }
  | {
      readonly kind: 'failed';
      readonly jobId: number;
      readonly error: unknown;
      /** Until it is tried again; `undefined` for never. */
      readonly retryMs: number | undefined;
    };

interface Waiting {
  readonly signal: AbortSignal;
}

/** A job that can be done, and what it takes. */
interface Task {
  readonly jobId: number;
  readonly job: Job;
  readonly inputs: readonly ContentReference[];
  readonly prepared: PreparedJob;
}

/**
 * Watches a board, and does jobs whose program it knows, one after the other: looks at the inputs, takes the job, computes, stores
 * the result in the log, waits until that is ordered, and cites it. Whatever it did before it was killed is found on the chain and on
 * disk, and gone on with; a job that somebody else has or has done is left alone.
 *
 * Memory: what the program takes, and a number for each open job.
 */
export class JobWorker {
  readonly #deps: JobWorkerDeps;
  readonly #options: JobWorkerOptions;
  readonly #account: Address;
  readonly #list: JobList;
  /** When jobs that failed are tried again, by the monotonic clock. */
  readonly #failed = new Map<number, { readonly afterMs: number; readonly waitMs: number }>();

  /** @throws {JobError} JOB_NO_SIGNER */
  constructor(deps: JobWorkerDeps, options: JobWorkerOptions = {}) {
    this.#deps = deps;
    this.#options = options;
    this.#account = deps.network.caller().sender.address;
    this.#list = new JobList(deps.network);
  }

  /** Works until the signal aborts. @throws the signal's reason; what the hub's endpoint throws */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const done = await this.workOnce({ signal });
      if (done === undefined) {
        await this.#deps.network.clock.sleep(this.#options.pollMs ?? POLL_MS, signal);
      }
    }
  }

  /**
   * Does the first job that there is for it: one that it has taken already, else one that is free.
   *
   * @returns its number once it is done; `undefined` if there was none, or it was not done
   * @throws the signal's reason; what the hub's endpoint throws
   */
  async workOnce({ signal }: Waiting): Promise<number | undefined> {
    const open = await this.#list.open({ signal });
    const nowSeconds = await this.#deps.network.nowSeconds({ signal });
    const own = open.filter(({ worker }) => worker === this.#account);
    const free = open.filter((job) => job.worker !== this.#account && isFree(job, nowSeconds));
    for (const job of [...own, ...free]) {
      if (!this.#isWanted(job, nowSeconds)) continue;
      if (await this.#tryJob(job, { signal })) return job.jobId;
    }
    return undefined;
  }

  /** Does one job, which nobody has or which it has itself. @throws {JobError}; {JobRefusal}; what reading, storing or the chain throws */
  async work(jobId: number, { signal }: Waiting): Promise<ContentReference> {
    const task = await this.#prepare(jobId, { signal });
    await this.#take(task, { signal });
    const stored = await this.#store(task, { signal });
    const onWait = async (): Promise<void> => {
      await this.#requireOurs(jobId, { signal });
    };
    const result = await awaitOrdered(this.#deps.network, stored, { signal, onWait });
    this.#tell({ kind: 'ordered', jobId, result });
    await this.#complete(jobId, result, { signal });
    await this.#deps.results.drop(this.#nameOf(jobId));
    this.#tell({ kind: 'done', jobId, result });
    return result;
  }

  async #tryJob({ jobId }: Job, { signal }: Waiting): Promise<boolean> {
    try {
      await this.work(jobId, { signal });
      this.#failed.delete(jobId);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      this.#note(jobId, error);
      return false;
    }
  }

  #note(jobId: number, error: unknown): void {
    if (error instanceof JobError && error.facts.code === 'JOB_LOST') {
      this.#failed.delete(jobId);
      this.#tell({ kind: 'lost', jobId, reason: error.facts.reason });
      return;
    }
    const isForGood = error instanceof JobError;
    const waitMs = Math.min(
      2 * (this.#failed.get(jobId)?.waitMs ?? FIRST_RETRY_MS / 2),
      LAST_RETRY_MS,
    );
    if (this.#failed.size >= MAX_FAILED) this.#failed.clear();
    const afterMs = isForGood
      ? Number.POSITIVE_INFINITY
      : this.#deps.network.clock.monotonic() + waitMs;
    this.#failed.set(jobId, { afterMs, waitMs });
    this.#tell({ kind: 'failed', jobId, error, retryMs: isForGood ? undefined : waitMs });
  }

  #isWanted({ jobId, program, feeWei, deadlineSeconds }: Job, nowSeconds: number): boolean {
    const { leastRewardWei = 0n, leastSeconds = 60 } = this.#options;
    const after = this.#failed.get(jobId)?.afterMs ?? 0;
    return (
      this.#deps.network.clock.monotonic() >= after &&
      feeWei >= leastRewardWei &&
      deadlineSeconds >= nowSeconds + leastSeconds &&
      this.#programOf(program) !== undefined
    );
  }

  #programOf(program: Uint8Array): JobProgram | undefined {
    return this.#deps.programs.find(({ name }) => equalBytes(programId(name), program));
  }

  async #prepare(jobId: number, { signal }: Waiting): Promise<Task> {
    const { network } = this.#deps;
    const { job, inputs } = await readOpenJob(network, jobId, { signal });
    const program = this.#programOf(job.program);
    if (program === undefined) {
      const id = toHex(job.program);
      throw new JobError(
        { code: 'JOB_PROGRAM_UNKNOWN', jobId, program: id },
        `job ${jobId} asks for program ${id}, which this worker does not have`,
      );
    }
    const opened = inputs.map((content) => ({
      content,
      client: network.clientOf(content.chainId),
    }));
    return { jobId, job, inputs, prepared: await program.prepare(opened, { signal }) };
  }

  async #take({ jobId, job }: Task, { signal }: Waiting): Promise<void> {
    const { network } = this.#deps;
    const nowSeconds = await network.nowSeconds({ signal });
    const until = job.takenUntilSeconds;
    if (job.worker === this.#account && until > nowSeconds) {
      this.#tell({ kind: 'resumed', jobId, untilSeconds: until });
      return;
    }
    // Each time it is taken is a call of its own.
    const intent = `take:${network.board.address}:${jobId}:${until}`;
    try {
      await takeJob(network.caller(), jobId, { intent, signal });
    } catch (error) {
      throw lostOr(jobId, explainJobRefusal(error));
    }
    const taken = await this.#requireOurs(jobId, { signal });
    this.#tell({ kind: 'taken', jobId, untilSeconds: taken.takenUntilSeconds });
  }

  async #store({ jobId, inputs, prepared }: Task, { signal }: Waiting): Promise<StoredContent> {
    const { network, results } = this.#deps;
    const [first] = inputs;
    const chainId = this.#options.resultChain ?? first?.chainId ?? network.ordering.hub.chainId;
    const bytes = prepared.resultBytes;
    const make = (): AsyncIterable<Uint8Array> => prepared.result({ signal });
    const held = await results.hold({ name: this.#nameOf(jobId), bytes, make }, { signal });
    try {
      this.#tell({ kind: 'computed', jobId, bytes });
      const { root, sequence } = await network.clientOf(chainId).files.put(held, { signal });
      this.#tell({ kind: 'stored', jobId, root, chainId, sequence });
      return { root, sequence, chainId };
    } finally {
      await held.close();
    }
  }

  async #complete(jobId: number, result: ContentReference, { signal }: Waiting): Promise<void> {
    const { network } = this.#deps;
    for (let round = 1; ; round += 1) {
      const [cited] = await citeContents(network, [result], { signal });
      if (cited === undefined) throw new Error('unreachable: one content was cited');
      // Another root of the order makes another call.
      const intent = `complete:${network.board.address}:${jobId}:${cited.proof.order.count}`;
      try {
        await completeJob(network.caller(), jobId, cited, { intent, signal });
        return;
      } catch (error) {
        const explained = explainJobRefusal(error);
        // A call of before the restart may have been first.
        if (await this.#isDoneWith(jobId, result, { signal })) return;
        const refusal = explained instanceof JobRefusal ? explained.facts.refusal : undefined;
        if (refusal !== 'NotOrdered' || round === MAX_CITATIONS) throw lostOr(jobId, explained);
      }
    }
  }

  async #isDoneWith(
    jobId: number,
    result: ContentReference,
    { signal }: Waiting,
  ): Promise<boolean> {
    const job = await readJob(this.#deps.network.board, jobId, { signal });
    return job?.worker === this.#account && job.resultId === contentReferenceId(result);
  }

  /** @throws {JobError} JOB_LOST */
  async #requireOurs(jobId: number, { signal }: Waiting): Promise<Job> {
    const job = await readJob(this.#deps.network.board, jobId, { signal });
    if (job?.worker === this.#account && job.poster !== undefined && job.resultId === undefined) {
      return job;
    }
    throw lostJob(
      jobId,
      'somebody else has it, or it was done or withdrawn meanwhile',
      job?.worker,
    );
  }

  /** Its result's name on disk: of this board alone. */
  #nameOf(jobId: number): string {
    const { board, ordering } = this.#deps.network;
    return `${ordering.hub.chainId}-${board.address}-${jobId}`;
  }

  #tell(event: JobEvent): void {
    this.#options.onEvent?.(event);
  }
}

function isFree({ takenUntilSeconds }: Job, nowSeconds: number): boolean {
  return takenUntilSeconds <= nowSeconds;
}

/** What a refusal means for a worker: somebody else was first, or time is over. */
function lostOr(jobId: number, error: unknown): unknown {
  if (!(error instanceof JobRefusal)) return error;
  const isOver = ['JobTakenBy', 'JobClosed', 'DeadlineOver'].includes(error.facts.refusal);
  return isOver ? lostJob(jobId, error.message, undefined) : error;
}
