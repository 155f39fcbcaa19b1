import {
  castVote,
  executeProposal,
  type GovernanceCaller,
  type Proposal,
  queueProposal,
  type Support,
} from '@cairn/chain-access/governance';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { type GovernanceOptions, requireProposal, withVoter } from '../governance-chain.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';
import { proposalInWords, proposalJson } from '../proposal-in-words.ts';

/** What `cairn chain vote` takes. */
export interface ChainVoteOptions extends GovernanceOptions {
  readonly reason?: string;
}

/** Votes on a proposal. */
export async function chainVote(
  typed: string,
  support: string,
  options: ChainVoteOptions,
  context: CommandContext,
): Promise<number> {
  const wish = {
    support: parseSupport(support),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  };
  return step('vote', typed, options, context, (caller, proposal) =>
    castVote(caller, proposal, wish, context),
  );
}

/** Puts a proposal that passed into the timelock. */
export async function chainQueue(
  typed: string,
  options: GovernanceOptions,
  context: CommandContext,
): Promise<number> {
  return step('queue a proposal', typed, options, context, (caller, proposal) =>
    queueProposal(caller, proposal, context),
  );
}

/** Makes the calls of a proposal. */
export async function chainExecute(
  typed: string,
  options: GovernanceOptions,
  context: CommandContext,
): Promise<number> {
  return step('execute a proposal', typed, options, context, (caller, proposal) =>
    executeProposal(caller, proposal, context),
  );
}

/** Takes a step, and prints the proposal as it is then. */
async function step(
  purpose: string,
  typed: string,
  options: GovernanceOptions,
  context: CommandContext,
  act: (caller: GovernanceCaller, proposal: Proposal) => Promise<unknown>,
): Promise<number> {
  const { io, signal } = context;
  return withVoter(purpose, options, context, async (chain, caller) => {
    await act(caller, await requireProposal(chain, typed, { signal }));
    const after = await requireProposal(chain, typed, { signal });
    if (options.json === true) await writeJson(io, proposalJson(after, chain.contracts));
    else await writeLine(io, proposalInWords(after, chain.contracts));
    return EXIT.ok;
  });
}

function parseSupport(text: string): Support {
  if (text === 'for' || text === 'against' || text === 'abstain') return text;
  throw usageError('support', `a vote is for, against or abstain, not ${JSON.stringify(text)}`);
}
