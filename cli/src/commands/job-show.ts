import { readJobResult } from '@cairn/chain-access/shards';
import { readJobInputs } from '@cairn/client-sdk/jobs';
import { contentReferenceJson } from '@cairn/wire-protocol';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import {
  type JobOptions,
  jobJson,
  parseJob,
  programName,
  stateOfJob,
  withJobs,
} from '../job-chain.ts';
import { writeLine } from '../output.ts';
import { isoOf } from './duty-list.ts';
import { rewardOf } from './job-list.ts';

/** Shows a job: what it cites, who has it, and its result. */
export async function jobShow(
  typed: string,
  options: JobOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const jobId = parseJob(typed);
  await withJobs(options, context, async ({ network }) => {
    const { board, hub } = network;
    const { job, inputs } = await readJobInputs(network, jobId, { signal });
    const nowSeconds = await network.nowSeconds({ signal });
    const result =
      job.resultId === undefined
        ? undefined
        : await readJobResult({ board, client: hub }, jobId, { signal });
    if (options.json === true) {
      const fields = {
        ...jobJson(job, nowSeconds),
        inputs: inputs.map((input) => JSON.parse(contentReferenceJson(input))),
        ...(result === undefined ? {} : { result: JSON.parse(contentReferenceJson(result)) }),
      };
      await io.writeOut(`${JSON.stringify(fields)}\n`);
      return;
    }
    const lines = [
      `job       ${jobId}, ${stateOfJob(job, nowSeconds)}`,
      `program   ${programName(job.program)}`,
      `reward    ${rewardOf(job.feeWei)}, from ${job.poster ?? 'nobody any more'}`,
      `deadline  ${isoOf(job.deadlineSeconds)}`,
      ...(job.worker === undefined
        ? []
        : [`worker    ${job.worker}, until ${isoOf(job.takenUntilSeconds)}`]),
      ...inputs.map((input) => `input     ${contentReferenceJson(input)}`),
      ...(result === undefined ? [] : [`result    ${contentReferenceJson(result)}`]),
    ];
    await writeLine(io, lines.join('\n'));
  });
  return EXIT.ok;
}
