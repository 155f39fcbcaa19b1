import {
  type BlsBackend,
  type Committee,
  checkpointHash,
  isQuorum,
  membersAbsent,
  STATEMENT_KINDS,
  type Statement,
  sumVotes,
  treeRoot,
  type Vote,
  verifyVotes,
} from '@cairn/attestation';
import type { SignedBundle } from '@cairn/chain-access/shards';
import { equalBytes, type Logger } from '@cairn/primitives';
import { type AskMembersDeps, askMembers } from '../signer/office/ask-members.ts';
import type { ChainOptions } from '../signer/ports.ts';
import type { OrderedHead } from '../signer/shards/ports.ts';
import { type ChosenBundle, chooseBundle, type MemberOffer } from './choose-bundle.ts';
import type { RelayerMetrics } from './metrics.ts';
import type { CheckpointPeers, Office, OrderChain } from './ports.ts';
import type { Turns } from './take-turns.ts';

/** What relaying bundles needs. */
export interface BundleRelayerDeps extends Omit<AskMembersDeps, 'address'> {
  readonly chain: OrderChain;
  readonly peers: Pick<CheckpointPeers, 'offers' | 'vote'>;
  readonly backend: BlsBackend;
  readonly turns: Turns;
  readonly logger: Logger;
  readonly metrics: Pick<RelayerMetrics, 'bundles' | 'checkpoints'>;
}

/** Shards of which heads are asked in one look. */
const MAX_SHARDS = 4096;

/**
 * Brings checkpoints to the hub: asks the committee what it would sign for, chooses what more than two thirds
 * would sign together, gathers their votes and sends one transaction. Believes nobody: the hub checks
 * every signature, and what a signer offers counts for its own seats only.
 */
export class BundleRelayer {
  readonly #deps: BundleRelayerDeps;

  constructor(deps: BundleRelayerDeps) {
    this.#deps = deps;
  }

  /**
   * One round.
   *
   * @returns checkpoints that it had ordered; 0 where nothing is to be done, it is another's turn, or
   *   somebody was faster
   * @throws what the chain throws; the signal's reason
   */
  async look(options: ChainOptions): Promise<number> {
    const { chain, turns } = this.#deps;
    const office = await chain.office(options);
    if (office === undefined) return 0;
    const orderCount = await chain.orderCount(options);
    const offers = await this.#offers(office, options);
    const heads = await this.#heads(offers, options);
    const chosen = chooseBundle(offers, office.committee, heads, orderCount);
    if (chosen.checkpoints.length === 0) return 0;
    if (!turns.isDue(`order:${orderCount}`)) return 0;
    const bundle = await this.#gather(office, chosen, options);
    if (bundle === undefined) return 0;
    // Another relayer may have brought some of it meanwhile.
    if ((await chain.orderCount(options)) !== orderCount) return 0;
    return this.#send(bundle, options);
  }

  async #send(bundle: SignedBundle, options: ChainOptions): Promise<number> {
    const { chain, metrics, logger } = this.#deps;
    const { checkpoints, epoch } = bundle;
    const result = await chain.submit(bundle, options);
    metrics.bundles.add(1, { result });
    if (result === 'refused') return 0;
    metrics.checkpoints.add(checkpoints.length);
    logger.debug({ epoch, checkpoints: checkpoints.length }, 'a bundle of checkpoints is ordered');
    return checkpoints.length;
  }

  async #offers({ committee }: Office, options: ChainOptions): Promise<readonly MemberOffer[]> {
    const { peers } = this.#deps;
    const offers: MemberOffer[] = [];
    await askMembers(
      committee,
      {
        what: 'checkpoints of shards',
        isEnough: () => false,
        ask: async ({ index }, socket, signal) => {
          const checkpoints = await peers.offers(socket, { signal });
          offers.push({ memberIndex: index, checkpoints });
        },
      },
      this.#deps,
      options,
    );
    return offers;
  }

  /** Heads of all shards of which anything is offered. */
  async #heads(
    offers: readonly MemberOffer[],
    options: ChainOptions,
  ): Promise<ReadonlyMap<number, OrderedHead>> {
    const ids = new Set(
      offers.flatMap(({ checkpoints }) => checkpoints.map((each) => each.shardId)),
    );
    const heads = new Map<number, OrderedHead>();
    for (const shardId of [...ids].sort((left, right) => left - right).slice(0, MAX_SHARDS)) {
      const head = await this.#deps.chain.head(shardId, options);
      if (head !== undefined) heads.set(shardId, head);
    }
    return heads;
  }

  /** The bundle with signatures of more than two thirds; `undefined` where too few sign. */
  async #gather(
    { epoch, committee }: Office,
    { checkpoints, members }: ChosenBundle,
    options: ChainOptions,
  ): Promise<SignedBundle | undefined> {
    const { peers, chain, backend } = this.#deps;
    const statement: Statement = {
      kind: STATEMENT_KINDS.checkpoints,
      domain: chain.domain,
      epoch,
      quorumId: 0,
      count: checkpoints.length,
      root: treeRoot(checkpoints.map(checkpointHash)),
    };
    const votes: Vote[] = [];
    const asked = new Set(members);
    const seats = (): bigint => seatsOf(votes, committee);
    await askMembers(
      { members: committee.members.filter(({ index }) => asked.has(index)) },
      {
        what: 'a vote for checkpoints',
        isEnough: () => false,
        ask: async ({ index }, socket, signal) => {
          const vote = await peers.vote(socket, { epoch, checkpoints }, { signal });
          if (vote === undefined || !equalBytes(vote.root, statement.root)) return;
          votes.push({ memberIndex: index, signature: backend.parseSignature(vote.signature) });
        },
      },
      this.#deps,
      options,
    );
    if (!isQuorum(seats(), committee.snapshot.totalWeight)) return undefined;
    const right = verifyVotes(votes, { network: chain.network, statement, committee }, backend);
    if (!isQuorum(seatsOf(right, committee), committee.snapshot.totalWeight)) return undefined;
    const { absent, signature } = sumVotes(right, committee, backend);
    const { bodies: nonSigners, siblings } = membersAbsent(committee, absent);
    return { checkpoints, epoch, snapshot: committee.snapshot, nonSigners, siblings, signature };
  }
}

function seatsOf(votes: readonly Vote[], { members }: Committee): bigint {
  let seats = 0n;
  for (const { memberIndex } of votes) seats += BigInt(members[memberIndex]?.seats ?? 0);
  return seats;
}
