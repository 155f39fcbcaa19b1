import { jobBoardAbi, orderingHubAbi } from '@cairn/contracts';
import { type Address, chainIdOf, type Hex, parseRoot, toHex } from '@cairn/primitives';
import type { ContentReference } from '@cairn/wire-protocol';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import { Contract } from '../da/contract.ts';
import { type IntendedOptions, sendCall } from '../da/send-call.ts';
import type { Values } from '../da/values.ts';
import type { TransactionSender } from '../send/transaction-sender.ts';
import { fileProofArgument, type OrderedFile } from './prove-file.ts';

const ZERO_ACCOUNT = /^0x0{40}$/;

/** A board of jobs and who pays for calls to it. */
export interface JobCaller {
  readonly board: Contract;
  readonly sender: TransactionSender;
}

/** Content with the proof that it is in its chain's log, and that log in the order. */
export interface CitedContent {
  readonly content: ContentReference;
  readonly proof: OrderedFile;
}

/** Work to be done, as it is posted. */
export interface JobRequest {
  /** What to do with the inputs, 32 bytes: posters and workers agree what it means. */
  readonly program: Uint8Array;
  /** 1 to 8. */
  readonly inputs: readonly CitedContent[];
  /** Results count until then, unix seconds. */
  readonly deadlineSeconds: number;
  /** What a result earns. */
  readonly feeWei: bigint;
}

/** A job as the chain has it. */
export interface Job {
  readonly jobId: number;
  /** `undefined` for one that was withdrawn. */
  readonly poster: Address | undefined;
  readonly deadlineSeconds: number;
  /** Who took it last; `undefined` while nobody has. */
  readonly worker: Address | undefined;
  /** Until when the worker has it alone, unix seconds. */
  readonly takenUntilSeconds: number;
  readonly feeWei: bigint;
  readonly program: Uint8Array;
  /** What names its inputs, see `inputsIdOf`. */
  readonly inputsId: Hex;
  /** Id of the result's reference; `undefined` until there is one. */
  readonly resultId: Hex | undefined;
}

/** A job with what it cites, as it was posted. */
export interface PostedJob {
  readonly jobId: number;
  readonly program: Uint8Array;
  readonly inputs: readonly ContentReference[];
}

/** The board of jobs at an address. */
export function jobBoardAt(client: ChainClient, address: Address): Contract {
  return new Contract(client, address, jobBoardAbi);
}

/**
 * Posts a job over content that is ordered.
 *
 * @returns its number
 * @throws as `sendCall`: NotOrdered, NotLogged, NotWhatIsProven, ReferenceOfAnotherChain, BadRange,
 *   BadInputs and DeadlineOver are told by name; {ChainError} CHAIN_BAD_REPLY for a receipt without
 *   the event
 */
export async function postJob(
  { board, sender }: JobCaller,
  { program, inputs, deadlineSeconds, feeWei }: JobRequest,
  options: IntendedOptions,
): Promise<number> {
  const contents = inputs.map(({ content }) => contentArgument(content));
  const proofs = inputs.map(({ proof }) => fileProofArgument(proof));
  const args = [toHex(program), contents, proofs, deadlineSeconds];
  const call = { contract: board, name: 'post', args, valueWei: feeWei, others: [orderingHubAbi] };
  const receipt = await sendCall(sender, call, options);
  const [posted] = jobsIn(board, receipt);
  if (posted !== undefined) return posted.jobId;
  const reason = `no JobPosted in ${receipt.transactionHash}`;
  throw new ChainError({ code: 'CHAIN_BAD_REPLY', method: 'post', reason }, `there is ${reason}`);
}

/** Takes a job that nobody has. @throws as `sendCall`: JobClosed, DeadlineOver, JobTakenBy */
export function takeJob(
  { board, sender }: JobCaller,
  jobId: number,
  options: IntendedOptions,
): Promise<TransactionReceipt> {
  return sendCall(sender, { contract: board, name: 'take', args: [jobId] }, options);
}

