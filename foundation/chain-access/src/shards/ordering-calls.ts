import type { BlsBackend, Checkpoint } from '@cairn/attestation';
import { type Address, toHex } from '@cairn/primitives';
import { MAX_BUNDLE_CHECKPOINTS } from '@cairn/wire-protocol/da';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import { type IntendedOptions, sendCall } from '../da/send-call.ts';
import type { SendOptions, TransactionSender } from '../send/transaction-sender.ts';
import type { Ordering } from './open-ordering.ts';
import type { Shard } from './ordering-facts.ts';
import { type QuorumSignature, signatureArguments } from './quorum-signature.ts';

/** What orders checkpoints, and who pays for calls to it. */
export interface OrderingCaller {
  readonly ordering: Ordering;
  readonly sender: TransactionSender;
}

/** Checkpoints under one signature of a committee. */
export interface SignedBundle extends QuorumSignature {
  /** The leaves in the order in which they were signed. */
  readonly checkpoints: readonly Checkpoint[];
  /** The epoch of the committee's office. */
  readonly epoch: number;
}

/**
 * Has the checkpoints of a bundle ordered. Those that are ordered already are passed by.
 *
 * @param bundle - of 1 to 64 checkpoints
 * @throws {RangeError} for more, or none; as `sendCall`: BadSequence, EpochClosed, EpochNotBegun,
 *   ShardUnknown and what the verifier throws are told by name
 */
export function submitBundle(
  { ordering, sender }: OrderingCaller,
  bundle: SignedBundle,
  backend: Pick<BlsBackend, 'expandSignature'>,
  options: SendOptions & { readonly intent?: string },
): Promise<TransactionReceipt> {
  const { checkpoints, epoch } = bundle;
  if (checkpoints.length === 0 || checkpoints.length > MAX_BUNDLE_CHECKPOINTS) {
    throw new RangeError(
      `a bundle has 1 to ${MAX_BUNDLE_CHECKPOINTS} checkpoints, not ${checkpoints.length}`,
    );
  }
  const items = checkpoints.map(checkpointArgument);
  const args = [items, epoch, ...signatureArguments(bundle, backend)];
  const { contract, verifier } = ordering;
  return sendCall(
    sender,
    { contract, name: 'submitBundle', args, others: [verifier.abi] },
    options,
  );
}

/** Keeps the root of the order as it is, so that proofs against it stay good. @throws as `sendCall` */
export function anchorOrder(
  { ordering, sender }: OrderingCaller,
  options: IntendedOptions,
): Promise<TransactionReceipt> {
  return sendCall(sender, { contract: ordering.contract, name: 'anchorOrder', args: [] }, options);
}

/** Arguments of `addShard` of the OrderingHub. */
export function shardArgument(shard: Shard): unknown[] {
  const { shardId, chainId, periodBlocks, firstCheckpoint, flow, entrance, mirror } = shard;
  const contracts = [flow, entrance, mirror].map((address) => address ?? NOBODY);
  const finality = shard.finality === 'tag' ? 0 : shard.finality;
  return [shardId, chainId, ...contracts, finality, periodBlocks, firstCheckpoint];
}

/** Adds a shard to the registry: for its admin. @throws as `sendCall`: ShardKnown, BadShard */
export function addShard(
  { ordering, sender }: OrderingCaller,
  shard: Shard,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const args = shardArgument(shard);
  return sendCall(sender, { contract: ordering.contract, name: 'addShard', args }, options);
}

const NOBODY = `0x${'00'.repeat(20)}` as Address;

/** A checkpoint as an argument of a call. */
export function checkpointArgument(checkpoint: Checkpoint): unknown[] {
  const { shardId, number, previous, flowRoot, flowLength, logRoot, logCount } = checkpoint;
  const { daRoot, daCount, blockNumber, blockHash, timeSeconds } = checkpoint;
  const logs = [toHex(flowRoot), flowLength, toHex(logRoot), logCount, toHex(daRoot), daCount];
  return [shardId, number, toHex(previous), ...logs, blockNumber, toHex(blockHash), timeSeconds];
}
