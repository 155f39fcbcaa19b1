import type { BlsBackend, PublicKey } from '@cairn/attestation';
import type { TransactionSender } from '@cairn/chain-access';
import {
  drawFirstSeed,
  type Hub,
  readEntropyBlock,
  readHasTicket,
  readHeaderRlp,
  readIsContributor,
  readKey,
  readNeedsFirstSeed,
  readOdds,
  readPhase,
  readSeed,
  readVotes,
  refusalOf,
  reportMissed,
  sealEpoch,
  submitTickets,
  type VoterBook,
} from '@cairn/chain-access/da';
import type { CallOutcome, DrawFacts, KeeperChain } from './ports.ts';

/** Errors by which the contract says that there is nothing left to do. */
const OVERTAKEN: ReadonlySet<string> = new Set([
  'WrongPhase',
  'HadTicket',
  'NotContributor',
  'BadHeader',
  'NoHash',
  'BadTicket', // tickets are verified before: a reorganisation changed the seed they were signed over
]);

/** The facts of the draw, from the hub's contracts. */
export function drawFactsOf(hub: Hub): DrawFacts {
  return {
    network: hub.network,
    phase: (options) => readPhase(hub, options),
    finalPhase: async (options) =>
      readPhase(hub, { ...options, block: await hub.finalBlock(options) }),
    round: async (epoch, options) => {
      const seed = await readSeed(hub, epoch, options);
      return seed === undefined ? undefined : { epoch, seed };
    },
    odds: (epoch, options) => readOdds(hub, epoch, options),
    standing: async (signer, epoch, options) => {
      const who = { signer, epoch };
      const key = await readKey(hub, who, options);
      return {
        votes: await readVotes(hub, who, options),
        // The registry takes no key that is not a point of the subgroup.
        publicKey: key as PublicKey | undefined,
        hasTicket: await readHasTicket(hub, who, options),
        isContributor: await readIsContributor(hub, who, options),
      };
    },
  };
}

/** The chain as a keeper uses it; `sender` pays. */
export function keeperChainOf({
  hub,
  voters,
  sender,
  backend,
}: {
  readonly hub: Hub;
  readonly voters: Pick<VoterBook, 'votersFrom'>;
  readonly sender: TransactionSender;
  readonly backend: Pick<BlsBackend, 'expandSignature'>;
}): KeeperChain {
  const caller = { hub, sender };
  return {
    ...drawFactsOf(hub),
    needsFirstSeed: (phase, options) => readNeedsFirstSeed(hub, phase, options),
    entropyHeader: async (options) =>
      readHeaderRlp(hub.client, await readEntropyBlock(hub, options), options),
    drawFirstSeed: (header, options) => outcomeOf(drawFirstSeed(caller, header, options)),
    seal: (header, options) => outcomeOf(sealEpoch(caller, header, options)),
    submitTickets: (tickets, options) =>
      outcomeOf(submitTickets(caller, tickets, backend, options)),
    voters: (epoch, options) => voters.votersFrom(epoch, options),
    reportMissed: (missed, options) => outcomeOf(reportMissed(caller, missed, options)),
  };
}

/** @throws what the call throws, but for a refusal that says someone was faster */
async function outcomeOf(call: Promise<unknown>): Promise<CallOutcome> {
  try {
    await call;
    return 'done';
  } catch (error) {
    if (OVERTAKEN.has(refusalOf(error) ?? '')) return 'overtaken';
    throw error;
  }
}
