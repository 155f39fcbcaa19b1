import assert from 'node:assert/strict';
import { encodeCertificate, nobleBackend } from '@cairn/attestation';
import { isFault } from '@cairn/primitives';
import { type EpochTrust, startTrust } from '../src/epochs/epoch-trust.ts';
import { followHandover } from '../src/epochs/follow-handover.ts';
import {
  type CertificateContext,
  type CertificateOffer,
  verifyBlobCertificate,
} from '../src/verify-blob-certificate.ts';
import { headerOfBlob, honestBlob, offered, offerOf } from './support/blobs.ts';
import {
  BLST,
  blobCertificateOf,
  ENTRANCE,
  EPOCH_SECONDS,
  handoverOf,
  NETWORK,
  nextGroup,
  SHARD_ID,
  START_SECONDS,
  testGroup,
} from './support/committees.ts';

const LAYOUT = { cosets: 3, minLog2K: 6 };
const GRACE_SECONDS = 120;
const FIRST = testGroup([2, 1, 1, 1, 1]);
const SECOND = nextGroup(FIRST, [1, 1, 1]);
const BLOB = await honestBlob(3000, LAYOUT);

const anchored = startTrust({
  network: NETWORK,
  header: FIRST.header,
  snapshot: FIRST.committee.snapshot,
});

function context(change: Partial<CertificateContext> = {}): CertificateContext {
  const time = { trustedTimeSeconds: START_SECONDS + 10, graceSeconds: GRACE_SECONDS };
  return { entrance: ENTRANCE, shardId: SHARD_ID, layout: LAYOUT, time, ...change };
}

function refuses(
  code: string,
  offer: CertificateOffer,
  change: Partial<CertificateContext> = {},
  trust: EpochTrust = anchored,
): void {
  assert.throws(
    () => verifyBlobCertificate(offer, trust, context(change), BLST),
    (error) => {
      assert.ok(isFault(error, code), `${code}, not ${String(error)}`);
      return true;
    },
  );
}

describe('verifying a certificate of a blob offline', () => {
  it('takes bytes and the epochs that are known, with both backends', () => {
    const offer = offerOf(FIRST, BLOB);
    for (const backend of [BLST, nobleBackend()]) {
      const { certificate, blob, committee } = verifyBlobCertificate(
        offer,
        anchored,
        context(),
        backend,
      );
      assert.deepEqual(certificate.header.commitment, BLOB.commitment);
      assert.equal(certificate.signedWeight, 6n);
      assert.deepEqual(blob.layout, BLOB.layout);
      assert.deepEqual(blob.quorum, { epoch: 7, quorumId: 0 });
      assert.deepEqual(committee?.members, FIRST.committee.members);
    }
  });

  it('needs no members where the certificate brings the absent ones', () => {
    const headers = [headerOfBlob(BLOB, { submissionIndex: 4n }), headerOfBlob(BLOB)];
    const certificate = blobCertificateOf(FIRST, headers, { absent: [3], leafIndex: 1 });
    const { certificate: bytes, snapshot } = offered(FIRST, certificate);
    const found = verifyBlobCertificate(
      { certificate: bytes, snapshot },
      anchored,
      context(),
      BLST,
    );
    assert.equal(found.certificate.signedWeight, 5n);
    assert.equal(found.committee, undefined);
  });

  it('goes by the clock until grace is over, and by the chain afterwards', () => {
    const offer = offerOf(FIRST, BLOB);
    const last = START_SECONDS + EPOCH_SECONDS + GRACE_SECONDS;
    const at = (trustedTimeSeconds: number) => ({
      time: { trustedTimeSeconds, graceSeconds: GRACE_SECONDS },
    });
    verifyBlobCertificate(offer, anchored, context(at(last)), BLST);
    refuses('CERTIFICATE_TOO_OLD', offer, at(last + 1));
    verifyBlobCertificate(offer, anchored, context({ time: { isConfirmed: true } }), BLST);
  });

  it('takes certificates of every epoch that was followed, and of no other', () => {
    const rules = {
      nowSeconds: START_SECONDS + EPOCH_SECONDS,
      trustingSeconds: EPOCH_SECONDS,
      maxDriftSeconds: 60,
    };
    const later = offerOf(SECOND, BLOB);
    refuses('TRUST_EPOCH_UNKNOWN', later);
    const followed = followHandover(anchored, handoverOf(FIRST, SECOND), rules, BLST);
    for (const offer of [later, offerOf(FIRST, BLOB)]) {
      verifyBlobCertificate(offer, followed, context(), BLST);
    }
    const other = nextGroup(FIRST, [9]);
    const divided = followHandover(followed, handoverOf(FIRST, other), rules, BLST);
    refuses('TRUST_STOPPED', later, {}, divided);
  });

  it('believes nothing in the offer', () => {
    const offer = offerOf(FIRST, BLOB);
    const second = offerOf(SECOND, BLOB);
    refuses('SNAPSHOT_UNKNOWN', { ...offer, snapshot: second.snapshot });
    refuses('MEMBERS_NOT_OF_SNAPSHOT', { ...offer, members: second.members });
    const flipped = offer.certificate.slice();
    flipped[90] = (flipped[90] ?? 0) ^ 1; // in the commitment
    refuses('SIGNATURE_WRONG', { ...offer, certificate: flipped });
    refuses('CERTIFICATE_FOREIGN', offer, { shardId: SHARD_ID + 1 });
    refuses('CERTIFICATE_FOREIGN', offer, { entrance: { ...ENTRANCE, address: NETWORK.hub } });
    refuses('CERTIFICATE_WRONG_KIND', {
      ...offer,
      certificate: handoverOf(FIRST, SECOND).certificate,
    });
    const certificate = blobCertificateOf(FIRST, [headerOfBlob(BLOB)]);
    const short = encodeCertificate({ ...certificate, signers: { mode: 'absent', indexes: [] } });
    verifyBlobCertificate({ ...offer, certificate: short }, anchored, context(), BLST);
  });

  it('refuses a quorum with more members than half the rows of the smallest blob', () => {
    const large = testGroup(Array.from({ length: 33 }, () => 1));
    const trust = startTrust({
      network: NETWORK,
      header: large.header,
      snapshot: large.committee.snapshot,
    });
    refuses('CERTIFICATE_TOO_MANY_MEMBERS', offerOf(large, BLOB), {}, trust);
  });

  it('refuses a header whose layout is not the one of its length', () => {
    refuses('SAMPLE_LAYOUT', offerOf(FIRST, BLOB, { log2K: 8 }));
    refuses('SAMPLE_LAYOUT', offerOf(FIRST, BLOB, { cosets: 2 }));
    refuses('SAMPLE_LAYOUT', offerOf(FIRST, BLOB, { rowSizeBytes: 128 }));
    refuses('SAMPLE_LAYOUT', offerOf(FIRST, BLOB, { suite: 2 }));
    refuses('SAMPLE_LAYOUT', offerOf(FIRST, BLOB), { layout: { cosets: 3, minLog2K: 8 } });
  });
});
