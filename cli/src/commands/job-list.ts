import { type Job, readJob, readJobCount } from '@cairn/chain-access/shards';
import { formatCoin, mapConcurrent } from '@cairn/primitives';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type JobOptions, jobJson, programName, stateOfJob, withJobs } from '../job-chain.ts';
import { writeJson, writeLine } from '../output.ts';
import { formatTable } from '../table.ts';
import { isoOf } from './duty-list.ts';

/** Jobs asked for at once. */
const PARALLEL = 8;

/** What `cairn job list` takes. */
export interface JobListOptions extends JobOptions {
  readonly open?: boolean;
  readonly limit: number;
}

/** Lists the newest jobs of a board. */
export async function jobList(options: JobListOptions, context: CommandContext): Promise<number> {
  const { io, signal } = context;
  await withJobs(options, context, async ({ network }) => {
    const { board } = network;
    const count = await readJobCount(board, { signal });
    const nowSeconds = await network.nowSeconds({ signal });
    const first = Math.max(0, count - options.limit);
    const ids = Array.from({ length: count - first }, (_, at) => first + at);
    const read = (jobId: number, inner: AbortSignal): Promise<Job | undefined> =>
      readJob(board, jobId, { signal: inner });
    const jobs: Job[] = [];
    for await (const job of mapConcurrent(ids, read, { parallel: PARALLEL, signal })) {
      if (job === undefined) continue;
      if (options.open !== true || stateOfJob(job, nowSeconds) === 'open') jobs.push(job);
    }
    if (options.json === true) {
      const listed = jobs.map((job) => jobJson(job, nowSeconds));
      await writeJson(io, { board: board.address, count, jobs: listed });
      return;
    }
    const rows = jobs.map((job) => [
      job.jobId,
      stateOfJob(job, nowSeconds),
      rewardOf(job.feeWei),
      isoOf(job.deadlineSeconds),
      job.worker ?? 'nobody',
      programName(job.program),
    ]);
    const head = ['JOB', 'STATE', 'REWARD', 'DEADLINE', 'WORKER', 'PROGRAM'];
    await writeLine(io, formatTable(head, rows));
    io.writeErr(`board ${board.address}, ${count} jobs\n`);
  });
  return EXIT.ok;
}

/** Coins; wei where coins would be rounded to nothing. */
export function rewardOf(wei: bigint): string {
  const text = formatCoin(wei);
  return text === '0' && wei > 0n ? `${wei} wei` : text;
}
