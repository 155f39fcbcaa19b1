import { equalBytes, keccak256 } from '@cairn/primitives';
import { absentIn } from './absent-members.ts';
import { type BlobHeader, parseBlobHeader, promiseSlotOf } from './blob-header.ts';
import type { BlsBackend } from './bls-backend.ts';
import { type Certificate, statementOf } from './certificate.ts';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import { type Network, type SignableDigest, statementDigest } from './digests.ts';
import { type EpochHeader, epochHeaderHash, parseEpochHeader, quorumsOf } from './epoch-header.ts';
import { CertificateError } from './errors.ts';
import { type LoggedBatch, requireCounted } from './logged-batch.ts';
import { leafHash, rootOfPath } from './merkle-tree.ts';
import { checkQuorum } from './quorum.ts';
import { parseServedEntry, type ServedEntry } from './served-entry.ts';
import type { Committee, VerifiedSnapshot } from './snapshot.ts';
import { quorumOfBlob } from './sortition.ts';
import { type Domain, STATEMENT_KINDS, type Statement } from './statement.ts';

declare const verified: unique symbol;

/** What every verified certificate tells of its quorum. */
export interface CertifiedStatement {
  readonly statement: Statement;
  /** Names the certificate, whatever its bytes. */
  readonly digest: SignableDigest;
  readonly signedWeight: bigint;
  readonly totalWeight: bigint;
}

/** A quorum held the rows of this blob. Only `verifyBlobCertificate` makes one. */
export type VerifiedBlobCertificate = CertifiedStatement & {
  readonly header: BlobHeader;
  /** Whether it was promised, rather than submitted on chain. */
  readonly isPromised: boolean;
  readonly [verified]: 'blob';
};

/** A committee named the next epoch. Only `verifyHandover` makes one. */
export type VerifiedHandover = CertifiedStatement & {
  readonly header: EpochHeader;
  readonly [verified]: 'handover';
};

/** A committee said what a shard's chain held. Only `verifyCheckpointCertificate` makes one. */
export type VerifiedCheckpointCertificate = CertifiedStatement & {
  readonly checkpoint: Checkpoint;
  readonly [verified]: 'checkpoint';
};

/** A quorum saw how a holder did in a period. Only `verifyServedCertificate` makes one. */
export type VerifiedServedCertificate = CertifiedStatement & {
  readonly entry: ServedEntry;
  readonly [verified]: 'served';
};

/** The quorum that a verifier asks about. */
export interface QuorumContext {
  readonly network: Network;
  /** The group that had to sign, in the epoch in which it had to. */
  readonly snapshot: VerifiedSnapshot;
  /** Its members, for certificates that name the absent ones by index. */
  readonly committee?: Committee;
}

/**
 * When a certificate of blobs is looked at. A committee's stake is free some time after its epoch:
 * what it signs later costs it nothing.
 */
export type TimeRule =
  /** By a clock that is trusted, or the time of the block that carried it; both in unix seconds. */
  | { readonly trustedTimeSeconds: number; readonly graceSeconds: number }
  /** Whoever asks has seen its batch confirmed on chain, which took it in time, and its leaf not void. */
  | { readonly isConfirmed: true }
  /** The log of the entrance has its batch, taken in time; a void leaf is refused. */
  | { readonly logged: LoggedBatch };

/** Where a blob should be, and when it is asked for. */
export interface BlobContext extends QuorumContext {
  /** The DA entrance asked about, and the consensus shard it serves. */
  readonly entrance: Domain;
  readonly shardId: number;
  /** Members of a quorum at most: half the data rows of the network's smallest blob. */
  readonly maxMembers: number;
  readonly time: TimeRule;
}

/** The contract that orders checkpoints, and when a certificate of one is looked at. */
export interface CheckpointContext extends QuorumContext {
  readonly orderingHub: Domain;
  /** By a clock that is trusted, unix seconds. */
  readonly trustedTimeSeconds: number;
  readonly graceSeconds: number;
}

/** The contract that pays for served rows. */
export interface ServedContext extends QuorumContext {
  readonly mining: Domain;
}

type Verifier = Pick<BlsBackend, 'subtractKeys' | 'verify'>;

