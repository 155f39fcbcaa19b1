/** BLS signatures, seats by sortition, quorums and their certificates: all of it pure. */
export {
  BLOB_HEADER_BYTES,
  BLOB_HEADER_VERSION,
  type BlobHeader,
  encodeBlobHeader,
  type PromiseSlot,
  parseBlobHeader,
  promisedIndex,
  promiseSlotOf,
} from './blob-header.ts';
export {
  type BlsBackend,
  COMPRESSED_KEY_BYTES,
  EXPANDED_SIGNATURE_BYTES,
  KEY_BYTES,
  type PublicKey,
  SECRET_BYTES,
  SIGNATURE_BYTES,
  type Signature,
  type SigningKey,
} from './bls-backend.ts';
export {
  type Certificate,
  encodeCertificate,
  parseCertificate,
  type SignerList,
  shortestSigners,
} from './certificate.ts';
export { type CertifyOptions, certify, membersAbsent } from './certify.ts';
export {
  CHECKPOINT_BYTES,
  type Checkpoint,
  checkpointHash,
  encodeCheckpoint,
  parseCheckpoint,
} from './checkpoint.ts';
export {
  type CertifiedBlob,
  type LoggedFile,
  type OrderedCheckpoint,
  type OrderState,
  type VerifiedBlobContent,
  type VerifiedCheckpoint,
  type VerifiedFileContent,
  verifyBlobContent,
  verifyFileContent,
  verifyOrderedCheckpoint,
} from './content-proof.ts';
export {
  DA_LOG_LEAF_BYTES,
  DA_LOG_LEAF_WITH_VOIDS_BYTES,
  DA_LOG_TYPES,
  type DaLogLeaf,
  encodeDaLogLeaf,
  parseDaLogLeaf,
} from './da-log-leaf.ts';
export {
  type Network,
  type PossessionClaim,
  possessionDigest,
  type SignableDigest,
  statementDigest,
  type TicketRound,
  ticketDigest,
} from './digests.ts';
export {
  EPOCH_HEADER_BYTES,
  type EpochHeader,
  encodeEpochHeader,
  epochHeaderHash,
  parseEpochHeader,
  quorumsOf,
} from './epoch-header.ts';
export {
  checkpointNumberOf,
  type Evidence,
  findEquivocation,
  type SlasherCheckpoint,
  type SlasherDomain,
  type SlasherEpochHeader,
  type SlasherHeader,
  type SlasherVote,
  type SlotClaim,
  slotOf,
} from './equivocation.ts';
export {
  BlsError,
  type BlsFault,
  CertificateError,
  type CertificateFault,
  ContentError,
  type ContentFault,
  DaLogError,
  type DaLogFault,
  MessageError,
  type MessageFault,
  PathError,
  type PathFault,
  QuorumError,
  type QuorumFault,
  SeatError,
  type SeatFault,
} from './errors.ts';
export {
  type DaLogProof,
  type DaLogState,
  type LoggedBatch,
  requireCounted,
  type VerifiedDaLogLeaf,
  verifyDaLogLeaf,
  voidWordsOf,
} from './logged-batch.ts';
export { encodeMember, MEMBER_BYTES, type Member } from './member.ts';
export {
  type LeafClaim,
  leafHash,
  nodeHash,
  rootOfPath,
  treeDepth,
  treePath,
  treeRoot,
} from './merkle-tree.ts';
export { type LeavesClaim, multiproof, type PlacedLeaf, rootOfMultiproof } from './multiproof.ts';
export { nobleBackend } from './noble-backend.ts';
export {
  KEY_WORDS_BYTES,
  keyFromWords,
  keyToStorageWords,
  keyToWords,
  SIGNATURE_WORDS_BYTES,
  signatureFromWords,
  signatureToWords,
} from './points.ts';
export { provePossession, verifyPossession } from './possession.ts';
export {
  type Absence,
  assertQuorum,
  checkQuorum,
  isQuorum,
  type Signers,
  signersOf,
} from './quorum.ts';
export {
  type EpochDraw,
  type RegisteredSigner,
  type SeatedEpoch,
  type SeatedGroup,
  type SeatParams,
  seatEpoch,
} from './seat-model.ts';
export { largestAdversary, log2SeatOdds, type SeatOdds, type ShareQuestion } from './seat-odds.ts';
export {
  encodeServedEntry,
  parseServedEntry,
  SERVED_ENTRY_BYTES,
  type ServedEntry,
} from './served-entry.ts';
export { type SignedLeaf, type VerifiedSignedLeaf, verifySignedLeaf } from './signed-leaf.ts';
export {
  type Committee,
  encodeSnapshot,
  parseSnapshot,
  SNAPSHOT_BYTES,
  type Snapshot,
  snapshotHash,
  type VerifiedSnapshot,
  verifyMembers,
  verifySnapshot,
} from './snapshot.ts';
export {
  type BlobPlace,
  type ContributorDraw,
  type Draw,
  type DrawnSeats,
  drawSeats,
  isContributor,
  nextSeed,
  quorumCount,
  quorumOfBlob,
  type SeatPlan,
  type SeedParts,
  seatThreshold,
  xorBetas,
} from './sortition.ts';
export {
  type Domain,
  STATEMENT_KINDS,
  type Statement,
  type StatementKind,
} from './statement.ts';
export {
  betaOf,
  signTicket,
  type Ticket,
  type TicketContext,
  type VerifiedTicket,
  verifyTicket,
} from './ticket.ts';
export {
  type BlobContext,
  type CertifiedStatement,
  type CheckpointContext,
  type QuorumContext,
  type ServedContext,
  type TimeRule,
  type VerifiedBlobCertificate,
  type VerifiedCheckpointCertificate,
  type VerifiedHandover,
  type VerifiedServedCertificate,
  verifyBlobCertificate,
  verifyCheckpointCertificate,
  verifyHandover,
  verifyServedCertificate,
} from './verify-certificate.ts';
export {
  signStatement,
  sumVotes,
  type VerifiedAggregate,
  type VerifiedVote,
  type Vote,
  type VoteContext,
  verifyVote,
  verifyVotes,
  weightOf,
} from './vote.ts';
