import { takeJob } from '@cairn/chain-access/shards';
import { requireJob } from '@cairn/client-sdk/jobs';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type JobOptions, type JobPlace, parseJob, withJobs } from '../job-chain.ts';
import { writeJson, writeLine } from '../output.ts';
import { isoOf } from './duty-list.ts';

/** Takes a job that nobody has. */
export async function jobTake(
  typed: string,
  options: JobOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const jobId = parseJob(typed);
  const take = async ({ network }: JobPlace) => {
    const { takenUntilSeconds } = await requireJob(network, jobId, { signal });
    // Each time it is taken is a call of its own.
    const intent = `take:${network.board.address}:${jobId}:${takenUntilSeconds}`;
    await takeJob(network.caller(), jobId, { intent, signal });
    return (await requireJob(network, jobId, { signal })).takenUntilSeconds;
  };
  const until = await withJobs(options, context, take, 'take a job');
  if (options.json === true) await writeJson(io, { job: jobId, takenUntil: until });
  else await writeLine(io, `job ${jobId} is yours until ${isoOf(until)}`);
  return EXIT.ok;
}
