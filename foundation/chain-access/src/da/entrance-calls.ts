import {
  type BlobHeader,
  type BlsBackend,
  type Committee,
  membersAbsent,
  promiseSlotOf,
  type Signature,
  type Statement,
  signatureToWords,
} from '@cairn/attestation';
import { type Address, type Hex, toHex } from '@cairn/primitives';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import type { SendOptions, TransactionSender } from '../send/transaction-sender.ts';
import { snapshotArgument, wordsOfBytes } from './abi-words.ts';
import {
  type BatchConfirmation,
  type BlobOrder,
  decodeBatchConfirmation,
  decodeBlobOrder,
  decodePromisedConfirmation,
  logsOf,
  type PromisedConfirmation,
} from './blob-events.ts';
import { readBlobFee } from './entrance-facts.ts';
import { DaError } from './errors.ts';
import type { Entrance } from './open-entrance.ts';
import { type IntendedOptions, sendCall } from './send-call.ts';

/** The entrance and who pays for calls to it. */
export interface EntranceCaller {
  readonly entrance: Entrance;
  readonly sender: TransactionSender;
}

/** A blob to be ordered and paid for now. */
export type PaidBlob = Pick<
  BlobHeader,
  'suite' | 'log2K' | 'cosets' | 'rowSizeBytes' | 'sizeBytes' | 'commitment'
> & { readonly retentionEpochs: number };

/** A promised blob with its payer's terms, as signers hold it. */
export interface PromisedLeaf {
  readonly header: BlobHeader;
  readonly promise: {
    readonly retentionEpochs: number;
    readonly signBySeconds: number;
    readonly maxFeeWei: bigint;
    /** 65 bytes. */
    readonly payerSignature: Uint8Array;
  };
}

/** A batch that more than two thirds of a quorum signed. */
export interface SignedBatch {
  readonly statement: Pick<Statement, 'root' | 'count' | 'epoch'>;
  readonly committee: Committee;
  /** Members that did not sign, rising. */
  readonly absent: readonly number[];
  readonly signature: Signature;
}

type Expander = Pick<BlsBackend, 'expandSignature'>;

/** Adds to a payer's deposit. @throws as `sendCall` */
export function depositFor(
  { entrance, sender }: EntranceCaller,
  { payer, amountWei }: { readonly payer: Address; readonly amountWei: bigint },
  options: IntendedOptions,
): Promise<TransactionReceipt> {
  const call = { contract: entrance.contract, name: 'deposit', args: [payer] };
  return sendCall(sender, { ...call, valueWei: amountWei }, options);
}

/** Fixes the terms of an epoch that holds office now, so that promises can be made for it. @throws as `sendCall` */
export function openEpoch(
  { entrance, sender }: EntranceCaller,
  epoch: number,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { contract } = entrance;
  const intent = `openEpoch:${contract.address}:${epoch}`;
  return sendCall(sender, { contract, name: 'openEpoch', args: [] }, { ...options, intent });
}

/**
 * Orders blobs and pays for them, at the prices of `epoch`; what is too much comes back.
 *
 * @param epoch - the one that holds office
 * @returns the orders, in the order of `blobs`
 * @throws {DaError} DA_NO_EVENT; as `sendCall`
 */
export async function submitBlobs(
  { entrance, sender }: EntranceCaller,
  { blobs, epoch }: { readonly blobs: readonly PaidBlob[]; readonly epoch: number },
  options: IntendedOptions,
): Promise<readonly BlobOrder[]> {
  const { contract } = entrance;
  const valueWei = await feeOfAll(entrance, blobs, epoch, options);
  const args = [
    blobs.map((blob) => [
      toHex(blob.commitment),
      blob.sizeBytes,
      blob.rowSizeBytes,
      blob.suite,
      blob.log2K,
      blob.cosets,
      blob.retentionEpochs,
    ]),
  ];
  const call = { contract, name: 'submitBlobs', args, valueWei };
  const receipt = await sendCall(sender, call, options);
  const logs = logsOf(receipt, contract, 'BlobSubmitted');
  if (logs.length !== blobs.length) throw noEvent('BlobSubmitted', receipt.transactionHash);
  return logs.map((log) => decodeBlobOrder(entrance, log));
}

