import { type Certificate, type SignerList, shortestSigners } from './certificate.ts';
import type { Network } from './digests.ts';
import { encodeMember } from './member.ts';
import { leafHash, treePath } from './merkle-tree.ts';
import { multiproof } from './multiproof.ts';
import { requireMember } from './quorum.ts';
import type { Committee } from './snapshot.ts';
import { STATEMENT_KINDS } from './statement.ts';
import type { VerifiedAggregate } from './vote.ts';

/** Which leaf of a statement a certificate is about, and for whom. */
export interface CertifyOptions {
  readonly network: Network;
  /** Bodies of all leaves, in order; the only one of a handover is the next epoch's header. */
  readonly bodies: readonly Uint8Array[];
  readonly leafIndex: number;
  /**
   * Whether it shall carry its absent members, for readers that have the snapshot only. Longer by
   * 124 bytes for each and the hashes that prove them.
   */
  readonly isSelfContained?: boolean;
}

/**
 * The certificate of one leaf that a quorum signed for.
 *
 * @throws {PathError} PATH_INDEX
 */
export function certify(aggregate: VerifiedAggregate, options: CertifyOptions): Certificate {
  const { committee, statement, signature, absent } = aggregate;
  const { network, bodies, leafIndex, isSelfContained = false } = options;
  const isTree = statement.kind !== STATEMENT_KINDS.handover;
  const path = isTree ? treePath(bodies.map(leafHash), leafIndex) : [];
  const { kind, domain, epoch, quorumId, count } = statement;
  return {
    network,
    kind,
    domain,
    epoch,
    quorumId,
    count,
    body: bodies[leafIndex] ?? new Uint8Array(0),
    leafIndex,
    path,
    signers: isSelfContained
      ? membersAbsent(committee, absent)
      : shortestSigners(absent, committee.snapshot.memberCount),
    signature,
  };
}

/** Absent members with what ties them to the snapshot. */
export function membersAbsent(
  committee: Committee,
  absent: readonly number[],
): Extract<SignerList, { mode: 'members' }> {
  const bodies = absent.map((index) => encodeMember(requireMember(committee, index)));
  if (bodies.length === 0) return { mode: 'members', bodies, siblings: [] };
  const leaves = committee.members.map((member) => leafHash(encodeMember(member)));
  return { mode: 'members', bodies, siblings: multiproof(leaves, absent) };
}
