import { completeJob } from '@cairn/chain-access/shards';
import { awaitPlace, citeContents } from '@cairn/client-sdk/jobs';
import { contentReferenceId } from '@cairn/wire-protocol';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { citedBy, type JobOptions, type JobPlace, parseJob, withJobs } from '../job-chain.ts';
import { writeJson, writeLine } from '../output.ts';

/** What `cairn job complete` takes. */
export interface JobCompleteOptions extends JobOptions {
  readonly result: string;
  readonly wait?: boolean;
}

/** Brings the result of a job that the key's account has taken. */
export async function jobComplete(
  typed: string,
  options: JobCompleteOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const jobId = parseJob(typed);
  const { wait = false } = options;
  const complete = async ({ network }: JobPlace): Promise<string> => {
    const result = await citedBy(options.result, network, { wait, context });
    if (wait) await awaitPlace(network, result.globalIndex, { signal });
    const [cited] = await citeContents(network, [result], { signal });
    if (cited === undefined) throw new Error('unreachable: one content was cited');
    const id = contentReferenceId(result);
    const { count } = cited.proof.order;
    const intent = `complete:${network.board.address}:${jobId}:${id.slice(0, 18)}:${count}`;
    await completeJob(network.caller(), jobId, cited, { intent, signal });
    return id;
  };
  const resultId = await withJobs(options, context, complete, 'bring a result');
  if (options.json === true) await writeJson(io, { job: jobId, resultId });
  else await writeLine(io, `job ${jobId} is done: its result is ${resultId}`);
  return EXIT.ok;
}
