import {
  type BlsBackend,
  type Committee,
  type EpochHeader,
  encodeMember,
  leafHash,
  type Member,
  snapshotHash,
  treeRoot,
  verifyMembers,
  verifySnapshot,
} from '@cairn/attestation';
import { keccak256, utf8Bytes } from '@cairn/primitives';

/** An epoch whose members are chosen by whoever runs them, where no chain draws any. */
export interface OwnEpoch {
  readonly members: readonly Omit<Member, 'index'>[];
  readonly office: Pick<EpochHeader, 'epoch' | 'startSeconds' | 'endSeconds' | 'seed'>;
}

/** The one quorum of such an epoch, as a chain would prove it. @throws {BlsError} BLS_IDENTITY */
export function ownCommittee(
  { members: chosen, office: given }: OwnEpoch,
  backend: Pick<BlsBackend, 'addKeys'>,
): Committee {
  const members = chosen.map((member, index): Member => ({ ...member, index }));
  const bodies = members.map(encodeMember);
  const snapshot = {
    epoch: given.epoch,
    quorumId: 0,
    memberCount: members.length,
    totalWeight: members.reduce((sum, { seats }) => sum + BigInt(seats), 0n),
    membersRoot: treeRoot(bodies.map(leafHash)),
    aggregateKey: backend.addKeys(members.map(({ publicKey }) => publicKey)),
  };
  const office: EpochHeader = {
    ...given,
    previous: keccak256(utf8Bytes('no chain is before this epoch')),
    orderRoot: new Uint8Array(32),
    orderCount: 0,
    snapshotHashes: [snapshotHash(snapshot)],
  };
  return verifyMembers(bodies, verifySnapshot(snapshot, office));
}
