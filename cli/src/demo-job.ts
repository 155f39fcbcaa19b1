import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blstBackend } from '@cairn/attestation/native';
import { signerFromKey } from '@cairn/chain-access';
import {
  createClient,
  fileJournal,
  openFileSource,
  referTensors,
  resultFolder,
} from '@cairn/client-sdk';
import {
  awaitOrdered,
  checkResult,
  type JobNetwork,
  JobWorker,
  openJobNetwork,
  postCitedJob,
  type StoredContent,
  scoreRows,
} from '@cairn/client-sdk/jobs';
import {
  type ChainId,
  formatDuration,
  seededRng,
  systemClock,
  utf8Bytes,
  viewOf,
} from '@cairn/primitives';
import type { ContentReference, Endpoints } from '@cairn/wire-protocol';
import type { CommandContext } from './io.ts';
import { namedTensor } from './reference-file.ts';

/** What the tour of a job works with. */
export interface JobTourOptions {
  readonly endpoints: Endpoints;
  /** Private key that posts and pays, hex. */
  readonly poster: string;
  /** Private key of the worker, hex. */
  readonly worker: string;
  /** Empty: for journals and results. */
  readonly folder: string;
  readonly seed: number;
  /** Number of its first step. */
  readonly firstStep: number;
  readonly say: (text: string) => Promise<void>;
}

/** What the tour found, for `--json`. */
export interface JobTourResult {
  readonly job: number;
  readonly dataset: ContentReference;
  readonly model: ContentReference;
  readonly result: ContentReference;
  /** From the reward on the board until the result was there. */
  readonly doneMs: number;
}

/** Steps that the tour says. */
export const JOB_STEPS = 3;

const TENSOR = 'head';
const WIDTH = 16;
const OUTPUTS = 4;
const ROWS = 2000;
const F32_BYTES = 4;
const REWARD_WEI = 10n ** 15n;
const DEADLINE_SECONDS = 3600;

interface Waiting {
  readonly signal: AbortSignal;
}

/**
 * Stores a dataset on one chain and a model on another, has a contract of the hub take a job over both, and a worker do it. Skipped where
 * the network has no board.
 */
export async function jobTour(
  options: JobTourOptions,
  { signal }: Pick<CommandContext, 'signal'>,
): Promise<JobTourResult | undefined> {
  const { endpoints, firstStep: step, say, folder } = options;
  const [dataChain, modelChain = dataChain] = endpoints.chains.filter(
    ({ logShard }) => logShard !== undefined,
  );
  const hasBoard = endpoints.chains.some(({ contracts }) => contracts['jobBoard'] !== undefined);
  if (!hasBoard || dataChain === undefined || modelChain === undefined) return undefined;
  const clock = systemClock();
  const poster = await openAs(options, options.poster, 'poster', { signal });
  const helper = await openAs(options, options.worker, 'worker', { signal });
  try {
    const data = await storeDataset(poster, dataChain.chainId, options, { signal });
    const model = await storeModel(poster, modelChain.chainId, options.seed, { signal });
    await say(
      `${step}. Stored a dataset on chain ${data.chainId} and a model on chain ${model.chainId}:`,
    );
    await say(`     dataset   ${data.root}, ${ROWS} rows of ${WIDTH} values`);
    await say(`     model     ${model.root}, with a tensor "${TENSOR}"`);
    const cited = await cite(poster, [data, model], say, { signal });
    const [dataset, whole] = cited;
    const tensors = await referTensors(poster.clientOf(whole.chainId), whole, { signal });
    const tensor = namedTensor(tensors, TENSOR);
    await say(
      `     ordered   at places ${dataset.globalIndex} and ${whole.globalIndex} of all checkpoints`,
    );
    const deadlineSeconds = (await poster.nowSeconds({ signal })) + DEADLINE_SECONDS;
    const job = { program: scoreRows.name, inputs: [dataset, tensor], deadlineSeconds };
    const postedAt = clock.monotonic();
    const intent = `tour:${dataset.root}:${tensor.root}`;
    const jobId = await postCitedJob(poster, { ...job, rewardWei: REWARD_WEI }, { intent, signal });
    await say(`${step + 1}. A contract of the hub took job ${jobId}, with proof of both:`);
    await say(`     board     ${poster.board.address}`);
    await say(
      `     tensor    bytes ${tensor.offset}-${tensor.offset + tensor.length - 1} of the model`,
    );
    const results = resultFolder(join(folder, 'results'));
    const programs = [scoreRows];
    const result = await new JobWorker({ network: helper, programs, results }).work(jobId, {
      signal,
    });
    const doneMs = clock.monotonic() - postedAt;
    await checkResult({ network: poster, programs, results }, jobId, { signal });
    await say(
      `${step + 2}. A worker did it in ${formatDuration(doneMs)}, most of it until the result was ordered:`,
    );
    await say(`     worker    ${helper.account}, reading every byte with proof`);
    await say(
      `     result    ${result.root} at place ${result.globalIndex}; made anew, it is the same`,
    );
    return { job: jobId, dataset, model: tensor, result, doneMs: Math.round(doneMs) };
  } finally {
    await helper.close();
    await poster.close();
  }
}