/**
 * Brings a job's result, which must be ordered itself. The fee then waits for the worker.
 *
 * @throws as `sendCall`: JobTakenBy, JobClosed, DeadlineOver and as `postJob`
 */
export function completeJob(
  { board, sender }: JobCaller,
  jobId: number,
  { content, proof }: CitedContent,
  options: IntendedOptions,
): Promise<TransactionReceipt> {
  const args = [jobId, contentArgument(content), fileProofArgument(proof)];
  return sendCall(
    sender,
    { contract: board, name: 'complete', args, others: [orderingHubAbi] },
    options,
  );
}

/** Takes the fee of a job back that nobody works on. @throws as `sendCall`: JobClosed, NotYours */
export function withdrawJob(
  { board, sender }: JobCaller,
  jobId: number,
  options: IntendedOptions,
): Promise<TransactionReceipt> {
  return sendCall(sender, { contract: board, name: 'withdraw', args: [jobId] }, options);
}

/** Pays out what waits on a board for an account: fees that it earned or took back. @throws as `sendCall` */
export function collectJobFees(
  { board, sender }: JobCaller,
  payee: Address,
  options: IntendedOptions,
): Promise<TransactionReceipt> {
  return sendCall(sender, { contract: board, name: 'withdrawPayments', args: [payee] }, options);
}

/** What waits on a board for an account, wei. @throws as `Contract.read` */
export async function readJobFees(
  board: Contract,
  payee: Address,
  { signal }: CallOptions,
): Promise<bigint> {
  return (await board.read('payments', [payee], { signal })).wide(0);
}

/** Jobs posted so far: the next one gets this number. @throws as `Contract.read` */
export async function readJobCount(board: Contract, { signal }: CallOptions): Promise<number> {
  return (await board.read('jobCount', [], { signal })).number(0);
}

/** A job as it is now; `undefined` for one that there is not. @throws as `Contract.read` */
export async function readJob(
  board: Contract,
  jobId: number,
  { signal }: CallOptions,
): Promise<Job | undefined> {
  if (jobId >= (await readJobCount(board, { signal }))) return undefined;
  const job = (await board.read('jobOf', [jobId], { signal })).inner(0);
  const account = (name: string): Address | undefined => {
    const address = job.address(name);
    return ZERO_ACCOUNT.test(address) ? undefined : address;
  };
  const resultId = toHex(job.bytes('resultId'));
  return {
    jobId,
    poster: account('poster'),
    deadlineSeconds: job.number('deadline'),
    worker: account('worker'),
    takenUntilSeconds: job.number('takenUntil'),
    feeWei: job.wide('fee'),
    program: job.bytes('program'),
    inputsId: toHex(job.bytes('inputsId')),
    resultId: /^0x0{64}$/.test(resultId) ? undefined : resultId,
  };
}

/** The jobs that a transaction posted. @throws {DaError} DA_BAD_EVENT */
export function jobsIn(
  board: Contract,
  { logs }: Pick<TransactionReceipt, 'logs'>,
): readonly PostedJob[] {
  const topic = board.topic('JobPosted');
  return logs
    .filter(({ address, topics }) => address === board.address && topics[0] === topic)
    .map((log) => {
      const values = board.decode('JobPosted', log);
      const inputs = values.inner('inputs');
      return {
        jobId: values.number('jobId'),
        program: values.bytes('program'),
        inputs: Array.from({ length: inputs.length }, (_, at) => contentIn(inputs.inner(at))),
      };
    });
}

/** A reference as contracts take it. */
function contentArgument(content: ContentReference): unknown[] {
  const { chainId, globalIndex, root, sizeBytes, offset, length } = content;
  return [chainId, globalIndex, root, sizeBytes, offset, length];
}

/** A reference as a contract tells it. */
export function contentIn(values: Values): ContentReference {
  return {
    chainId: chainIdOf(values.number('chainId')),
    globalIndex: values.number('globalIndex'),
    root: parseRoot(toHex(values.bytes('root'))),
    sizeBytes: values.number('size'),
    offset: values.number('offset'),
    length: values.number('length'),
  };
}
