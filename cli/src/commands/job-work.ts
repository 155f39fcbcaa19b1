import { resultFolder } from '@cairn/client-sdk';
import { type JobEvent, JobWorker } from '@cairn/client-sdk/jobs';
import { chainIdOf, describeError, formatBytes, formatDuration } from '@cairn/primitives';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type JobOptions, PROGRAMS, withJobs } from '../job-chain.ts';
import { writeJson } from '../output.ts';
import { isoOf } from './duty-list.ts';

/** What `cairn job work` takes. */
export interface JobWorkOptions extends JobOptions {
  readonly once?: boolean;
  /** Wei. */
  readonly leastReward: bigint;
  readonly resultChain?: number;
}

/** Does jobs whose program is known here, until it is told to stop. */
export async function jobWork(options: JobWorkOptions, context: CommandContext): Promise<number> {
  const { io, signal } = context;
  const { leastReward: leastRewardWei, resultChain } = options;
  await withJobs(
    options,
    context,
    async ({ network, resultsDirectory }) => {
      const worker = new JobWorker(
        { network, programs: PROGRAMS, results: resultFolder(resultsDirectory) },
        {
          leastRewardWei,
          ...(resultChain === undefined ? {} : { resultChain: chainIdOf(resultChain) }),
          onEvent: (event) => io.writeErr(`${wordsOf(event)}\n`),
        },
      );
      if (options.once !== true) {
        io.writeErr(`working for ${network.board.address} as ${network.account}; Ctrl-C stops\n`);
        await worker.run(signal);
        return;
      }
      const done = await worker.workOnce({ signal });
      if (options.json === true) await writeJson(io, { done: done ?? null });
      else if (done === undefined) io.writeErr('no job was done\n');
    },
    'do jobs',
  );
  return EXIT.ok;
}

/** What happens to a job, in words. */
export function wordsOf(event: JobEvent): string {
  const { jobId } = event;
  switch (event.kind) {
    case 'taken':
      return `job ${jobId}: taken, until ${isoOf(event.untilSeconds)}`;
    case 'resumed':
      return `job ${jobId}: gone on with, ours until ${isoOf(event.untilSeconds)}`;
    case 'computed':
      return `job ${jobId}: computed ${formatBytes(event.bytes)}`;
    case 'stored':
      return `job ${jobId}: stored as ${event.root}, file ${event.sequence} of chain ${event.chainId}; waiting until it is ordered`;
    case 'ordered':
      return `job ${jobId}: the result is ordered at place ${event.result.globalIndex}`;
    case 'done':
      return `job ${jobId}: done, the board has the result`;
    case 'lost':
      return `job ${jobId}: left alone: ${event.reason}`;
    case 'failed': {
      const next =
        event.retryMs === undefined
          ? 'it is left alone'
          : `tried again in ${formatDuration(event.retryMs)}`;
      return `job ${jobId}: failed: ${describeError(event.error)}; ${next}`;
    }
  }
}