function openAs(
  { endpoints, folder }: JobTourOptions,
  key: string,
  name: string,
  { signal }: Waiting,
): Promise<JobNetwork> {
  const journal = fileJournal(join(folder, name));
  const signer = signerFromKey(key);
  const parts = { backend: blstBackend(), connect: createClient };
  return openJobNetwork({ endpoints, signer, journal, ...parts }, { signal });
}

/** References to what was stored, once it is ordered; says so if that takes a wait. */
async function cite(
  network: JobNetwork,
  [data, model]: readonly [StoredContent, StoredContent],
  say: JobTourOptions['say'],
  { signal }: Waiting,
): Promise<readonly [ContentReference, ContentReference]> {
  let isTold = false;
  const onWait = async (): Promise<void> => {
    if (!isTold) await say('     not ordered yet, so no contract takes them: waiting');
    isTold = true;
  };
  const dataset = await awaitOrdered(network, data, { signal, onWait });
  return [dataset, await awaitOrdered(network, model, { signal, onWait })];
}

async function storeDataset(
  network: JobNetwork,
  chainId: ChainId,
  { folder, seed }: Pick<JobTourOptions, 'folder' | 'seed'>,
  { signal }: Waiting,
): Promise<StoredContent> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'rows.f32');
  await writeFile(path, values(seed, ROWS * WIDTH));
  const open = () => openFileSource(path);
  const items = [{ kind: 'file' as const, path: 'rows.f32', open }];
  const { root, manifest } = await network.clientOf(chainId).files.putDirectory(items, { signal });
  return { root, sequence: manifest.sequence, chainId };
}

async function storeModel(
  network: JobNetwork,
  chainId: ChainId,
  seed: number,
  { signal }: Waiting,
): Promise<StoredContent> {
  const tensor = values(seed + 1, OUTPUTS * WIDTH);
  const header = utf8Bytes(
    JSON.stringify({
      [TENSOR]: { dtype: 'F32', shape: [OUTPUTS, WIDTH], data_offsets: [0, tensor.length] },
    }),
  );
  const model = new Uint8Array(8 + header.length + tensor.length);
  viewOf(model).setBigUint64(0, BigInt(header.length), true);
  model.set(header, 8);
  model.set(tensor, 8 + header.length);
  const { root, sequence } = await network.clientOf(chainId).files.put(model, { signal });
  return { root, sequence, chainId };
}

/** Seeded F32 values from −1 to 1, little-endian. */
function values(seed: number, count: number): Uint8Array<ArrayBuffer> {
  const rng = seededRng(seed);
  const bytes = new Uint8Array(count * F32_BYTES);
  const view = viewOf(bytes);
  for (let at = 0; at < count; at += 1) {
    view.setFloat32(at * F32_BYTES, rng.below(2 ** 24) / 2 ** 23 - 1, true);
  }
  return bytes;
}
