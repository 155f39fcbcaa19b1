import {
  chunkLinearRewardAbi,
  flowAbi,
  priceMarketAbi,
  SUBMIT_EVENT_TOPIC,
} from '@cairn/contracts';
import type { BlockMark, Hex, Sequence, SubmissionNode } from '@cairn/primitives';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import { decodeSubmit } from '../log/decode-submit.ts';
import type { SendOptions, TransactionSender } from '../send/transaction-sender.ts';
import { OFFICIAL_ERRORS } from './abi.ts';
import { FlowError } from './errors.ts';
import type { FlowContract } from './open-flow.ts';
import { chargedSectors, encodeSubmissions, type FlowSubmission, intentOf } from './submission.ts';

/**
 * Gas of the contexts that a submission makes if an epoch began since its gas was estimated: two at most, each with
 * some six new slots and the log's tree of roots, 150,000.
 */
const EPOCHS_GAS = 300_000n;

/** What a submission costs. */
export interface FeeQuote {
  /** Sectors charged: padded lengths, summed. */
  readonly sectors: bigint;
  readonly pricePerSectorWei: bigint;
  /** Paid to the market, gas not included. */
  readonly feeWei: bigint;
}

/** The place in the log that a transaction bought. */
export interface SubmittedFile {
  readonly sequence: Sequence;
  readonly startSector: number;
  readonly paddedSectors: number;
  readonly transactionHash: Hex;
  readonly block: BlockMark;
  /** This file's part of the fee: its sectors times the price that was quoted. */
  readonly feePaidWei: bigint;
  /** Gas of the whole transaction, batch or not. */
  readonly gasPaidWei: bigint;
}

/** What every submission takes. */
export interface SubmitOptions extends SendOptions {
  /**
   * Names the payment: the same again after a crash is the same payment. Derived from the content
   * unless told, so that submitting the same file twice on purpose needs an intent of its own.
   */
  readonly intent?: string;
}

/** What the flow asks for these submissions now. @throws {FlowError} FLOW_NODES; {ChainError} */
export async function quoteFee(
  flow: FlowContract,
  submissions: readonly { readonly nodes: readonly SubmissionNode[] }[],
  options: { readonly signal: AbortSignal },
): Promise<FeeQuote> {
  let sectors = 0n;
  for (const { nodes } of submissions) sectors += chargedSectors(nodes);
  const pricePerSectorWei = await flow.pricePerSector(options);
  return { sectors, pricePerSectorWei, feeWei: sectors * pricePerSectorWei };
}

/**
 * Puts one file into the log and waits until a block holds it. Safe to repeat.
 *
 * @throws as {@link submitFiles}
 */
export async function submitFile(
  deps: {
    readonly flow: FlowContract;
    readonly sender: TransactionSender;
    readonly submission: FlowSubmission;
  },
  options: SubmitOptions,
): Promise<SubmittedFile> {
  const { flow, sender, submission } = deps;
  const files = await submitFiles({ flow, sender, submissions: [submission] }, options);
  const [file] = files;
  if (file === undefined) throw new Error('a receipt was checked to hold one event');
  return file;
}

/**
 * Puts up to 32 files into the log in one transaction; their sequences follow each other.
 *
 * @returns places in the order of `submissions`
 * @throws {FlowError} FLOW_BATCH_SIZE, FLOW_NODES, FLOW_NO_EVENT; {TransactionError}; {ChainError};
 * the signal's reason
 */
export async function submitFiles(
  deps: {
    readonly flow: FlowContract;
    readonly sender: TransactionSender;
    readonly submissions: readonly FlowSubmission[];
  },
  options: SubmitOptions,
): Promise<readonly SubmittedFile[]> {
  const { flow, sender, submissions } = deps;
  const { signal, intent, ...rest } = options;
  const data = encodeSubmissions(submissions);
  const quote = await quoteFee(flow, submissions, { signal });
  const receipt = await sender.send(
    {
      intent: intent ?? intentOf(flow.address, data),
      to: flow.address,
      data,
      valueWei: quote.feeWei,
      spareGas: EPOCHS_GAS,
      errors: [flowAbi, priceMarketAbi, chunkLinearRewardAbi, OFFICIAL_ERRORS],
    },
    { ...rest, signal },
  );
  return placesIn(receipt, flow, submissions.length, quote.pricePerSectorWei);
}

function placesIn(
  receipt: TransactionReceipt,
  flow: FlowContract,
  expected: number,
  pricePerSectorWei: bigint,
): SubmittedFile[] {
  const { transactionHash, block, gasUsed, gasPriceWei } = receipt;
  const entries = receipt.logs
    .filter(({ address, topics }) => address === flow.address && topics[0] === SUBMIT_EVENT_TOPIC)
    .map(decodeSubmit);
  if (entries.length !== expected) {
    throw new FlowError(
      { code: 'FLOW_NO_EVENT', transactionHash, events: entries.length, expected },
      `transaction ${transactionHash} shows ${entries.length} submissions, ${expected} were made`,
    );
  }
  return entries.map(({ sequence, startSector, paddedSectors }) => ({
    sequence,
    startSector,
    paddedSectors,
    transactionHash,
    block,
    feePaidWei: BigInt(paddedSectors) * pricePerSectorWei,
    gasPaidWei: gasUsed * gasPriceWei,
  }));
}
