import {
  type BlsBackend,
  keyToWords,
  type PublicKey,
  type Signature,
  signatureToWords,
  type Ticket,
} from '@cairn/attestation';
import { randaoEntropyAbi } from '@cairn/contracts';
import { type Address, toHex } from '@cairn/primitives';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import type { SendOptions, TransactionSender } from '../send/transaction-sender.ts';
import { wordsOfBytes } from './abi-words.ts';
import type { Hub } from './open-hub.ts';
import { type IntendedOptions, sendCall } from './send-call.ts';

/** Tickets of one transaction at most: about 3 million gas. */
export const MAX_TICKETS_PER_CALL = 64;

/** The hub and who pays for calls to it. */
export interface HubCaller {
  readonly hub: Hub;
  readonly sender: TransactionSender;
}

/** A key and where its signer is reached. */
export interface Registration {
  readonly publicKey: PublicKey;
  /** Over the possession digest of chain, registry, the sender's account and the key. */
  readonly possession: Signature;
  /** At most 128 bytes. */
  readonly socket: string;
}

/** Adds to the sender's stake. @throws as `sendCall` */
export function bond(
  { hub, sender }: HubCaller,
  amountWei: bigint,
  options: IntendedOptions,
): Promise<TransactionReceipt> {
  const call = { contract: hub.stakeHub, name: 'bond', args: [], valueWei: amountWei };
  return sendCall(sender, call, options);
}

/** Sets what the sender does for the network: a sum of `ROLES`. @throws as `sendCall` */
export function setRoles(
  { hub, sender }: HubCaller,
  roles: number,
  options: IntendedOptions,
): Promise<TransactionReceipt> {
  return sendCall(sender, { contract: hub.stakeHub, name: 'setRoles', args: [roles] }, options);
}

/** Gives the sender its votes back once its term without them is over. @throws as `sendCall` */
export function rejoin(
  { hub, sender }: HubCaller,
  options: IntendedOptions,
): Promise<TransactionReceipt> {
  return sendCall(sender, { contract: hub.stakeHub, name: 'rejoin', args: [] }, options);
}

/** Registers the sender's first key. @throws as `sendCall` */
export function registerSigner(
  { hub, sender }: HubCaller,
  { publicKey, possession, socket }: Registration,
  backend: Pick<BlsBackend, 'expandSignature'>,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const args = [
    wordsOfBytes(keyToWords(publicKey)),
    wordsOfBytes(signatureToWords(possession, backend)),
    socket,
  ];
  return sendCall(sender, { contract: hub.registry, name: 'register', args }, options);
}

/**
 * Replaces the sender's key, from the epoch on that a change made now counts in. The one before is
 * needed until then.
 *
 * @throws as `sendCall`
 */
export function rotateKey(
  { hub, sender }: HubCaller,
  { publicKey, possession }: Omit<Registration, 'socket'>,
  backend: Pick<BlsBackend, 'expandSignature'>,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const args = [
    wordsOfBytes(keyToWords(publicKey)),
    wordsOfBytes(signatureToWords(possession, backend)),
  ];
  return sendCall(sender, { contract: hub.registry, name: 'rotateKey', args }, options);
}

/** Says where the sender is reached: at most 128 bytes. @throws as `sendCall` */
export function setSocket(
  { hub, sender }: HubCaller,
  socket: string,
  options: IntendedOptions,
): Promise<TransactionReceipt> {
  return sendCall(sender, { contract: hub.registry, name: 'setSocket', args: [socket] }, options);
}

/**
 * Posts tickets for the next epoch, anyone's. The contract passes over those that are there already;
 * one that is not its signer's spoils the whole call, so verify before.
 *
 * @param tickets - at most {@link MAX_TICKETS_PER_CALL}
 * @throws {RangeError} for more, or none; as `sendCall`
 */
export function submitTickets(
  { hub, sender }: HubCaller,
  tickets: readonly Ticket[],
  backend: Pick<BlsBackend, 'expandSignature'>,
  options: SendOptions,
): Promise<TransactionReceipt> {
  if (tickets.length === 0 || tickets.length > MAX_TICKETS_PER_CALL) {
    throw new RangeError(`a call takes 1 to ${MAX_TICKETS_PER_CALL} tickets`);
  }
  const signatures = tickets.map(({ signature }) =>
    wordsOfBytes(signatureToWords(signature, backend)),
  );
  const args = [tickets.map(({ signer }) => signer), signatures];
  return sendCall(sender, { contract: hub.sortition, name: 'submitTickets', args }, options);
}

/** Seals the next epoch. @param headerRlp - of the entropy block @throws as `sendCall` */
export function sealEpoch(
  caller: HubCaller,
  headerRlp: Uint8Array,
  options: SendOptions,
): Promise<TransactionReceipt> {
  return bringHeader(caller, 'seal', headerRlp, options);
}

/** Draws the seed of the first epoch to be sealed. @param headerRlp - of the entropy block @throws as `sendCall` */
export function drawFirstSeed(
  caller: HubCaller,
  headerRlp: Uint8Array,
  options: SendOptions,
): Promise<TransactionReceipt> {
  return bringHeader(caller, 'drawFirstSeed', headerRlp, options);
}

/** Reports a signer that owed a ticket and posted none; pays the sender its share. @throws as `sendCall` */
export function reportMissed(
  { hub, sender }: HubCaller,
  { signer, epoch }: { readonly signer: Address; readonly epoch: number },
  options: SendOptions,
): Promise<TransactionReceipt> {
  const call = { contract: hub.sortition, name: 'reportMissed', args: [signer, epoch] };
  return sendCall(sender, { ...call, others: [hub.stakeHub.abi] }, options);
}

function bringHeader(
  { hub, sender }: HubCaller,
  name: string,
  headerRlp: Uint8Array,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const call = { contract: hub.sortition, name, args: [toHex(headerRlp)] };
  return sendCall(sender, { ...call, others: [randaoEntropyAbi] }, options);
}
