import {
  describeGovernedCall,
  type NamedContracts,
  type Proposal,
  readableDescription,
} from '@cairn/chain-access/governance';
import type { Json } from '@cairn/primitives';

/** A proposal for people: what it does, where it stands, and what comes when. */
export function proposalInWords(proposal: Proposal, contracts: NamedContracts): string {
  const { id, proposer, calls, description, votes, quorumVotes, electorate } = proposal;
  const parts = votes.for + votes.abstain;
  return [
    `proposal ${id}`,
    `  ${readableDescription(description)}`,
    ...calls.map((call) => `  calls ${describeGovernedCall(call, contracts)}`),
    `  by ${proposer}`,
    `  votes: ${votes.for} for, ${votes.against} against, ${votes.abstain} abstain; ${parts} of ${quorumVotes} take part, of ${electorate.votes} in epoch ${electorate.epoch}`,
    `  ${stateInWords(proposal)}`,
  ].join('\n');
}

/** Where a proposal stands, with the time of what comes next. */
export function stateInWords(proposal: Proposal): string {
  const { state, voteStartSeconds, voteEndSeconds, executableSeconds } = proposal;
  switch (state) {
    case 'pending':
      return `pending: voting begins after ${timeOf(voteStartSeconds)}`;
    case 'active':
      return `active: voting ends with ${timeOf(voteEndSeconds)}`;
    case 'succeeded':
      return 'succeeded: anyone may queue it';
    case 'queued':
      return `queued: anyone may execute it from ${timeOf(executableSeconds ?? 0)} on`;
    case 'defeated':
      return `defeated with ${timeOf(voteEndSeconds)}`;
    case 'canceled':
    case 'expired':
    case 'executed':
      return state;
  }
}

/** A proposal as `--json` gives it; times are unix seconds. */
export function proposalJson(proposal: Proposal, contracts: NamedContracts): Json {
  const { calls, votes, electorate, description, executableSeconds, quorumVotes, ...rest } =
    proposal;
  return {
    ...rest,
    description: readableDescription(description),
    calls: calls.map((call) => ({
      target: call.target,
      data: `0x${Buffer.from(call.data).toString('hex')}`,
      valueWei: String(call.valueWei),
      words: describeGovernedCall(call, contracts),
    })),
    executableSeconds: executableSeconds ?? null,
    votes: { for: votes.for, against: votes.against, abstain: votes.abstain },
    quorumVotes,
    electorate: { epoch: electorate.epoch, votes: electorate.votes },
  };
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '');
}
