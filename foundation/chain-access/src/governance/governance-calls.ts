import { type Address, type Hex, keccak256, toHex, utf8Bytes } from '@cairn/primitives';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import { type ContractCall, sendCall } from '../da/send-call.ts';
import { indexedNumber } from '../log/event-reader.ts';
import type { SendOptions, TransactionSender } from '../send/transaction-sender.ts';
import { KNOWN_ABIS } from './describe-call.ts';
import { GovernanceError } from './errors.ts';
import type { Governance } from './open-governance.ts';
import {
  type GovernedCall,
  type Proposal,
  type ProposalState,
  readProposalState,
} from './read-proposals.ts';

/** By what a network decides, and who pays for a step of it. */
export interface GovernanceCaller {
  readonly governance: Governance;
  readonly sender: TransactionSender;
}

/** How a vote is cast, by OpenZeppelin's numbers. */
const SUPPORT = { against: 0, for: 1, abstain: 2 } as const;

/** A vote. */
export type Support = keyof typeof SUPPORT;

/** Calls that pass together or not at all, and what people read about them. */
export interface Wish {
  /** At least one; executed in order. */
  readonly calls: readonly GovernedCall[];
  readonly description: string;
}

/**
 * The description under which an account proposes: with the account's name behind it, so that the governor takes
 * it from nobody else, who could have it canceled.
 */
export function ownDescription(description: string, proposer: Address): string {
  return `${description}#proposer=${proposer}`;
}

