import type { Evidence } from '@cairn/attestation';
import { slasherAbi } from '@cairn/contracts';
import type { Address } from '@cairn/primitives';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import type { SendOptions } from '../send/transaction-sender.ts';
import { Contract } from './contract.ts';
import type { HubCaller } from './hub-calls.ts';
import { sendCall } from './send-call.ts';

/** The contract that judges evidence, and who pays for calls to it. */
export interface SlasherCaller extends HubCaller {
  readonly slasher: Address;
}

/**
 * Brings evidence that a signer signed two bodies for one slot: it loses all stake, and the sender is
 * paid its share. Refused as AlreadySlashed where somebody was faster.
 *
 * @throws as `sendCall`
 */
export function submitEvidence(
  { hub, slasher, sender }: SlasherCaller,
  evidence: Evidence,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const contract = new Contract(hub.client, slasher, slasherAbi);
  const call = { contract, name: evidence.call, args: argumentsOf(evidence) };
  return sendCall(sender, { ...call, others: [hub.stakeHub.abi] }, options);
}

/** In the order of the call; structs go by the names of their fields. */
function argumentsOf(evidence: Evidence): readonly unknown[] {
  const { key, first, second } = evidence;
  switch (evidence.call) {
    case 'slashHandover':
      return [key, first, evidence.firstSignature, second, evidence.secondSignature];
    case 'slashCheckpoint':
      return [key, first, evidence.firstVote, second, evidence.secondVote];
    case 'slashDA':
      return [evidence.domain, key, first, evidence.firstVote, second, evidence.secondVote];
  }
}
