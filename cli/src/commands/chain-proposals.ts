import { readProposals } from '@cairn/chain-access/governance';
import { EXIT } from '../exit-codes.ts';
import { type GovernanceOptions, requireProposal, withGovernance } from '../governance-chain.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';
import { proposalInWords, proposalJson } from '../proposal-in-words.ts';

/** What `cairn chain proposals` takes. */
export interface ChainProposalsOptions extends GovernanceOptions {
  readonly limit: number;
}

/** Prints one proposal, or the newest ones, newest first. */
export async function chainProposals(
  typed: string | undefined,
  options: ChainProposalsOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  return withGovernance(options, context, async (chain) => {
    const { governance, contracts, fromBlock } = chain;
    const proposals =
      typed === undefined
        ? await readProposals(governance, options.limit, { signal, fromBlock })
        : [await requireProposal(chain, typed, { signal })];
    if (options.json === true) {
      await writeJson(io, { proposals: proposals.map((each) => proposalJson(each, contracts)) });
      return EXIT.ok;
    }
    const words = proposals.map((each) => proposalInWords(each, contracts));
    await writeLine(io, words.join('\n\n') || 'nothing was proposed yet');
    return EXIT.ok;
  });
}
