import { type Address, fromHex, type Hex } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import type { LogRecord } from '../client/parse-replies.ts';
import type { Values } from '../da/values.ts';
import { EventReader, indexedNumber } from '../log/event-reader.ts';
import { GovernanceError } from './errors.ts';
import type { Governance } from './open-governance.ts';

/** A call that governance makes. */
export interface GovernedCall {
  readonly target: Address;
  readonly data: Uint8Array;
  readonly valueWei: bigint;
}

/** The states of OpenZeppelin's Governor, by position in its enumeration. */
const STATES = [
  'pending',
  'active',
  'canceled',
  'defeated',
  'succeeded',
  'queued',
  'expired',
  'executed',
] as const;

/**
 * `pending` until its vote, `active` in it; then `defeated`, or `succeeded` until it is `queued` and
 * `executed`. Whoever proposed may have it `canceled` before its vote.
 */
export type ProposalState = (typeof STATES)[number];

/** What somebody proposed, as its event tells it. */
export interface Proposed {
  /** 32 bytes. */
  readonly id: Hex;
  readonly proposer: Address;
  readonly calls: readonly GovernedCall[];
  readonly description: string;
  /** The vote begins after this second, and ends with that one. */
  readonly voteStartSeconds: number;
  readonly voteEndSeconds: number;
  readonly block: number;
}

/** A proposal and where it stands. */
export interface Proposal extends Proposed {
  readonly state: ProposalState;
  /** Second from which it may be executed; `undefined` until it is queued. */
  readonly executableSeconds: number | undefined;
  readonly votes: { readonly for: bigint; readonly against: bigint; readonly abstain: bigint };
  /** Votes for and abstaining without which it does not pass. */
  readonly quorumVotes: bigint;
  /** The epoch whose votes count, and all votes of it. */
  readonly electorate: { readonly epoch: number; readonly votes: bigint };
}

/** Which blocks are looked at, newest first. */
export interface ProposalsOptions extends CallOptions {
  /** 0 unless told. */
  readonly fromBlock?: number;
}

/**
 * The newest proposals, newest first.
 *
 * @param limit - at most so many
 * @throws {DaError} DA_BAD_EVENT; what the client throws
 */
export async function readProposals(
  governance: Governance,
  limit: number,
  options: ProposalsOptions,
): Promise<readonly Proposal[]> {
  const proposals: Proposal[] = [];
  for await (const proposed of proposedBackward(governance, options)) {
    proposals.push(await stateOf(governance, proposed, options));
    if (proposals.length >= limit) break;
  }
  return proposals;
}

/**
 * A proposal, with its calls from the event that announced it.
 *
 * @throws {GovernanceError} GOVERNANCE_NO_PROPOSAL; {DaError} DA_BAD_EVENT; what the client throws
 */
export async function readProposal(
  governance: Governance,
  id: Hex,
  options: ProposalsOptions,
): Promise<Proposal> {
  for await (const proposed of proposedBackward(governance, options)) {
    if (proposed.id === id) return stateOf(governance, proposed, options);
  }
  throw new GovernanceError(
    { code: 'GOVERNANCE_NO_PROPOSAL', id },
    `the governor ${governance.governor.address} has no proposal ${id}`,
  );
}

/** The state of a proposal by its id; `undefined` for one that the governor does not know. @throws what the client throws */
export async function readProposalState(
  { governor }: Pick<Governance, 'governor'>,
  id: Hex,
  { signal }: CallOptions,
): Promise<ProposalState | undefined> {
  const snapshot = await governor.read('proposalSnapshot', [id], { signal });
  if (snapshot.wide(0) === 0n) return undefined;
  return stateAt((await governor.read('state', [id], { signal })).number(0));
}

async function* proposedBackward(
  { client, governor }: Governance,
  { signal, fromBlock = 0 }: ProposalsOptions,
): AsyncGenerator<Proposed, void, void> {
  const toBlock = await client.blockNumber({ signal });
  const reader = new EventReader({ client, address: governor.address });
  const query = { fromBlock, toBlock, topics: [governor.topic('ProposalCreated')] };
  for await (const { logs } of reader.backward(query, { signal })) {
    for (const log of logs.toReversed())
      yield proposedIn(governor.decode('ProposalCreated', log), log);
  }
}

function proposedIn(values: Values, { block }: Pick<LogRecord, 'block'>): Proposed {
  const targets = values.inner('targets');
  const amounts = values.inner('values');
  const data = values.inner('calldatas');
  return {
    id: indexedNumber(values.wide('proposalId')),
    proposer: values.address('proposer'),
    calls: Array.from({ length: targets.length }, (_, at) => ({
      target: targets.address(at),
      data: fromHex(data.text(at)),
      valueWei: amounts.wide(at),
    })),
    description: values.foreignText('description') ?? '',
    voteStartSeconds: values.number('voteStart'),
    voteEndSeconds: values.number('voteEnd'),
    block: block.number,
  };
}

async function stateOf(
  { governor }: Governance,
  proposed: Proposed,
  { signal }: CallOptions,
): Promise<Proposal> {
  const { id, voteStartSeconds } = proposed;
  const read = (name: string, arg: unknown) => governor.read(name, [arg], { signal });
  const votes = await read('proposalVotes', id);
  const executable = (await read('proposalEta', id)).number(0);
  const electorate = await read('electorateAt', voteStartSeconds);
  return {
    ...proposed,
    state: stateAt((await read('state', id)).number(0)),
    executableSeconds: executable === 0 ? undefined : executable,
    votes: { against: votes.wide(0), for: votes.wide(1), abstain: votes.wide(2) },
    quorumVotes: (await read('quorum', voteStartSeconds)).wide(0),
    electorate: { epoch: electorate.number(0), votes: electorate.wide(1) },
  };
}

function stateAt(place: number): ProposalState {
  const state = STATES[place];
  if (state !== undefined) return state;
  throw new TypeError(`a proposal's state is 0 to ${STATES.length - 1}, not ${place}`);
}
