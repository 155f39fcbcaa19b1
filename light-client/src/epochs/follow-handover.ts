import {
  type BlsBackend,
  epochHeaderHash,
  parseCertificate,
  parseSnapshot,
  type QuorumContext,
  type VerifiedHandover,
  type VerifiedSnapshot,
  verifyHandover,
  verifyMembers,
} from '@cairn/attestation';
import { equalBytes } from '@cairn/primitives';
import { TrustError } from '../errors.ts';
import {
  assertUndivided,
  committeeOf,
  type EpochTrust,
  type HandoverConflict,
  MAX_FOLLOWED_EPOCHS,
  requireEpoch,
} from './epoch-trust.ts';

/** Bytes of a handover at most: a committee of 2,048 with a third of it absent stays below. */
export const MAX_HANDOVER_BYTES: number = 256 * 1024;

/** What names the next epoch, as anyone may bring it. */
export interface HandoverOffer {
  /** A certificate of kind 3. */
  readonly certificate: Uint8Array;
  /** The next epoch's committee, 256 bytes. */
  readonly snapshot: Uint8Array;
  /** Bodies of all members that could sign, for certificates that name absent ones by index. */
  readonly members?: readonly Uint8Array[];
}

/** How long a committee is believed, and by which clock. */
export interface TrustRules {
  /** Unix seconds of a clock that is right within `maxDriftSeconds`. */
  readonly nowSeconds: number;
  /** Seconds after an epoch's end for which its committee is believed: less than its stake stays locked. */
  readonly trustingSeconds: number;
  readonly maxDriftSeconds: number;
}

/** What checks signatures. */
export type TrustBackend = Pick<
  BlsBackend,
  'parseKey' | 'parseSignature' | 'subtractKeys' | 'verify'
>;

/**
 * Takes the next epoch from the committee of the last one. What is known already changes nothing;
 * another header than the one known for an epoch ends all trust, with both certificates as evidence.
 *
 * @returns the trust to store; with `conflict` if the offer showed one
 * @throws {TrustError} TRUST_STOPPED, TRUST_TOO_LARGE, TRUST_EPOCH_UNKNOWN, TRUST_EXPIRED,
 *   TRUST_IN_FUTURE, TRUST_NOT_COMMITTEE, TRUST_CHAIN_DIFFERS; {CertificateError} CERTIFICATE_NOT_NEXT and all else that
 *   `verifyHandover`, `verifyMembers` and `verifySnapshot` throw
 */
export function followHandover(
  trust: EpochTrust,
  offer: HandoverOffer,
  rules: TrustRules,
  backend: TrustBackend,
): EpochTrust {
  assertUndivided(trust);
  const { network, epochs } = trust;
  assertHandoverLength(offer.certificate);
  const certificate = parseCertificate(offer.certificate, backend);
  const { committee: signers } = requireEpoch(trust, certificate.epoch);
  assertBelieved(signers, rules);
  const context = contextOf(network, signers, offer.members);
  const { header } = verifyHandover(certificate, context, backend);
  const known = epochs.find(({ committee }) => committee.office.epoch === header.epoch);
  if (known !== undefined) {
    if (equalBytes(epochHeaderHash(header), epochHeaderHash(known.committee.office))) return trust;
    if (known.handover === undefined) throw chainDiffers(header.epoch);
    const second = offer.certificate.slice();
    return { ...trust, conflict: { epoch: certificate.epoch, first: known.handover, second } };
  }
  assertBegun(header, rules);
  const committee = committeeOf(parseSnapshot(offer.snapshot, backend), header);
  const next = { committee, handover: offer.certificate.slice() };
  return { network, epochs: [...epochs, next].slice(-MAX_FOLLOWED_EPOCHS) };
}

/**
 * Checks evidence that a committee named two epochs to follow its own: for anyone who knows the
 * committee.
 *
 * @returns both handovers
 * @throws {TrustError} TRUST_NO_CONFLICT if they name the same header, TRUST_TOO_LARGE; as
 *   `verifyHandover`
 */
export function verifyConflict(
  conflict: HandoverConflict,
  context: QuorumContext,
  backend: TrustBackend,
): readonly [VerifiedHandover, VerifiedHandover] {
  const [first, second] = [conflict.first, conflict.second].map((bytes) => {
    assertHandoverLength(bytes);
    return verifyHandover(parseCertificate(bytes, backend), context, backend);
  }) as [VerifiedHandover, VerifiedHandover];
  if (!equalBytes(epochHeaderHash(first.header), epochHeaderHash(second.header))) {
    return [first, second];
  }
  throw new TrustError(
    { code: 'TRUST_NO_CONFLICT', epoch: conflict.epoch },
    `both certificates of epoch ${conflict.epoch} name the same header: they are evidence of nothing`,
  );
}

/** The chain and the committee before say different things about an epoch. */
export function chainDiffers(epoch: number): TrustError {
  return new TrustError(
    { code: 'TRUST_CHAIN_DIFFERS', epoch },
    `the header of epoch ${epoch} that the chain sealed is not the one that is known: one of them is wrong`,
  );
}

function contextOf(
  network: EpochTrust['network'],
  snapshot: VerifiedSnapshot,
  members: readonly Uint8Array[] | undefined,
): QuorumContext {
  if (members === undefined) return { network, snapshot };
  return { network, snapshot, committee: verifyMembers(members, snapshot) };
}

function assertHandoverLength({ length }: Uint8Array): void {
  if (length <= MAX_HANDOVER_BYTES) return;
  throw new TrustError(
    { code: 'TRUST_TOO_LARGE', what: 'handover', length, max: MAX_HANDOVER_BYTES },
    `a handover has ${MAX_HANDOVER_BYTES} bytes at most, not ${length}`,
  );
}

/** @throws {TrustError} TRUST_EXPIRED for a committee whose stake may be free */
export function assertBelieved(
  { office }: VerifiedSnapshot,
  { nowSeconds, trustingSeconds }: TrustRules,
): void {
  const untilSeconds = office.endSeconds + trustingSeconds;
  if (nowSeconds <= untilSeconds) return;
  throw new TrustError(
    { code: 'TRUST_EXPIRED', epoch: office.epoch, untilSeconds, nowSeconds },
    `the committee of epoch ${office.epoch} was believed until ${untilSeconds}, and it is ${nowSeconds}`,
  );
}

/** @throws {TrustError} TRUST_IN_FUTURE */
export function assertBegun(
  { epoch, startSeconds }: VerifiedHandover['header'],
  { nowSeconds, maxDriftSeconds }: TrustRules,
): void {
  if (startSeconds <= nowSeconds + maxDriftSeconds) return;
  throw new TrustError(
    { code: 'TRUST_IN_FUTURE', epoch, startSeconds, nowSeconds, maxDriftSeconds },
    `epoch ${epoch} begins at ${startSeconds}, more than ${maxDriftSeconds} seconds after ${nowSeconds}`,
  );
}