/**
 * Proves with nothing but an epoch's snapshot that more than two thirds of a quorum's seats held a
 * blob: its header lies under the root, the root was stated for this hub, entrance, epoch and the
 * quorum that the blob falls to, and in time. One pairing check; what is cheaper comes first.
 *
 * Says nothing about its being kept still: `header.expirySeconds` tells until when.
 *
 * @throws {CertificateError} CERTIFICATE_FOREIGN, CERTIFICATE_WRONG_KIND, CERTIFICATE_WRONG_QUORUM,
 *   CERTIFICATE_TOO_MANY_MEMBERS, CERTIFICATE_TOO_OLD, CERTIFICATE_NEEDS_MEMBERS
 * @throws {QuorumError} MEMBER_INDEX, NON_SIGNER_PROOF, WEIGHT_TOO_LOW, SIGNATURE_WRONG
 * @throws {DaLogError} DA_LOG_LEAF_VOID, DA_LOG_VOIDS, DA_LOG_NO_BATCH
 * @throws {MessageError} for a header or bitmap that is none; {PathError}; {BlsError} BLS_IDENTITY
 */
export function verifyBlobCertificate(
  certificate: Certificate,
  context: BlobContext,
  backend: Verifier,
): VerifiedBlobCertificate {
  const { kind } = certificate;
  const isPromised = kind === STATEMENT_KINDS.promisedBatch;
  if (!isPromised && kind !== STATEMENT_KINDS.batch) throw wrongKind(certificate, 'about a blob');
  assertAbout(certificate, context.entrance, context);
  const header = parseBlobHeader(certificate.body);
  assertBlob(header, isPromised, certificate, context);
  assertSize(context);
  if ('logged' in context.time) assertLogged(certificate, context.time.logged);
  else assertInTime(context.time, context);
  const proven = { ...proveStatement(certificate, context, backend), header, isPromised };
  return proven as VerifiedBlobCertificate;
}

/**
 * Proves that the committee of an epoch named the header of the one that follows. How long a
 * committee is believed after its epoch is for the caller: it follows headers in order, against its
 * own clock.
 *
 * @throws {CertificateError} CERTIFICATE_NOT_NEXT and, as {QuorumError}, {MessageError} and
 *   {BlsError}, what `verifyBlobCertificate` throws
 */
export function verifyHandover(
  certificate: Certificate,
  context: QuorumContext,
  backend: Verifier,
): VerifiedHandover {
  const { network, snapshot } = context;
  if (certificate.kind !== STATEMENT_KINDS.handover) throw wrongKind(certificate, 'a handover');
  assertAbout(certificate, { chainId: network.hubChainId, address: network.hub }, context);
  if (snapshot.quorumId !== 0) throw foreign('quorum', certificate);
  const header = parseEpochHeader(certificate.body);
  const expected = snapshot.office.epoch + 1;
  const follows = equalBytes(header.previous, epochHeaderHash(snapshot.office));
  if (header.epoch !== expected || !follows) {
    throw new CertificateError(
      { code: 'CERTIFICATE_NOT_NEXT', epoch: header.epoch, expected },
      `epoch ${header.epoch} does not follow epoch ${snapshot.office.epoch} as it is known here`,
    );
  }
  return { ...proveStatement(certificate, context, backend), header } as VerifiedHandover;
}

/**
 * Proves that the committee of an epoch said what a shard's chain held at the end of a block, and said
 * so while its stake was bound. A checkpoint that is signed is final only once it is ordered: two
 * committees could sign two contents of one number, of which the hub orders the first.
 *
 * @throws what `verifyHandover` throws, but for CERTIFICATE_NOT_NEXT; {CertificateError}
 *   CERTIFICATE_TOO_OLD
 */
export function verifyCheckpointCertificate(
  certificate: Certificate,
  context: CheckpointContext,
  backend: Verifier,
): VerifiedCheckpointCertificate {
  const { kind } = certificate;
  if (kind !== STATEMENT_KINDS.checkpoints) throw wrongKind(certificate, 'about a checkpoint');
  assertAbout(certificate, context.orderingHub, context);
  if (context.snapshot.quorumId !== 0) throw foreign('quorum', certificate);
  const checkpoint = parseCheckpoint(certificate.body);
  assertInTime(context, context);
  const proven = { ...proveStatement(certificate, context, backend), checkpoint };
  return proven as VerifiedCheckpointCertificate;
}

/**
 * Proves that a quorum reported how a holder did.
 *
 * @throws what `verifyBlobCertificate` throws, but for time and quorum
 */
export function verifyServedCertificate(
  certificate: Certificate,
  context: ServedContext,
  backend: Verifier,
): VerifiedServedCertificate {
  if (certificate.kind !== STATEMENT_KINDS.served) throw wrongKind(certificate, 'a served report');
  assertAbout(certificate, context.mining, context);
  const entry = parseServedEntry(certificate.body);
  return { ...proveStatement(certificate, context, backend), entry } as VerifiedServedCertificate;
}

