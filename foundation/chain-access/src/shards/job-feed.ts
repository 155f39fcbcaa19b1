import { concatBytes, fromHex, type Hex, keccak256, toHex } from '@cairn/primitives';
import { type ContentReference, contentReferenceId } from '@cairn/wire-protocol';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import type { LogRecord } from '../client/parse-replies.ts';
import type { Contract } from '../da/contract.ts';
import { EventReader, indexedNumber } from '../log/event-reader.ts';
import { contentIn, jobsIn, type PostedJob } from './job-board.ts';

/** How far back what a board told is looked for. */
export interface JobEventOptions extends CallOptions {
  /** A block not after the board's creation; 0 unless told. */
  readonly fromBlock?: number;
}

/**
 * What names the inputs of a job in the board's storage: keccak-256 of their references' ids, in order. An endpoint that tells of other
 * inputs than were posted is found out by it, as far as it tells the storage truly.
 */
export function inputsIdOf(inputs: readonly ContentReference[]): Hex {
  return toHex(
    keccak256(concatBytes(...inputs.map((input) => fromHex(contentReferenceId(input))))),
  );
}

/**
 * A job with what it cites, from the event that posted it, looked for from the newest block back.
 *
 * @returns `undefined` if the board told of none
 * @throws as `EventReader`; {DaError} DA_BAD_EVENT
 */
export async function readPostedJob(
  { board, client }: { readonly board: Contract; readonly client: ChainClient },
  jobId: number,
  options: JobEventOptions,
): Promise<PostedJob | undefined> {
  const log = await newestOf('JobPosted', { board, client }, jobId, options);
  return log === undefined ? undefined : jobsIn(board, { logs: [log] })[0];
}

/** The result of a job, from the event that told it. @returns `undefined` while there is none @throws as `readPostedJob` */
export async function readJobResult(
  { board, client }: { readonly board: Contract; readonly client: ChainClient },
  jobId: number,
  options: JobEventOptions,
): Promise<ContentReference | undefined> {
  const log = await newestOf('JobDone', { board, client }, jobId, options);
  return log === undefined ? undefined : contentIn(board.decode('JobDone', log).inner('result'));
}

async function newestOf(
  event: string,
  { board, client }: { readonly board: Contract; readonly client: ChainClient },
  jobId: number,
  { signal, fromBlock = 0 }: JobEventOptions,
): Promise<LogRecord | undefined> {
  const reader = new EventReader({ client, address: board.address });
  const toBlock = await client.blockNumber({ signal });
  const indexed = indexedNumber(jobId);
  const query = { topics: [board.topic(event)], indexed, fromBlock, toBlock };
  for await (const { logs } of reader.backward(query, { signal })) {
    const log = logs.at(-1);
    if (log !== undefined) return log;
  }
  return undefined;
}
