import { withdrawJob } from '@cairn/chain-access/shards';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type JobOptions, type JobPlace, parseJob, withJobs } from '../job-chain.ts';
import { writeJson, writeLine } from '../output.ts';

/** Takes a job of the key's account back. Its reward then waits to be collected. */
export async function jobWithdraw(
  typed: string,
  options: JobOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const jobId = parseJob(typed);
  const withdraw = async ({ network }: JobPlace): Promise<void> => {
    const intent = `withdraw:${network.board.address}:${jobId}`;
    await withdrawJob(network.caller(), jobId, { intent, signal });
  };
  await withJobs(options, context, withdraw, 'take a job back');
  if (options.json === true) await writeJson(io, { job: jobId });
  else await writeLine(io, `job ${jobId} is withdrawn; \`cairn job collect\` pays its reward out`);
  return EXIT.ok;
}