/** What people read of a description: without the account that may propose it. */
export function readableDescription(description: string): string {
  return description.replace(/#proposer=0x[0-9a-fA-F]{40}$/, '');
}

/** Id of a proposal with these calls and this whole description. @throws what the client throws */
export async function proposalIdOf(
  { governor }: Pick<Governance, 'governor'>,
  wish: Wish,
  { signal }: { readonly signal: AbortSignal },
): Promise<Hex> {
  const id = await governor.read('hashProposal', argumentsOf(wish), { signal });
  return indexedNumber(id.wide(0));
}

/**
 * Proposes calls that stake then votes on. The description gets the proposer's account behind it.
 *
 * @returns the proposal's id
 * @throws {GovernanceError} GOVERNANCE_PROPOSED; as `sendCall`: GovernorInsufficientProposerVotes, NoVotes
 */
export async function propose(
  { governance, sender }: GovernanceCaller,
  { calls, description }: Wish,
  options: SendOptions,
): Promise<Hex> {
  const wish = { calls, description: ownDescription(description, sender.address) };
  const id = await proposalIdOf(governance, wish, options);
  const state = await readProposalState(governance, id, options);
  if (state !== undefined) {
    throw new GovernanceError(
      { code: 'GOVERNANCE_PROPOSED', id, state },
      `proposal ${id} with these calls and this description is ${state} already: another description makes another proposal`,
    );
  }
  const [targets, values, data] = argumentsOf(wish);
  const args = [targets, values, data, wish.description];
  await send({ governance, sender }, { name: 'propose', args, intent: `propose:${id}` }, options);
  return id;
}

/**
 * Votes with all stake that the account had in the proposal's epoch, once and for good.
 *
 * @throws {GovernanceError} GOVERNANCE_STATE, GOVERNANCE_TOO_EARLY, GOVERNANCE_VOTED, GOVERNANCE_NO_VOTES;
 *   as `sendCall`
 */
export async function castVote(
  { governance, sender }: GovernanceCaller,
  proposal: Proposal,
  { support, reason }: { readonly support: Support; readonly reason?: string },
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { id, voteStartSeconds, electorate } = proposal;
  const { governor, stakeHub } = governance;
  const { signal } = options;
  if (proposal.state === 'pending') {
    await requireTime(governance, { id, step: 'vote', afterSeconds: voteStartSeconds }, options);
  } else requireState(proposal, 'vote', 'active');
  const account = sender.address;
  if ((await governor.read('hasVoted', [id, account], { signal })).flag(0)) {
    throw new GovernanceError(
      { code: 'GOVERNANCE_VOTED', id, account },
      `${account} has voted on proposal ${id} already: a vote is for good`,
    );
  }
  const { epoch } = electorate;
  const votes = (await stakeHub.read('votesAt', [account, epoch], { signal })).wide(0);
  if (votes === 0n) {
    throw new GovernanceError(
      { code: 'GOVERNANCE_NO_VOTES', id, account, epoch },
      `${account} had no votes in epoch ${epoch}, whose stake decides on proposal ${id}`,
    );
  }
  const args = reason === undefined ? [id, SUPPORT[support]] : [id, SUPPORT[support], reason];
  const name = reason === undefined ? 'castVote' : 'castVoteWithReason';
  const intent = `vote:${id}:${account}`;
  return send({ governance, sender }, { name, args, intent }, options);
}

/**
 * Puts a proposal that passed into the timelock. Anyone may.
 *
 * @throws {GovernanceError} GOVERNANCE_STATE; as `sendCall`
 */
export async function queueProposal(
  caller: GovernanceCaller,
  proposal: Proposal,
  options: SendOptions,
): Promise<TransactionReceipt> {
  requireState(proposal, 'queue', 'succeeded');
  const args = argumentsOf(proposal);
  return send(caller, { name: 'queue', args, intent: `queue:${proposal.id}` }, options);
}

/**
 * Makes the calls of a proposal that has waited in the timelock. Anyone may, and pays their gas only.
 *
 * @throws {GovernanceError} GOVERNANCE_STATE, GOVERNANCE_TOO_EARLY; as `sendCall`: errors of the contracts
 *   that are called come through by name
 */
export async function executeProposal(
  caller: GovernanceCaller,
  proposal: Proposal,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { id, executableSeconds, calls } = proposal;
  requireState(proposal, 'execute', 'queued');
  const afterSeconds = (executableSeconds ?? 0) - 1;
  await requireTime(caller.governance, { id, step: 'execute', afterSeconds }, options);
  const valueWei = calls.reduce((sum, call) => sum + call.valueWei, 0n);
  const args = argumentsOf(proposal);
  return send(caller, { name: 'execute', args, valueWei, intent: `execute:${id}` }, options);
}

function send(
  { governance, sender }: GovernanceCaller,
  { intent, ...call }: Omit<ContractCall, 'contract' | 'others'> & { readonly intent: string },
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { governor, timelock } = governance;
  const others = [timelock.abi, ...KNOWN_ABIS.values()];
  const named = `governance:${governor.address}:${intent}`;
  return sendCall(sender, { ...call, contract: governor, others }, { ...options, intent: named });
}

function argumentsOf({ calls, description }: Wish): [Address[], bigint[], Hex[], Hex] {
  return [
    calls.map(({ target }) => target),
    calls.map(({ valueWei }) => valueWei),
    calls.map(({ data }) => toHex(data)),
    toHex(keccak256(utf8Bytes(description))),
  ];
}

/** @throws {GovernanceError} GOVERNANCE_STATE */
function requireState({ id, state }: Proposal, step: string, wanted: ProposalState): void {
  if (state === wanted) return;
  throw new GovernanceError(
    { code: 'GOVERNANCE_STATE', id, step, state, wanted },
    `proposal ${id} is ${state}: only what is ${wanted} can be ${PAST[step] ?? step}`,
  );
}

const PAST: Readonly<Record<string, string>> = {
  vote: 'voted on',
  queue: 'queued',
  execute: 'executed',
};

/** The next block may have a later time than the newest one: what is due now is tried. @throws {GovernanceError} GOVERNANCE_TOO_EARLY */
async function requireTime(
  { client }: Pick<Governance, 'client'>,
  {
    id,
    step,
    afterSeconds,
  }: { readonly id: Hex; readonly step: string; readonly afterSeconds: number },
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const nowSeconds = (await client.getBlock('latest', { signal }))?.timestamp ?? 0;
  if (nowSeconds > afterSeconds) return;
  const atSeconds = afterSeconds + 1;
  throw new GovernanceError(
    { code: 'GOVERNANCE_TOO_EARLY', id, step, atSeconds, nowSeconds },
    `proposal ${id} can be ${PAST[step] ?? step} in ${atSeconds - nowSeconds} s of the chain's time`,
  );
}
