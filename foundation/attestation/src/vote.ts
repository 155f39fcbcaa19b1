import { equalBytes, isFault } from '@cairn/primitives';
import type { BlsBackend, Signature, SigningKey } from './bls-backend.ts';
import { type Network, type SignableDigest, statementDigest } from './digests.ts';
import { QuorumError } from './errors.ts';
import type { Member } from './member.ts';
import { assertQuorum, requireMember } from './quorum.ts';
import type { Committee } from './snapshot.ts';
import type { Statement } from './statement.ts';

declare const verified: unique symbol;

/** A member's signature under a statement, as it comes from outside. */
export interface Vote {
  /** The member's place in its group. */
  readonly memberIndex: number;
  readonly signature: Signature;
}

/** A vote that is its member's. Only `verifyVote` and `verifyVotes` make one. */
export type VerifiedVote = Vote & {
  readonly member: Member;
  readonly statement: Statement;
  readonly digest: SignableDigest;
  readonly [verified]: 'vote';
};

/** Votes of more than two thirds of the seats in one signature. Only `sumVotes` makes one. */
export type VerifiedAggregate = {
  readonly committee: Committee;
  readonly statement: Statement;
  readonly digest: SignableDigest;
  readonly signature: Signature;
  readonly signedWeight: bigint;
  /** Members that did not sign, rising. */
  readonly absent: readonly number[];
} & { readonly [verified]: 'aggregate' };

/** A member's signature under a statement. What may be signed is for the caller to know. */
export function signStatement(key: SigningKey, network: Network, statement: Statement): Signature {
  return key.sign(statementDigest(network, statement));
}

/** What a vote has to be for. */
export interface VoteContext {
  readonly network: Network;
  readonly statement: Statement;
  readonly committee: Committee;
}

/**
 * Proves that a vote is its member's over the statement.
 *
 * @throws {QuorumError} MEMBER_INDEX; SIGNATURE_WRONG
 */
export function verifyVote(
  vote: Vote,
  { network, statement, committee }: VoteContext,
  backend: Pick<BlsBackend, 'verify'>,
): VerifiedVote {
  const member = requireMember(committee, vote.memberIndex);
  const digest = statementDigest(network, statement);
  if (!backend.verify(member.publicKey, digest, vote.signature)) {
    throw new QuorumError(
      { code: 'SIGNATURE_WRONG', what: 'vote' },
      `the vote of member ${vote.memberIndex} is not signed by its key`,
    );
  }
  return { ...vote, member, statement, digest } as VerifiedVote;
}

/**
 * Proves votes over one statement by verifying their sum, which costs little more than verifying one; if
 * it is wrong, each by itself. What was proven together counts together only: sum all of it.
 *
 * @returns the votes that are their members', in the order given
 * @throws {QuorumError} MEMBER_INDEX; VOTE_TWICE
 */
export function verifyVotes(
  votes: readonly Vote[],
  context: VoteContext,
  backend: Pick<BlsBackend, 'verify' | 'addKeys' | 'addSignatures'>,
): VerifiedVote[] {
  const { network, statement, committee } = context;
  const digest = statementDigest(network, statement);
  const proven = votes.map((vote): VerifiedVote => {
    const member = requireMember(committee, vote.memberIndex);
    return { ...vote, member, statement, digest } as VerifiedVote;
  });
  assertTogether(proven, committee);
  if (proven.length > 1 && isSumRight(proven, digest, backend)) return proven;
  return proven.filter(({ member, signature }) =>
    backend.verify(member.publicKey, digest, signature),
  );
}

function isSumRight(
  votes: readonly VerifiedVote[],
  digest: SignableDigest,
  backend: Pick<BlsBackend, 'verify' | 'addKeys' | 'addSignatures'>,
): boolean {
  try {
    const key = backend.addKeys(votes.map(({ member }) => member.publicKey));
    return backend.verify(key, digest, backend.addSignatures(votes.map((vote) => vote.signature)));
  } catch (error) {
    if (isFault(error, 'BLS_IDENTITY')) return false; // some cancel each other out: each by itself then
    throw error;
  }
}

/** The seats of votes together. */
export function weightOf(votes: Iterable<Pick<VerifiedVote, 'member'>>): bigint {
  let weight = 0n;
  for (const { member } of votes) weight += BigInt(member.seats);
  return weight;
}

/**
 * One signature of all voters. It verifies because the votes do; nothing is verified again.
 *
 * @param votes - of members of `committee`, over one statement
 * @throws {QuorumError} WEIGHT_TOO_LOW, VOTES_DIFFER, VOTE_TWICE; {BlsError} BLS_IDENTITY
 */
export function sumVotes(
  votes: readonly VerifiedVote[],
  committee: Committee,
  backend: Pick<BlsBackend, 'addSignatures'>,
): VerifiedAggregate {
  const { totalWeight, memberCount } = committee.snapshot;
  const signedWeight = weightOf(votes);
  const present = assertTogether(votes, committee);
  assertQuorum(signedWeight, totalWeight);
  const [first] = votes;
  if (first === undefined) throw new Error('a quorum of no votes');
  const signature = backend.addSignatures(votes.map((vote) => vote.signature));
  const absent: readonly number[] = Array.from({ length: memberCount }, (_, index) => index).filter(
    (index) => !present.has(index),
  );
  const { statement, digest } = first;
  return { committee, statement, digest, signature, signedWeight, absent } as VerifiedAggregate;
}

function assertTogether(votes: readonly VerifiedVote[], committee: Committee): Set<number> {
  const present = new Set<number>();
  for (const { memberIndex, member, digest } of votes) {
    const isOfCommittee = committee.members[memberIndex] === member;
    if (!isOfCommittee || !equalBytes(digest, votes[0]?.digest ?? digest)) {
      throw new QuorumError(
        { code: 'VOTES_DIFFER' },
        'votes of different groups or statements cannot be added',
      );
    }
    if (present.has(memberIndex)) {
      throw new QuorumError(
        { code: 'VOTE_TWICE', index: memberIndex },
        `member ${memberIndex} is counted twice`,
      );
    }
    present.add(memberIndex);
  }
  return present;
}
