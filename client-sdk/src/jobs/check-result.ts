import { readJobResult } from '@cairn/chain-access/shards';
import { equalBytes, toHex } from '@cairn/primitives';
import type { ContentReference } from '@cairn/wire-protocol';
import { JobError } from './errors.ts';
import { readJobInputs } from './job-inputs.ts';
import type { JobNetwork } from './job-network.ts';
import { type JobProgram, programId } from './program.ts';
import type { ResultStore } from './result-store.ts';

/**
 * Makes a job's result anew, and compares it with the one that was paid for. No contract can: whoever relies on a result does, and a
 * network that settles what is right builds on it.
 *
 * @returns the result's reference, which is right
 * @throws {JobError} JOB_NOT_FOUND, JOB_LOST while there is no result, JOB_PROGRAM_UNKNOWN, JOB_RESULT_WRONG; as `JobProgram.prepare`
 */
export async function checkResult(
  {
    network,
    programs,
    results,
  }: {
    readonly network: JobNetwork;
    readonly programs: readonly JobProgram[];
    readonly results: ResultStore;
  },
  jobId: number,
  { signal }: { readonly signal: AbortSignal },
): Promise<ContentReference> {
  const { job, inputs } = await readJobInputs(network, jobId, { signal });
  const told = await readJobResult({ board: network.board, client: network.hub }, jobId, {
    signal,
  });
  if (told === undefined) {
    throw new JobError(
      { code: 'JOB_LOST', jobId, reason: 'it has no result', worker: job.worker },
      `job ${jobId} has no result yet`,
    );
  }
  const program = programs.find(({ name }) => equalBytes(programId(name), job.program));
  if (program === undefined) {
    const id = toHex(job.program);
    throw new JobError(
      { code: 'JOB_PROGRAM_UNKNOWN', jobId, program: id },
      `job ${jobId} asks for program ${id}, which is not known here`,
    );
  }
  const opened = inputs.map((content) => ({ content, client: network.clientOf(content.chainId) }));
  const prepared = await program.prepare(opened, { signal });
  const name = `check-${network.ordering.hub.chainId}-${network.board.address}-${jobId}`;
  const make = (): AsyncIterable<Uint8Array> => prepared.result({ signal });
  const held = await results.hold({ name, bytes: prepared.resultBytes, make }, { signal });
  try {
    const { root } = await network.clientOf(told.chainId).files.root(held, { signal });
    if (root === told.root && told.sizeBytes === prepared.resultBytes) return told;
    throw new JobError(
      { code: 'JOB_RESULT_WRONG', jobId, expected: root, actual: told.root },
      `job ${jobId} makes ${root} of ${prepared.resultBytes} bytes, and ${job.worker} told ${told.root} of ${told.sizeBytes}`,
    );
  } finally {
    await held.close();
    await results.drop(name);
  }
}
