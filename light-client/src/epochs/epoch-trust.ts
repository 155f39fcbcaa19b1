import {
  type EpochHeader,
  type Network,
  type Snapshot,
  type VerifiedSnapshot,
  verifySnapshot,
} from '@cairn/attestation';
import { TrustError } from '../errors.ts';

/** Epochs that are remembered: more than any network keeps blobs for. */
export const MAX_FOLLOWED_EPOCHS = 96;

/** An epoch whose header is believed. */
export interface FollowedEpoch {
  /** Its committee; `committee.office` is the header. */
  readonly committee: VerifiedSnapshot;
  /**
   * Bytes of the certificate that named it. The first one was trusted without; one that follows
   * without was proven by the state of a chain that the caller trusts.
   */
  readonly handover?: Uint8Array;
}

/** Two certificates by which one committee named two epochs to follow its own. */
export interface HandoverConflict {
  /** The epoch whose committee signed both. */
  readonly epoch: number;
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

/** What a light client knows of a network: epochs in order, each named by the one before. */
export interface EpochTrust {
  readonly network: Network;
  /** At least one and at most 96, oldest first. */
  readonly epochs: readonly FollowedEpoch[];
  /** Once there is one, nothing is followed or verified any more. */
  readonly conflict?: HandoverConflict;
}

/** A header and its committee that are believed without proof: read from the chain, or published. */
export interface TrustAnchor {
  readonly network: Network;
  readonly header: EpochHeader;
  readonly snapshot: Snapshot;
}

/**
 * Where following begins. How the header was come by is the one thing that nobody checks here.
 *
 * @throws {TrustError} TRUST_NOT_COMMITTEE; {QuorumError} SNAPSHOT_UNKNOWN if the header does not
 *   name the snapshot
 */
export function startTrust({ network, header, snapshot }: TrustAnchor): EpochTrust {
  return { network, epochs: [{ committee: committeeOf(snapshot, header) }] };
}

/**
 * A snapshot as the committee of an epoch.
 *
 * @throws {TrustError} TRUST_NOT_COMMITTEE; {QuorumError} SNAPSHOT_UNKNOWN
 */
export function committeeOf(snapshot: Snapshot, header: EpochHeader): VerifiedSnapshot {
  if (snapshot.quorumId === 0) return verifySnapshot(snapshot, header);
  throw new TrustError(
    { code: 'TRUST_NOT_COMMITTEE', quorumId: snapshot.quorumId },
    `the committee is quorum 0, not ${snapshot.quorumId}`,
  );
}

/** The newest epoch that is believed. */
export function headOf({ epochs }: EpochTrust): FollowedEpoch {
  const head = epochs.at(-1);
  if (head === undefined) throw new Error('trust without an epoch');
  return head;
}

/** A followed epoch. @throws {TrustError} TRUST_EPOCH_UNKNOWN */
export function requireEpoch(trust: EpochTrust, epoch: number): FollowedEpoch {
  const found = trust.epochs.find(({ committee }) => committee.office.epoch === epoch);
  if (found !== undefined) return found;
  const newest = headOf(trust).committee.office.epoch;
  const oldest = trust.epochs[0]?.committee.office.epoch ?? newest;
  throw new TrustError(
    { code: 'TRUST_EPOCH_UNKNOWN', epoch, oldest, newest },
    `epoch ${epoch} is not known here, epochs ${oldest} to ${newest} are`,
  );
}

/** @throws {TrustError} TRUST_STOPPED once two epochs were named to follow one */
export function assertUndivided({ conflict }: EpochTrust): void {
  if (conflict === undefined) return;
  throw new TrustError(
    { code: 'TRUST_STOPPED', epoch: conflict.epoch },
    `the committee of epoch ${conflict.epoch} named two epochs to follow: nothing is believed any more`,
  );
}
