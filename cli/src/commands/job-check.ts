import { resultFolder } from '@cairn/client-sdk';
import { checkResult } from '@cairn/client-sdk/jobs';
import { contentReferenceJson } from '@cairn/wire-protocol';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type JobOptions, PROGRAMS, parseJob, withJobs } from '../job-chain.ts';
import { writeLine } from '../output.ts';

/** Makes a job's result anew from what it cites, and compares it with the one that was paid for. */
export async function jobCheck(
  typed: string,
  options: JobOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const jobId = parseJob(typed);
  const result = await withJobs(options, context, ({ network, resultsDirectory }) => {
    const deps = { network, programs: PROGRAMS, results: resultFolder(resultsDirectory) };
    return checkResult(deps, jobId, { signal });
  });
  const reference = contentReferenceJson(result);
  if (options.json === true) await io.writeOut(`{"job":${jobId},"result":${reference}}\n`);
  else await writeLine(io, `the result of job ${jobId} is what its program makes: ${reference}`);
  return EXIT.ok;
}
