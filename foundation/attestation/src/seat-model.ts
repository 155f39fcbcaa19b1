import { type Address, BASIS_POINTS, type ConsensusParams } from '@cairn/primitives';
import type { BlsBackend, PublicKey } from './bls-backend.ts';
import { SeatError } from './errors.ts';
import { encodeMember, type Member } from './member.ts';
import { leafHash, treeRoot } from './merkle-tree.ts';
import { emptySnapshotHash, type Snapshot, snapshotHash } from './snapshot.ts';
import {
  type DrawnSeats,
  drawSeats,
  isContributor,
  quorumCount,
  seatThreshold,
  xorBetas,
} from './sortition.ts';
import type { VerifiedTicket } from './ticket.ts';

/** A signer with votes in an epoch. */
export interface RegisteredSigner {
  readonly signer: Address;
  /** 0 … the network's most. */
  readonly votes: number;
  readonly publicKey: PublicKey;
}

/** What the hub knows when an epoch's tickets are in. */
export interface EpochDraw {
  readonly epoch: number;
  /** Of that epoch, 32 bytes. */
  readonly seed: Uint8Array;
  /** Everyone with votes. */
  readonly registered: readonly RegisteredSigner[];
  /** In the order in which the chain took them: it becomes the order of members. */
  readonly tickets: readonly Pick<VerifiedTicket, 'signer' | 'beta'>[];
  /** Whether the committee before stayed on: then everyone with votes owes a ticket. */
  readonly isAfterCarry?: boolean;
}

/** Seats of one quorum, or of the committee. */
export interface SeatedGroup {
  readonly snapshot: Snapshot;
  readonly hash: Uint8Array;
  /** In order. */
  readonly members: readonly Member[];
}

/** Who sits where in an epoch, and what its seed passes on. */
export interface SeatedEpoch {
  readonly totalVotes: number;
  readonly quorums: number;
  readonly threshold: number;
  /** By group: the committee, then the DA quorums unless it is the only one. `undefined` where nobody won a seat. */
  readonly groups: readonly (SeatedGroup | undefined)[];
  /** By group, 32 bytes each: what the epoch's header names unless the groups before are carried over. */
  readonly snapshotHashes: readonly Uint8Array[];
  /** Seats won in all. */
  readonly seats: number;
  /** Whether so few were won that the committee before stays on. */
  readonly isCarried: boolean;
  /** Whose ticket was a duty, in the order of the register. */
  readonly contributors: readonly Address[];
  /** Of these, who posted none. */
  readonly missed: readonly Address[];
  /** Betas of the contributors that posted, for the next seed but one; 32 bytes. */
  readonly xorBeta: Uint8Array;
}

/** The numbers of a network that seats follow from. */
export type SeatParams = Pick<
  ConsensusParams,
  'committeeSeats' | 'maxQuorums' | 'seatsPerQuorum' | 'contributors' | 'minSeatBps'
>;

/**
 * Seats, groups and snapshots of an epoch as the contract computes them. Tickets of unknown signers,
 * of signers without votes and second ones are skipped, as on chain; so are tickets that win nothing
 * and are no duty. Costs a hash for eight votes and a curve addition for each seat's holder.
 *
 * @throws {SeatError} SIGNER_TWICE for a register that lists a signer twice
 */
export function seatEpoch(
  draw: EpochDraw,
  params: SeatParams,
  backend: Pick<BlsBackend, 'addKeys'>,
): SeatedEpoch {
  const register = registerOf(draw.registered);
  const totalVotes = draw.registered.reduce((sum, { votes }) => sum + votes, 0);
  const quorums = quorumCount({ ...params, totalVotes });
  const threshold = seatThreshold({ ...params, totalVotes }, quorums);
  const contributors = draw.registered.filter(
    ({ signer, votes }) =>
      votes > 0 &&
      (draw.isAfterCarry === true ||
        isContributor({ ...params, seed: draw.seed, signer, votes, totalVotes })),
  );
  const tickets = firstTickets(draw.tickets, register);
  const winners = [...tickets.values()].map(({ holder, beta }) => {
    return { holder, won: drawSeats({ beta, votes: holder.votes, threshold, quorums }) };
  });
  const seats = winners.reduce((sum, { won }) => sum + won.total, 0);
  const groups = groupSeats(winners, quorums).map((members, quorumId) =>
    members.length === 0 ? undefined : sealGroup(draw.epoch, quorumId, members, backend),
  );
  const expectedSeats = Math.min(params.committeeSeats, totalVotes);
  const posted = contributors.flatMap(({ signer }) => tickets.get(signer)?.beta ?? []);
  return {
    totalVotes,
    quorums,
    threshold,
    groups,
    snapshotHashes: groups.map(
      (group, quorumId) => group?.hash ?? emptySnapshotHash({ epoch: draw.epoch, quorumId }),
    ),
    seats,
    isCarried: seats === 0 || seats * BASIS_POINTS < params.minSeatBps * expectedSeats,
    contributors: contributors.map(({ signer }) => signer),
    missed: contributors.map(({ signer }) => signer).filter((signer) => !tickets.has(signer)),
    xorBeta: xorBetas(posted),
  };
}

interface Winner {
  readonly holder: RegisteredSigner;
  readonly won: DrawnSeats;
}

function registerOf(registered: readonly RegisteredSigner[]): Map<Address, RegisteredSigner> {
  const register = new Map<Address, RegisteredSigner>();
  for (const entry of registered) {
    if (register.has(entry.signer)) {
      throw new SeatError(
        { code: 'SIGNER_TWICE', signer: entry.signer },
        `the register lists ${entry.signer} twice`,
      );
    }
    register.set(entry.signer, entry);
  }
  return register;
}

function firstTickets(
  tickets: EpochDraw['tickets'],
  register: ReadonlyMap<Address, RegisteredSigner>,
): Map<Address, { holder: RegisteredSigner; beta: Uint8Array }> {
  const first = new Map<Address, { holder: RegisteredSigner; beta: Uint8Array }>();
  for (const { signer, beta } of tickets) {
    const holder = register.get(signer);
    if (holder === undefined || holder.votes === 0 || first.has(signer)) continue;
    first.set(signer, { holder, beta });
  }
  return first;
}

/** Members of each group with their seats there, in the order of winners. */
function groupSeats(winners: readonly Winner[], quorums: number): Member[][] {
  const committee = groupOf(winners, ({ total }) => total);
  if (quorums === 1) return [committee];
  const rest = Array.from({ length: quorums }, (_, quorum) =>
    groupOf(winners, ({ perQuorum }) => perQuorum[quorum] ?? 0),
  );
  return [committee, ...rest];
}

function groupOf(winners: readonly Winner[], seatsOf: (won: DrawnSeats) => number): Member[] {
  const members: Member[] = [];
  for (const { holder, won } of winners) {
    const seats = seatsOf(won);
    if (seats === 0) continue;
    const { signer, publicKey } = holder;
    members.push({ index: members.length, signer, seats, publicKey });
  }
  return members;
}

function sealGroup(
  epoch: number,
  quorumId: number,
  members: readonly Member[],
  backend: Pick<BlsBackend, 'addKeys'>,
): SeatedGroup {
  const snapshot = {
    epoch,
    quorumId,
    memberCount: members.length,
    totalWeight: members.reduce((sum, { seats }) => sum + BigInt(seats), 0n),
    membersRoot: treeRoot(members.map((member) => leafHash(encodeMember(member)))),
    aggregateKey: backend.addKeys(members.map(({ publicKey }) => publicKey)),
  };
  return { snapshot, hash: snapshotHash(snapshot), members };
}
