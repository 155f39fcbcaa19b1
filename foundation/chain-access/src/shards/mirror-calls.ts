import type { BlsBackend, Checkpoint, EpochHeader, Snapshot } from '@cairn/attestation';
import { toHex } from '@cairn/primitives';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import { snapshotArgument } from '../da/abi-words.ts';
import { sendCall } from '../da/send-call.ts';
import type { SendOptions, TransactionSender } from '../send/transaction-sender.ts';
import type { Mirror } from './open-mirror.ts';
import { checkpointArgument } from './ordering-calls.ts';
import { type QuorumSignature, signatureArguments } from './quorum-signature.ts';

/** A mirror and who pays for calls to it. */
export interface MirrorCaller {
  readonly mirror: Mirror;
  readonly sender: TransactionSender;
}

/** An epoch with the snapshots that its header names, in order. */
export interface HandedEpoch {
  readonly header: EpochHeader;
  readonly snapshots: readonly Snapshot[];
}

/** A checkpoint of the hub in the bundle in which it was signed. */
export interface HubCheckpoint {
  readonly checkpoint: Checkpoint;
  /** The epoch of the committee that signed. */
  readonly epoch: number;
  /** Checkpoints of the bundle, and the place of this one. */
  readonly count: number;
  readonly index: number;
  /** From its leaf to the root; 32 bytes each, bottom-up. */
  readonly path: readonly Uint8Array[];
}

/**
 * Hands the next epoch over to a mirror.
 *
 * @param signed - by the committee of the newest epoch that the mirror knows
 * @throws as `sendCall`: BadEpoch, TrustExpired, TimeInFuture, BadSnapshots and what the check of a
 *   quorum throws are told by name
 */
export function acceptEpoch(
  { mirror, sender }: MirrorCaller,
  { header, snapshots }: HandedEpoch,
  signed: QuorumSignature,
  backend: Pick<BlsBackend, 'expandSignature'>,
  options: SendOptions & { readonly intent?: string },
): Promise<TransactionReceipt> {
  const args = [headerArgument(header), snapshots.map(snapshotArgument)];
  const signature = signatureArguments(signed, backend);
  const call = { contract: mirror.contract, name: 'acceptEpoch', args: [...args, ...signature] };
  return sendCall(sender, call, options);
}

/**
 * Tells a mirror the root of the order that a checkpoint of the hub has.
 *
 * @throws as `sendCall`: OrderNotNewer, EpochClosed, TimeInFuture, BadPath, NotHubCheckpoint
 */
export function acceptHubCheckpoint(
  { mirror, sender }: MirrorCaller,
  { checkpoint, epoch, count, index, path }: HubCheckpoint,
  signed: QuorumSignature,
  backend: Pick<BlsBackend, 'expandSignature'>,
  options: SendOptions & { readonly intent?: string },
): Promise<TransactionReceipt> {
  const place = [epoch, count, index, path.map(toHex)];
  const args = [checkpointArgument(checkpoint), place, ...signatureArguments(signed, backend)];
  const call = { contract: mirror.contract, name: 'acceptHubCheckpoint', args };
  return sendCall(sender, call, options);
}

/** Begins a mirror at a header, or again where no handover leads on: for its admin. @throws as `sendCall` */
export function anchorMirror(
  { mirror, sender }: MirrorCaller,
  { header, snapshots }: HandedEpoch,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const args = [headerArgument(header), snapshots.map(snapshotArgument)];
  return sendCall(sender, { contract: mirror.contract, name: 'anchor', args }, options);
}

function headerArgument(header: EpochHeader): unknown[] {
  const { epoch, previous, startSeconds, endSeconds, seed, orderRoot, orderCount } = header;
  const hashes = header.snapshotHashes.map(toHex);
  const order = [toHex(orderRoot), orderCount, hashes];
  return [epoch, toHex(previous), startSeconds, endSeconds, toHex(seed), ...order];
}
