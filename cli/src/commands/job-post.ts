import { randomBytes } from 'node:crypto';
import { referTensors } from '@cairn/client-sdk';
import { awaitPlace, postCitedJob } from '@cairn/client-sdk/jobs';
import { toHex } from '@cairn/primitives';
import type { ContentReference } from '@cairn/wire-protocol';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { citedBy, type JobOptions, type JobPlace, sayOnce, withJobs } from '../job-chain.ts';
import { writeJson, writeLine } from '../output.ts';
import { namedTensor } from '../reference-file.ts';

/** What `cairn job post` takes. */
export interface JobPostOptions extends JobOptions {
  readonly dataset?: string;
  readonly model?: string;
  readonly tensor?: string;
  readonly input?: readonly string[];
  readonly program: string;
  /** Wei. */
  readonly reward: bigint;
  /** Milliseconds from now. */
  readonly deadline: number;
  readonly wait?: boolean;
}

/** Posts a job: proves what it cites to the board, and leaves the reward there. */
export async function jobPost(options: JobPostOptions, context: CommandContext): Promise<number> {
  const { io, signal } = context;
  const { dataset, model, tensor, input = [], program, reward, wait = false } = options;
  if (tensor !== undefined && model === undefined) {
    throw usageError('tensor', 'a tensor is of a model: name that with --model');
  }
  const post = async ({ network }: JobPlace) => {
    const cite = (text: string): Promise<ContentReference> =>
      citedBy(text, network, { wait, context });
    const cited: ContentReference[] = [];
    if (dataset !== undefined) cited.push(await cite(dataset));
    if (model !== undefined) {
      const whole = await cite(model);
      const client = network.clientOf(whole.chainId);
      cited.push(
        tensor === undefined
          ? whole
          : namedTensor(await referTensors(client, whole, { signal }), tensor),
      );
    }
    for (const text of input) cited.push(await cite(text));
    if (cited.length === 0) {
      throw usageError('dataset', 'a job cites something: give --dataset, --model or --input');
    }
    const last = Math.max(...cited.map(({ globalIndex }) => globalIndex));
    if (wait) {
      const onWait = sayOnce(() => io.writeErr(`waiting for place ${last} of the order\n`));
      await awaitPlace(network, last, { signal, onWait });
    }
    const deadlineSeconds =
      (await network.nowSeconds({ signal })) + Math.ceil(options.deadline / 1000);
    const job = { program, inputs: cited, deadlineSeconds, rewardWei: reward };
    // Each command is a job of its own.
    const intent = `post:${toHex(randomBytes(16))}`;
    return { jobId: await postCitedJob(network, job, { intent, signal }), deadlineSeconds };
  };
  const { jobId, deadlineSeconds } = await withJobs(options, context, post, 'post a job');
  if (options.json === true) await writeJson(io, { job: jobId, deadline: deadlineSeconds });
  else await writeLine(io, String(jobId));
  return EXIT.ok;
}
