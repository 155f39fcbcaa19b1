import { type Address, Fault } from '@cairn/primitives';

/** What can be wrong with keys and points. */
export type BlsFault =
  /** Bytes that are not a point of the right group in its one canonical form. */
  | { readonly code: 'BLS_NOT_A_KEY'; readonly lengthBytes: number }
  | { readonly code: 'BLS_NOT_A_SIGNATURE'; readonly lengthBytes: number }
  /** Not 32 bytes, zero, or not below the group's order. Its bytes are never told. */
  | { readonly code: 'BLS_NOT_A_SECRET'; readonly lengthBytes: number }
  /** Material for a key with fewer than 32 bytes. */
  | { readonly code: 'BLS_SHORT_MATERIAL'; readonly lengthBytes: number }
  /** A sum that is the identity, which verifies anything or nothing. */
  | { readonly code: 'BLS_IDENTITY'; readonly points: number }
  | { readonly code: 'BLS_NOTHING_TO_ADD' };

/** A key, a signature or a sum of them that is not one. */
export class BlsError extends Fault<BlsFault> {}

/** What can be wrong with the bytes of a message. */
export type MessageFault =
  /** Bytes missing, or bytes left over. */
  | {
      readonly code: 'MESSAGE_LENGTH';
      readonly what: string;
      readonly expectedBytes: number;
      readonly actualBytes: number;
    }
  /** A number beyond what is counted exactly, or beyond its bound. */
  | {
      readonly code: 'MESSAGE_NUMBER';
      readonly what: string;
      readonly value: bigint;
      readonly max: bigint;
    }
  /** A field that has one legal value, or a few. */
  | { readonly code: 'MESSAGE_FIELD'; readonly what: string; readonly value: bigint }
  /** Indexes that do not rise. */
  | { readonly code: 'MESSAGE_ORDER'; readonly what: string; readonly index: number };

/** Bytes that are not a message in its one canonical form. */
export class MessageError extends Fault<MessageFault> {}

/** What can be wrong with a path or a set of leaves. */
export type PathFault =
  | { readonly code: 'PATH_INDEX'; readonly index: number; readonly count: number }
  | {
      readonly code: 'PATH_LENGTH';
      readonly count: number;
      readonly expected: number;
      readonly actual: number;
    }
  /** Indexes of several leaves that do not rise. */
  | { readonly code: 'PATH_ORDER'; readonly index: number; readonly previous: number };

/** A path of another form than its tree has. */
export class PathError extends Fault<PathFault> {}

/** What can be wrong with seats, members and their votes. */
export type QuorumFault =
  /** A snapshot that its epoch's header does not name. */
  | { readonly code: 'SNAPSHOT_UNKNOWN'; readonly epoch: number; readonly quorumId: number }
  /** A list of members that is not the snapshot's. */
  | { readonly code: 'MEMBERS_NOT_OF_SNAPSHOT'; readonly what: 'count' | 'root' }
  /** An absent member that is none, or is not proven to be one. */
  | { readonly code: 'MEMBER_INDEX'; readonly index: number; readonly memberCount: number }
  | { readonly code: 'NON_SIGNER_PROOF' }
  /** Not more than two thirds of the seats signed. */
  | {
      readonly code: 'WEIGHT_TOO_LOW';
      readonly signedWeight: bigint;
      readonly totalWeight: bigint;
    }
  /** A signature that does not belong to its digest and key. */
  | { readonly code: 'SIGNATURE_WRONG'; readonly what: string }
  /** Votes for different statements, or two of one member, in one sum. */
  | { readonly code: 'VOTES_DIFFER' }
  | { readonly code: 'VOTE_TWICE'; readonly index: number };

/** Seats, members or votes that do not make what they claim to. */
export class QuorumError extends Fault<QuorumFault> {}

