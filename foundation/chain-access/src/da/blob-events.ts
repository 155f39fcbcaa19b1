import { type BlobHeader, parseBlobHeader } from '@cairn/attestation';
import {
  type Address,
  type BlockMark,
  bigEndianBytes,
  concatBytes,
  describeError,
  fromHex,
  type Hex,
} from '@cairn/primitives';
import type { LogRecord, TransactionReceipt } from '../client/parse-replies.ts';
import type { Contract } from './contract.ts';
import { DaError } from './errors.ts';
import type { Entrance } from './open-entrance.ts';

/** A paid blob as the chain ordered it. */
export interface BlobOrder {
  readonly epoch: number;
  readonly quorumId: number;
  /** What its quorum is to certify. */
  readonly header: BlobHeader;
  readonly block: BlockMark;
  readonly transactionHash: Hex;
}

/** A batch as the chain confirmed it. */
export interface BatchConfirmation {
  /** 32 bytes. */
  readonly root: Uint8Array;
  readonly epoch: number;
  readonly quorumId: number;
  /** Its place among all confirmed batches of the shard. */
  readonly daIndex: number;
  readonly signedWeight: bigint;
  readonly block: BlockMark;
  readonly transactionHash: Hex;
}

/** A confirmation with the leaves that it found not paid for. */
export type PromisedConfirmation = BatchConfirmation & { readonly voids: readonly VoidPromise[] };

/** A leaf that the confirmation of its batch found not paid for. */
export interface VoidPromise {
  readonly payer: Address;
  readonly epoch: number;
  readonly slot: number;
  readonly leafIndex: number;
  readonly reason: VoidReason;
}

const VOID_REASONS = [
  'none',
  'otherQuorum',
  'badShape',
  'slotTaken',
  'feeAboveMax',
  'depositShort',
  'repeated',
] as const;

/** Why a promise was not charged. */
export type VoidReason = (typeof VOID_REASONS)[number];

/** What a `BlobSubmitted` event tells. @throws {DaError} DA_BAD_EVENT */
export function decodeBlobOrder(
  { contract, settings }: Pick<Entrance, 'contract' | 'settings'>,
  log: LogRecord,
): BlobOrder {
  const values = contract.decode('BlobSubmitted', log);
  // The event has the fields of a header's body, the first of them packed already.
  const body = concatBytes(
    values.bytes('params'),
    bigEndianBytes(values.wide('length'), 8),
    values.bytes('commitment'),
    fromHex(values.address('submitter')),
    bigEndianBytes(settings.shardId, 4),
    bigEndianBytes(values.wide('index'), 8),
    bigEndianBytes(values.wide('expiry'), 8),
  );
  return {
    epoch: values.number('epoch'),
    quorumId: values.number('quorumId'),
    header: headerIn(body),
    block: log.block,
    transactionHash: log.transactionHash,
  };
}

function headerIn(body: Uint8Array): BlobHeader {
  try {
    return parseBlobHeader(body);
  } catch (error) {
    throw badEvent('BlobSubmitted', describeError(error), error);
  }
}

/** What a `BatchConfirmed` event tells. @throws {DaError} DA_BAD_EVENT */
export function decodeBatchConfirmation(contract: Contract, log: LogRecord): BatchConfirmation {
  const values = contract.decode('BatchConfirmed', log);
  return {
    root: values.bytes('root'),
    epoch: values.number('epoch'),
    quorumId: values.number('quorumId'),
    daIndex: values.number('daIndex'),
    signedWeight: values.wide('signedWeight'),
    block: log.block,
    transactionHash: log.transactionHash,
  };
}

/**
 * What a `BatchConfirmed` event and those before it in its transaction tell.
 *
 * @param confirmed - one of the receipt's events
 * @throws {DaError} DA_BAD_EVENT
 */
export function decodePromisedConfirmation(
  contract: Contract,
  confirmed: LogRecord,
  receipt: Pick<TransactionReceipt, 'logs'>,
): PromisedConfirmation {
  // Another contract may confirm several batches in one transaction: each one's voids come before it.
  const previous = logsOf(receipt, contract, 'BatchConfirmed').findLast(
    ({ logIndex }) => logIndex < confirmed.logIndex,
  );
  const voids = logsOf(receipt, contract, 'PromiseVoid')
    .filter(({ logIndex }) => logIndex < confirmed.logIndex)
    .filter(({ logIndex }) => previous === undefined || logIndex > previous.logIndex)
    .map((log) => decodeVoidPromise(contract, log));
  return { ...decodeBatchConfirmation(contract, confirmed), voids };
}

/** Events of one kind that a contract made in a transaction. */
export function logsOf(
  { logs }: Pick<TransactionReceipt, 'logs'>,
  contract: Contract,
  event: string,
): LogRecord[] {
  const topic = contract.topic(event);
  return logs.filter(({ address, topics }) => address === contract.address && topics[0] === topic);
}

function decodeVoidPromise(contract: Contract, log: LogRecord): VoidPromise {
  const values = contract.decode('PromiseVoid', log);
  const number = values.number('reason');
  const reason = VOID_REASONS[number];
  if (reason === undefined) throw badEvent('PromiseVoid', `reason ${number}`);
  return {
    payer: values.address('payer'),
    epoch: values.number('epoch'),
    slot: values.number('slot'),
    leafIndex: values.number('leafIndex'),
    reason,
  };
}

function badEvent(event: string, reason: string, cause?: unknown): DaError {
  return new DaError(
    { code: 'DA_BAD_EVENT', event, reason },
    `an event ${event} cannot be what the entrance wrote: ${reason}`,
    { cause },
  );
}
