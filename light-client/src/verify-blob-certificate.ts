import {
  type Committee,
  type Domain,
  parseCertificate,
  parseSnapshot,
  type TimeRule,
  type VerifiedBlobCertificate,
  type VerifiedSnapshot,
  verifyBlobCertificate as verifyAgainstSnapshot,
  verifyMembers,
  verifySnapshot,
} from '@cairn/attestation';
import { type LayoutNetwork, layoutOf } from '@cairn/erasure-codec';
import { assertUndivided, type EpochTrust, requireEpoch } from './epochs/epoch-trust.ts';
import type { TrustBackend } from './epochs/follow-handover.ts';
import { certifiedBlob, type SampledBlob } from './sampling/sampled-blob.ts';

/** A certificate with what else is needed to check it, as anyone may bring it. */
export interface CertificateOffer {
  /** A certificate of kind 1 or 5. */
  readonly certificate: Uint8Array;
  /** The quorum that signed, 256 bytes. */
  readonly snapshot: Uint8Array;
  /**
   * Bodies of all its members, 124 bytes each: for certificates that name absent ones by index, and
   * to know who holds which rows.
   */
  readonly members?: readonly Uint8Array[];
}

/** Where the blob should be, and when it is asked for. */
export interface CertificateContext {
  readonly entrance: Domain;
  readonly shardId: number;
  /** How the network lays blobs out. */
  readonly layout: LayoutNetwork;
  readonly time: TimeRule;
}

/** A blob that more than two thirds of a quorum's seats held, and what is needed to sample it. */
export interface CertifiedBlob {
  readonly certificate: VerifiedBlobCertificate;
  readonly blob: SampledBlob;
  readonly snapshot: VerifiedSnapshot;
  /** Where the members were brought. */
  readonly committee?: Committee;
}

/**
 * Checks a certificate, offline: its quorum is one that a followed epoch names, and it states the
 * blob in time, by more than two thirds of its seats. Nothing in the offer is believed.
 *
 * @throws {TrustError} TRUST_STOPPED, TRUST_EPOCH_UNKNOWN; {QuorumError} SNAPSHOT_UNKNOWN,
 *   MEMBERS_NOT_OF_SNAPSHOT; {SampleError} SAMPLE_LAYOUT; {CodecError} LAYOUT; and all that parsing and
 *   `verifyBlobCertificate` of `@cairn/attestation` throw
 */
export function verifyBlobCertificate(
  offer: CertificateOffer,
  trust: EpochTrust,
  { layout, ...about }: CertificateContext,
  backend: TrustBackend,
): CertifiedBlob {
  assertUndivided(trust);
  const parsed = parseCertificate(offer.certificate, backend);
  const { office } = requireEpoch(trust, parsed.epoch).committee;
  const snapshot = verifySnapshot(parseSnapshot(offer.snapshot, backend), office);
  // As many as the chain takes: half the data rows of the smallest blob.
  const maxMembers = layoutOf(0, layout).dataRows / 2;
  const context = { ...about, network: trust.network, snapshot, maxMembers };
  if (offer.members === undefined) {
    const certificate = verifyAgainstSnapshot(parsed, context, backend);
    return { certificate, blob: certifiedBlob(certificate, layout), snapshot };
  }
  const committee = verifyMembers(offer.members, snapshot);
  const certificate = verifyAgainstSnapshot(parsed, { ...context, committee }, backend);
  return { certificate, blob: certifiedBlob(certificate, layout), snapshot, committee };
}