/** What can be wrong with a certificate beyond its form and its quorum. */
export type CertificateFault =
  /** A statement of another network, domain, epoch, quorum or batch than the verifier asked about. */
  | {
      readonly code: 'CERTIFICATE_FOREIGN';
      readonly what: 'hub' | 'domain' | 'epoch' | 'quorum' | 'shard' | 'batch';
    }
  /** Trusted time is past the epoch's end and grace, when its committee's stake may be free. */
  | {
      readonly code: 'CERTIFICATE_TOO_OLD';
      readonly trustedTimeSeconds: number;
      readonly untilSeconds: number;
    }
  /** A blob that another quorum of the epoch had to sign. */
  | {
      readonly code: 'CERTIFICATE_WRONG_QUORUM';
      readonly quorumId: number;
      readonly expected: number;
    }
  /** A quorum of more members than the smallest blob has rows for, which the chain takes nothing from. */
  | {
      readonly code: 'CERTIFICATE_TOO_MANY_MEMBERS';
      readonly members: number;
      readonly maxMembers: number;
    }
  /** A promised blob in a batch of submitted ones, the other way round, or a promise of another epoch. */
  | { readonly code: 'CERTIFICATE_WRONG_KIND'; readonly kind: number }
  /** A next epoch that does not follow the one whose committee signed. */
  | { readonly code: 'CERTIFICATE_NOT_NEXT'; readonly epoch: number; readonly expected: number }
  /** It names absent members only, and the verifier holds no list of members. */
  | { readonly code: 'CERTIFICATE_NEEDS_MEMBERS'; readonly epoch: number }
  /** More hashes than the proof of any group has. */
  | {
      readonly code: 'CERTIFICATE_SIBLINGS';
      readonly siblings: number;
      readonly maxSiblings: number;
    };

/** A certificate that proves nothing, or not that which was asked. */
export class CertificateError extends Fault<CertificateFault> {}

/** What can be wrong with what is said of a shard's DA log. */
export type DaLogFault =
  /** Not a leaf of the log. */
  | { readonly code: 'DA_LOG_FOREIGN'; readonly index: number; readonly count: number }
  /** A leaf of the log that tells of no batch. */
  | { readonly code: 'DA_LOG_NO_BATCH'; readonly type: number }
  /** Not the void words that a leaf of the log names. */
  | {
      readonly code: 'DA_LOG_VOIDS';
      readonly expectedBytes: number;
      readonly actualBytes: number;
    }
  /** A leaf of a confirmed batch that was not paid for: nobody has to keep its blob. */
  | { readonly code: 'DA_LOG_LEAF_VOID'; readonly leafIndex: number; readonly count: number };

/** A DA log that does not say what it is claimed to. */
export class DaLogError extends Fault<DaLogFault> {}

/** What can be wrong with what is said of a shard's content. */
export type ContentFault =
  /** Not a checkpoint of the order, or not at this place. */
  | { readonly code: 'CONTENT_NOT_ORDERED'; readonly globalIndex: number; readonly count: number }
  /** Not in the log, or in the batch, that it is said to be in. */
  | {
      readonly code: 'CONTENT_NOT_LOGGED';
      readonly what: 'file' | 'blob';
      readonly index: number;
      readonly count: number;
    }
  /** The hub's own checkpoint, which proves no files. */
  | { readonly code: 'CONTENT_HUB_HAS_NO_LOG' }
  | { readonly code: 'CONTENT_OTHER_SHARD'; readonly shardId: number; readonly expected: number }
  | { readonly code: 'CONTENT_OTHER_EPOCH'; readonly epoch: number; readonly expected: number }
  /** Certified by another quorum than the blob falls to. */
  | { readonly code: 'CONTENT_OTHER_QUORUM'; readonly quorumId: number; readonly expected: number };

/** A file or blob that a shard does not have as it is claimed to. */
export class ContentError extends Fault<ContentFault> {}

/** What can be wrong with tickets and the numbers that seats are drawn by. */
export type SeatFault =
  | { readonly code: 'TICKET_WRONG'; readonly signer: Address }
  | { readonly code: 'SIGNER_TWICE'; readonly signer: Address };

/** A ticket or a register of votes that seats nobody. */
export class SeatError extends Fault<SeatFault> {}