/** The fees of blobs together; those of one size and retention are asked for once. */
async function feeOfAll(
  entrance: Entrance,
  blobs: readonly PaidBlob[],
  epoch: number,
  { signal }: SendOptions,
): Promise<bigint> {
  const fees = new Map<string, bigint>();
  let sumWei = 0n;
  for (const blob of blobs) {
    const kind = `${blob.sizeBytes}:${blob.retentionEpochs}`;
    const feeWei = fees.get(kind) ?? (await readBlobFee(entrance, { ...blob, epoch }, { signal }));
    fees.set(kind, feeWei);
    sumWei += feeWei;
  }
  return sumWei;
}

/** Confirms a batch of paid blobs. @throws {DaError} DA_NO_EVENT; as `sendCall` */
export async function confirmBatch(
  caller: EntranceCaller,
  batch: SignedBatch,
  backend: Expander,
  options: SendOptions,
): Promise<BatchConfirmation> {
  const { root, count, epoch } = batch.statement;
  const args = [toHex(root), count, epoch, ...certificateArguments(batch, backend)];
  const size = { leaves: 0, absent: batch.absent.length };
  return confirmationIn(await confirm(caller, 'confirmBatch', args, size, options), caller);
}

/**
 * Charges promises and confirms the batch that they make up.
 *
 * @param leaves - in the order of the batch
 * @throws {DaError} DA_NO_EVENT; as `sendCall`
 */
export async function confirmPromised(
  caller: EntranceCaller,
  { leaves, batch }: { readonly leaves: readonly PromisedLeaf[]; readonly batch: SignedBatch },
  backend: Expander,
  options: SendOptions,
): Promise<PromisedConfirmation> {
  const signatures = leaves.map(({ promise }) => toHex(promise.payerSignature));
  const { epoch } = batch.statement;
  const certificate = certificateArguments(batch, backend);
  const args = [leaves.map(promiseArgument), signatures, epoch, ...certificate];
  const size = { leaves: leaves.length, absent: batch.absent.length };
  const receipt = await confirm(caller, 'confirmPromised', args, size, options);
  const { contract } = caller.entrance;
  const [log] = logsOf(receipt, contract, 'BatchConfirmed');
  if (log === undefined) throw noEvent('BatchConfirmed', receipt.transactionHash);
  return decodePromisedConfirmation(contract, log, receipt);
}

/**
 * Takes absent members off a quorum once, for all batches that follow.
 *
 * @returns the name under which the rest is kept, 32 bytes
 * @throws {DaError} DA_NO_EVENT; as `sendCall`
 */
export async function reduceQuorum(
  { entrance, sender }: EntranceCaller,
  { committee, absent }: Pick<SignedBatch, 'committee' | 'absent'>,
  options: SendOptions,
): Promise<Uint8Array> {
  const { verifier } = entrance;
  const args = absenceArguments({ committee, absent });
  const receipt = await sendCall(sender, { contract: verifier, name: 'reduce', args }, options);
  const [log] = logsOf(receipt, verifier, 'QuorumReduced');
  if (log === undefined) throw noEvent('QuorumReduced', receipt.transactionHash);
  return verifier.decode('QuorumReduced', log).bytes('id');
}

/** Confirms a batch of paid blobs that those signed whom `reduceQuorum` left. @throws as `confirmBatch` */
export async function confirmReduced(
  caller: EntranceCaller,
  {
    statement,
    signature,
    reducedId,
  }: Pick<SignedBatch, 'statement' | 'signature'> & { readonly reducedId: Uint8Array },
  backend: Expander,
  options: SendOptions,
): Promise<BatchConfirmation> {
  const { root, count, epoch } = statement;
  const words = wordsOfBytes(signatureToWords(signature, backend));
  const args = [toHex(root), count, epoch, toHex(reducedId), words];
  const size = { leaves: 0, absent: 0 };
  return confirmationIn(await confirm(caller, 'confirmReduced', args, size, options), caller);
}