/** The quorum's part: from body and path to the signature. */
function proveStatement(
  certificate: Certificate,
  context: QuorumContext,
  backend: Verifier,
): CertifiedStatement {
  const { snapshot } = context;
  const statement = statementOf(certificate, rootOf(certificate));
  const digest = statementDigest(certificate.network, statement);
  const absence = absentIn(certificate.signers, context);
  const signed = { digest, signature: certificate.signature };
  const signedWeight = checkQuorum(signed, snapshot, absence, backend);
  return { statement, digest, signedWeight, totalWeight: snapshot.totalWeight };
}

/** The root of a statement. A handover's is the plain hash of its header. */
function rootOf({ kind, body, leafIndex, count, path }: Certificate): Uint8Array {
  if (kind === STATEMENT_KINDS.handover) return keccak256(body);
  return rootOfPath({ leaf: leafHash(body), index: leafIndex, count, path });
}

function assertAbout(
  certificate: Certificate,
  wanted: Domain,
  { network, snapshot }: QuorumContext,
): void {
  const { domain } = certificate;
  const isOfHub =
    certificate.network.hubChainId === network.hubChainId &&
    certificate.network.hub === network.hub;
  if (!isOfHub) throw foreign('hub', certificate);
  const isOfDomain = domain.chainId === wanted.chainId && domain.address === wanted.address;
  if (!isOfDomain) throw foreign('domain', certificate);
  if (certificate.epoch !== snapshot.office.epoch) throw foreign('epoch', certificate);
  if (certificate.quorumId !== snapshot.quorumId) throw foreign('quorum', certificate);
}

function assertBlob(
  header: BlobHeader,
  isPromised: boolean,
  certificate: Certificate,
  { snapshot, shardId }: BlobContext,
): void {
  const { office, quorumId } = snapshot;
  if (header.shardId !== shardId) throw foreign('shard', certificate);
  const slot = promiseSlotOf(header.submissionIndex);
  if ((slot !== undefined) !== isPromised || (slot?.epoch ?? office.epoch) !== office.epoch) {
    throw wrongKind(certificate, `about blob ${header.submissionIndex}`);
  }
  const place = slot === undefined ? header : { payer: header.submitter, slot: slot.slot };
  const expected = quorumOfBlob(office.seed, place, quorumsOf(office));
  if (expected === quorumId) return;
  throw new CertificateError(
    { code: 'CERTIFICATE_WRONG_QUORUM', quorumId, expected },
    `blob ${header.submissionIndex} falls to quorum ${expected}, not to ${quorumId}`,
  );
}

function assertSize({ maxMembers, snapshot }: BlobContext): void {
  const { memberCount: members, quorumId, office } = snapshot;
  if (members <= maxMembers) return;
  throw new CertificateError(
    { code: 'CERTIFICATE_TOO_MANY_MEMBERS', members, maxMembers },
    `quorum ${quorumId} of epoch ${office.epoch} has ${members} members, and rows are laid out for ${maxMembers}`,
  );
}

function assertInTime(
  time: Exclude<TimeRule, { readonly logged: LoggedBatch }>,
  { snapshot }: QuorumContext,
): void {
  if ('isConfirmed' in time) return;
  const untilSeconds = snapshot.office.endSeconds + time.graceSeconds;
  const { trustedTimeSeconds } = time;
  if (trustedTimeSeconds <= untilSeconds) return;
  throw new CertificateError(
    { code: 'CERTIFICATE_TOO_OLD', trustedTimeSeconds, untilSeconds },
    `at ${trustedTimeSeconds} a certificate that was good until ${untilSeconds} needs its confirmation on chain`,
  );
}

function assertLogged(certificate: Certificate, logged: LoggedBatch): void {
  const { epoch, quorumId, count, leafIndex } = certificate;
  const { leaf } = logged;
  const isSame = leaf.epoch === epoch && leaf.quorumId === quorumId && leaf.count === count;
  if (!isSame || !equalBytes(leaf.batchRoot, rootOf(certificate))) {
    throw foreign('batch', certificate);
  }
  requireCounted(logged, leafIndex);
}

function wrongKind({ kind, epoch }: Certificate, what: string): CertificateError {
  return new CertificateError(
    { code: 'CERTIFICATE_WRONG_KIND', kind },
    `a statement of kind ${kind} in epoch ${epoch} cannot be ${what}`,
  );
}

function foreign(
  what: 'hub' | 'domain' | 'epoch' | 'quorum' | 'shard' | 'batch',
  { epoch, quorumId }: Certificate,
): CertificateError {
  return new CertificateError(
    { code: 'CERTIFICATE_FOREIGN', what },
    `a certificate of quorum ${quorumId} in epoch ${epoch} is of another ${what} than was asked about`,
  );
}
