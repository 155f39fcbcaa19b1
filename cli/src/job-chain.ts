import { join } from 'node:path';
import { blstBackend } from '@cairn/attestation/native';
import { signerFromKey } from '@cairn/chain-access';
import { explainJobRefusal, type Job } from '@cairn/chain-access/shards';
import { createClient, fileJournal } from '@cairn/client-sdk';
import {
  awaitOrdered,
  type JobNetwork,
  type JobProgram,
  openJobNetwork,
  programId,
  referToStored,
  scoreRows,
} from '@cairn/client-sdk/jobs';
import { type Address, equalBytes, isHexOf, parseRoot, toHex } from '@cairn/primitives';
import type { ContentReference } from '@cairn/wire-protocol';
import { notFound } from './commands/file-stat.ts';
import { usageError } from './errors.ts';
import type { CommandContext } from './io.ts';
import { type KeyOptions, requireKey } from './keys.ts';
import { chooseNetwork, readNetworkFile } from './network-options.ts';
import { readReference } from './reference-file.ts';

/** Which network's board, with whose key. */
export interface JobOptions extends KeyOptions {
  readonly dir?: string;
  readonly endpoints?: string;
  /** The one that the endpoints name unless told. */
  readonly board?: Address;
  readonly json?: boolean;
}

/** Programs that this command knows how to do and to check. */
export const PROGRAMS: readonly JobProgram[] = [scoreRows];

/** A board, and where results under way to the log are kept. */
export interface JobPlace {
  readonly network: JobNetwork;
  readonly resultsDirectory: string;
}

/**
 * Works on a network's board of jobs.
 *
 * @param purpose - what the key is for, such as `post a job`; without one nobody signs
 * @throws {CliError} CLI_NO_NETWORK, CLI_ENDPOINTS_INVALID, CLI_NO_KEY; {JobRefusal} JOB_REFUSED; as `openJobNetwork`
 */
export async function withJobs<Result>(
  options: JobOptions,
  context: CommandContext,
  work: (place: JobPlace) => Promise<Result>,
  purpose?: string,
): Promise<Result> {
  const { io, signal } = context;
  const { endpoints } = await readNetworkFile(options, io);
  const { keyFiles, uploadsDirectory } = await chooseNetwork(options, io);
  const key =
    purpose === undefined ? undefined : await requireKey(purpose, options, keyFiles, context);
  const network = await openJobNetwork(
    {
      endpoints,
      backend: blstBackend(),
      connect: createClient,
      journal: fileJournal(uploadsDirectory),
      ...(options.board === undefined ? {} : { board: options.board }),
      ...(key === undefined ? {} : { signer: signerFromKey(key) }),
    },
    { signal },
  );
  try {
    return await work({ network, resultsDirectory: join(uploadsDirectory, 'results') });
  } catch (error) {
    throw explainJobRefusal(error);
  } finally {
    await network.close();
  }
}

/** The number of a job as it was typed. @throws {CliError} CLI_USAGE */
export function parseJob(text: string): number {
  const id = Number(text);
  if (/^\d{1,15}$/.test(text) && Number.isSafeInteger(id)) return id;
  throw usageError('job', `a job is named by its number, not by ${JSON.stringify(text)}`);
}

/**
 * What an input or a result is cited as: the reference in a file or piped in, or that to a root which a chain of the network has.
 *
 * @throws {CliError} CLI_USAGE, CLI_NOT_FOUND; as `referToStored`
 */
export async function citedBy(
  text: string,
  network: JobNetwork,
  { wait, context }: { readonly wait: boolean; readonly context: CommandContext },
): Promise<ContentReference> {
  const { io, signal } = context;
  if (!isHexOf(text, 32)) return readReference(text, io);
  const root = parseRoot(text);
  for (const chainId of network.chainIds) {
    const stat = await network.clientOf(chainId).files.stat(root, { signal });
    if (stat === undefined) continue;
    const stored = { chainId: stat.chainId, sequence: stat.sequence, root };
    if (!wait) return referToStored(network, stored, { signal });
    const onWait = sayOnce(() => io.writeErr(`waiting until ${root} is ordered\n`));
    return awaitOrdered(network, stored, { signal, onWait });
  }
  throw notFound(root, 'any chain of the network');
}

/** Does something the first time only. */
export function sayOnce(say: () => void): () => void {
  let isSaid = false;
  return () => {
    if (!isSaid) say();
    isSaid = true;
  };
}

/** What a program is called here; its id where nobody here knows it. */
export function programName(program: Uint8Array): string {
  const known = PROGRAMS.find(({ name }) => equalBytes(programId(name), program));
  return known?.name ?? toHex(program);
}

/** What has become of a job. */
export function stateOfJob(job: Job, nowSeconds: number): JobState {
  if (job.poster === undefined) return 'withdrawn';
  if (job.resultId !== undefined) return 'done';
  if (job.deadlineSeconds <= nowSeconds) return 'over';
  return job.takenUntilSeconds > nowSeconds ? 'taken' : 'open';
}

/** `open`: anybody may take it. `over`: it got no result in time. */
export type JobState = 'open' | 'taken' | 'done' | 'withdrawn' | 'over';

/** A job as `--json` gives it. */
export function jobJson(job: Job, nowSeconds: number): JobJson {
  return {
    job: job.jobId,
    state: stateOfJob(job, nowSeconds),
    program: programName(job.program),
    poster: job.poster ?? null,
    rewardWei: String(job.feeWei),
    deadline: job.deadlineSeconds,
    worker: job.worker ?? null,
    takenUntil: job.takenUntilSeconds,
    resultId: job.resultId ?? null,
  };
}

/** Times in unix seconds. */
export type JobJson = {
  readonly job: number;
  readonly state: JobState;
  readonly program: string;
  readonly poster: string | null;
  readonly rewardWei: string;
  readonly deadline: number;
  readonly worker: string | null;
  readonly takenUntil: number;
  readonly resultId: string | null;
};
