import { epochMirrorAbi } from '@cairn/contracts';
import { type Address, toHex } from '@cairn/primitives';
import { Contract, type ReadOptions } from './contract.ts';
import type { Entrance } from './open-entrance.ts';

/** What an epoch means to those who submit, fixed when it is first used. */
export interface EpochTerms {
  /** Unix seconds. */
  readonly endSeconds: number;
  /** Quorums that take blobs. */
  readonly quorums: number;
  readonly basePerBlobWei: bigint;
  /** For each byte of all rows and each epoch of retention. */
  readonly pricePerByteEpochWei: bigint;
  /** 32 bytes. */
  readonly seed: Uint8Array;
}

/** A deposit that promised blobs are paid from. */
export interface PayerAccount {
  readonly balanceWei: bigint;
  /** Part of it that its owner has asked for; it can still be charged until it leaves. */
  readonly leavingWei: bigint;
  /** Unix seconds from which that can leave. */
  readonly leavesAtSeconds: number;
}

/** A batch that a quorum has certified. */
export interface ConfirmedBatch {
  readonly epoch: number;
  readonly quorumId: number;
  /** Leaves. */
  readonly count: number;
  /** Unix seconds at which it was confirmed. */
  readonly timeSeconds: number;
}

/**
 * The epoch that holds office as an entrance has it: the hub's own word on its chain, that of a mirror
 * elsewhere, which lags until the handover comes. 0 before the first.
 *
 * @throws as `Contract.read`
 */
export async function readEntranceEpoch(
  { client, verifier }: Pick<Entrance, 'client' | 'verifier'>,
  options: ReadOptions,
): Promise<number> {
  const source = (await verifier.read('epochs', [], options)).address(0);
  // Sortition and mirror have this call in common.
  const epochs = new Contract(client, source, epochMirrorAbi);
  return (await epochs.read('currentEpoch', [], options)).number(0);
}

/** The terms of an epoch; `undefined` while nobody has used it. */
export async function readTerms(
  entrance: Entrance,
  epoch: number,
  options: ReadOptions,
): Promise<EpochTerms | undefined> {
  const { contract } = entrance;
  const terms = (await contract.read('termsOf', [epoch], options)).inner(0);
  const endSeconds = terms.number('endTime');
  if (endSeconds === 0) return undefined;
  return {
    endSeconds,
    quorums: terms.number('quorums'),
    basePerBlobWei: terms.wide('basePerBlob'),
    pricePerByteEpochWei: terms.wide('pricePerByteEpoch'),
    seed: (await contract.read('seedOf', [epoch], options)).bytes(0),
  };
}

/**
 * Wei for a payload, at the terms of an epoch or, while it has none, at those it would get now.
 *
 * @throws {ChainError} CHAIN_RPC_ERROR for a payload that is too long; what the client throws
 */
export async function readBlobFee(
  entrance: Entrance,
  blob: {
    readonly sizeBytes: number;
    readonly retentionEpochs: number;
    readonly epoch: number;
  },
  options: ReadOptions,
): Promise<bigint> {
  const args = [blob.sizeBytes, blob.retentionEpochs, blob.epoch];
  return (await entrance.contract.read('feeOf', args, options)).wide(0);
}

/** What a payer has deposited. */
export async function readPayer(
  entrance: Entrance,
  payer: Address,
  options: ReadOptions,
): Promise<PayerAccount> {
  const values = await entrance.contract.read('accountOf', [payer], options);
  return {
    balanceWei: values.wide('balance'),
    leavingWei: values.wide('leaving'),
    leavesAtSeconds: values.number('leavesAt'),
  };
}

/** Whether a payer has paid for a blob under a slot of an epoch. */
export async function readIsSlotCharged(
  entrance: Entrance,
  {
    payer,
    epoch,
    slot,
  }: { readonly payer: Address; readonly epoch: number; readonly slot: number },
  options: ReadOptions,
): Promise<boolean> {
  return (await entrance.contract.read('isSlotCharged', [payer, epoch, slot], options)).flag(0);
}

/** A confirmed batch by its root, 32 bytes; `undefined` where there is none. */
export async function readBatch(
  entrance: Entrance,
  root: Uint8Array,
  options: ReadOptions,
): Promise<ConfirmedBatch | undefined> {
  const values = await entrance.contract.read('batch', [toHex(root)], options);
  const count = values.number('count');
  if (count === 0) return undefined;
  return {
    epoch: values.number('epoch'),
    quorumId: values.number('quorumId'),
    count,
    timeSeconds: values.number('time'),
  };
}

/** Whether a leaf of a confirmed batch counts for nothing because it was not paid for. */
export async function readIsVoid(
  entrance: Entrance,
  { root, leafIndex }: { readonly root: Uint8Array; readonly leafIndex: number },
  options: ReadOptions,
): Promise<boolean> {
  return (await entrance.contract.read('isVoid', [toHex(root), leafIndex], options)).flag(0);
}