function confirm(
  { entrance, sender }: EntranceCaller,
  name: string,
  args: readonly unknown[],
  size: BatchSize,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { contract, verifier } = entrance;
  const enoughGas = (dataBytes: number): bigint | undefined => enoughToConfirm(size, dataBytes);
  return sendCall(sender, { contract, name, args, enoughGas, others: [verifier.abi] }, options);
}

/** What the gas of a confirmation grows with. */
interface BatchSize {
  /** Promises that are charged. */
  readonly leaves: number;
  readonly absent: number;
}

/** Batches of more promises are estimated: what is enough for the worst of them binds too much money. */
const MAX_LEAVES_UNESTIMATED = 16;
/** The pairing, hashing to the curve and the batch's record take 245,000 with 21,000 of the transaction. */
const CONFIRM_GAS = 400_000n;
/** A promise of a payer whose first in the epoch it is takes some 45,000. */
const PROMISE_GAS = 70_000n;
/** A member that did not sign takes some 6,500. */
const ABSENT_GAS = 12_000n;
/** At most, by EIP-7623. */
const DATA_BYTE_GAS = 40n;

/** Gas that is enough to confirm a batch; `undefined` for one that is better estimated. */
function enoughToConfirm({ leaves, absent }: BatchSize, dataBytes: number): bigint | undefined {
  if (leaves > MAX_LEAVES_UNESTIMATED) return undefined;
  const growing = PROMISE_GAS * BigInt(leaves) + ABSENT_GAS * BigInt(absent);
  return CONFIRM_GAS + growing + DATA_BYTE_GAS * BigInt(dataBytes);
}

/** Snapshot, absent members with what proves them, and signature, as arguments of a call. */
export function certificateArguments(
  batch: Pick<SignedBatch, 'committee' | 'absent' | 'signature'>,
  backend: Pick<BlsBackend, 'expandSignature'>,
): unknown[] {
  const signature = wordsOfBytes(signatureToWords(batch.signature, backend));
  return [...absenceArguments(batch), signature];
}

function absenceArguments({
  committee,
  absent,
}: Pick<SignedBatch, 'committee' | 'absent'>): unknown[] {
  const { bodies, siblings } = membersAbsent(committee, absent);
  const nonSigners = `0x${bodies.map((body) => toHex(body).slice(2)).join('')}`;
  return [snapshotArgument(committee.snapshot), nonSigners, siblings.map(toHex)];
}

function promiseArgument({ header, promise }: PromisedLeaf): unknown[] {
  const place = promiseSlotOf(header.submissionIndex);
  if (place === undefined) {
    throw new RangeError(`blob ${header.submissionIndex} was submitted, not promised`);
  }
  return [
    toHex(header.commitment),
    header.sizeBytes,
    header.rowSizeBytes,
    header.suite,
    header.log2K,
    header.cosets,
    promise.retentionEpochs,
    place.epoch,
    place.slot,
    promise.signBySeconds,
    promise.maxFeeWei,
  ];
}

function confirmationIn(
  receipt: TransactionReceipt,
  { entrance }: EntranceCaller,
): BatchConfirmation {
  const [log] = logsOf(receipt, entrance.contract, 'BatchConfirmed');
  if (log === undefined) throw noEvent('BatchConfirmed', receipt.transactionHash);
  return decodeBatchConfirmation(entrance.contract, log);
}

function noEvent(event: string, transactionHash: Hex): DaError {
  return new DaError(
    { code: 'DA_NO_EVENT', event, transactionHash },
    `transaction ${transactionHash} went through without the event ${event} that it makes`,
  );
}
