import assert from 'node:assert/strict';
import {
  encodeCertificate,
  encodeEpochHeader,
  encodeSnapshot,
  epochHeaderHash,
  nobleBackend,
  parseCertificate,
  shortestSigners,
} from '@cairn/attestation';
import { chainIdOf, isFault, keccak256 } from '@cairn/primitives';
import {
  type EpochTrust,
  headOf,
  MAX_FOLLOWED_EPOCHS,
  startTrust,
} from '../../src/epochs/epoch-trust.ts';
import {
  followHandover,
  type HandoverOffer,
  MAX_HANDOVER_BYTES,
  type TrustRules,
  verifyConflict,
} from '../../src/epochs/follow-handover.ts';
import {
  BLST,
  EPOCH_SECONDS,
  FIRST_EPOCH,
  handoverOf,
  NETWORK,
  nextGroup,
  START_SECONDS,
  type TestGroup,
  testGroup,
} from '../support/committees.ts';

const TRUSTING_SECONDS = 10 * EPOCH_SECONDS;
const FIRST = testGroup([3, 2, 2, 2]);
const SECOND = nextGroup(FIRST, [1, 1, 1, 1, 1]);
const THIRD = nextGroup(SECOND, [2, 2, 3]);

function trustOf({ header, committee }: TestGroup): EpochTrust {
  return startTrust({ network: NETWORK, header, snapshot: committee.snapshot });
}

/** The rules at a time after the first epoch's start. */
function at(seconds: number, change: Partial<TrustRules> = {}): TrustRules {
  const nowSeconds = START_SECONDS + seconds;
  return { nowSeconds, trustingSeconds: TRUSTING_SECONDS, maxDriftSeconds: 60, ...change };
}

function refusal(code: string) {
  return (error: unknown): boolean => {
    assert.ok(isFault(error, code), `${code}, not ${String(error)}`);
    return true;
  };
}

const NEXT = at(EPOCH_SECONDS);

describe('following epochs', () => {
  it('takes the next epoch from the committee of the last one, whoever brings it', () => {
    for (const backend of [BLST, nobleBackend()]) {
      const trust = followHandover(trustOf(FIRST), handoverOf(FIRST, SECOND, [1]), NEXT, backend);
      const head = headOf(trust);
      assert.deepEqual(head.committee, SECOND.committee.snapshot);
      assert.deepEqual(head.committee.office, SECOND.header);
      const on = followHandover(trust, handoverOf(SECOND, THIRD), at(2 * EPOCH_SECONDS), backend);
      assert.deepEqual(headOf(on).committee.office, THIRD.header);
      assert.equal(on.epochs.length, 3);
    }
  });

  it('takes a certificate that names absent members by index, with the list of all', () => {
    const offer = handoverOf(FIRST, SECOND, [2]);
    const certificate = parseCertificate(offer.certificate, BLST);
    const short = encodeCertificate({ ...certificate, signers: shortestSigners([2], 4) });
    assert.throws(
      () => followHandover(trustOf(FIRST), { ...offer, certificate: short }, NEXT, BLST),
      refusal('CERTIFICATE_NEEDS_MEMBERS'),
    );
    const whole = { ...offer, certificate: short, members: FIRST.bodies };
    const trust = followHandover(trustOf(FIRST), whole, NEXT, BLST);
    assert.equal(headOf(trust).committee.office.epoch, FIRST_EPOCH + 1);
    const wrong = { ...whole, members: SECOND.bodies };
    assert.throws(
      () => followHandover(trustOf(FIRST), wrong, NEXT, BLST),
      refusal('MEMBERS_NOT_OF_SNAPSHOT'),
    );
  });

  it('changes nothing for what is known already', () => {
    const trust = followHandover(trustOf(FIRST), handoverOf(FIRST, SECOND), NEXT, BLST);
    assert.equal(followHandover(trust, handoverOf(FIRST, SECOND, [1]), NEXT, BLST), trust);
  });

  it('skips no epoch', () => {
    assert.throws(
      () => followHandover(trustOf(FIRST), handoverOf(SECOND, THIRD), NEXT, BLST),
      refusal('TRUST_EPOCH_UNKNOWN'),
    );
    const skipping = nextGroup(FIRST, [1, 1], { epoch: FIRST_EPOCH + 2 });
    assert.throws(
      () => followHandover(trustOf(FIRST), handoverOf(FIRST, skipping), NEXT, BLST),
      refusal('CERTIFICATE_NOT_NEXT'),
    );
  });

  it('refuses a header that does not continue the one that is known', () => {
    const stranger = nextGroup(FIRST, [1, 1], { previous: keccak256(new Uint8Array(1)) });
    assert.throws(
      () => followHandover(trustOf(FIRST), handoverOf(FIRST, stranger), NEXT, BLST),
      refusal('CERTIFICATE_NOT_NEXT'),
    );
  });

  it('refuses two thirds of the seats, and takes one more', () => {
    const even = testGroup([1, 1, 1]);
    const next = nextGroup(even, [1, 1]);
    const offer = handoverOf(even, next);
    const certificate = parseCertificate(offer.certificate, BLST);
    const two = encodeCertificate({ ...certificate, signers: { mode: 'absent', indexes: [2] } });
    assert.throws(() => {
      const less = { ...offer, certificate: two, members: even.bodies };
      followHandover(trustOf(even), less, NEXT, BLST);
    }, refusal('WEIGHT_TOO_LOW'));
    assert.equal(followHandover(trustOf(even), offer, NEXT, BLST).epochs.length, 2);
  });

  it('refuses a signature of another committee, header, hub or chain', () => {
    const offer = handoverOf(FIRST, SECOND);
    const certificate = parseCertificate(offer.certificate, BLST);
    const other = nextGroup(FIRST, [4]);
    const cases: readonly (readonly [string, HandoverOffer])[] = [
      [
        'SIGNATURE_WRONG',
        { ...offer, certificate: swapped({ body: encodeEpochHeader(other.header) }) },
      ],
      ['SIGNATURE_WRONG', { ...offer, certificate: swapped({ signature: signatureOf(other) }) }],
      [
        'CERTIFICATE_FOREIGN',
        { ...offer, certificate: swapped({ network: { ...NETWORK, hubChainId: chainIdOf(1) } }) },
      ],
      [
        'CERTIFICATE_FOREIGN',
        {
          ...offer,
          certificate: swapped({ domain: { ...certificate.domain, chainId: chainIdOf(1) } }),
        },
      ],
    ];
    function swapped(change: Partial<typeof certificate>): Uint8Array {
      return encodeCertificate({ ...certificate, ...change });
    }
    function signatureOf(group: TestGroup): typeof certificate.signature {
      return parseCertificate(handoverOf(FIRST, group).certificate, BLST).signature;
    }
    for (const [code, changed] of cases) {
      assert.throws(() => followHandover(trustOf(FIRST), changed, NEXT, BLST), refusal(code));
    }
  });

  it('refuses a committee that the header does not name, and groups that are none', () => {
    const offer = handoverOf(FIRST, SECOND);
    const snapshot = encodeSnapshot(THIRD.committee.snapshot);
    assert.throws(
      () => followHandover(trustOf(FIRST), { ...offer, snapshot }, NEXT, BLST),
      refusal('SNAPSHOT_UNKNOWN'),
    );
    const quorum = encodeSnapshot({ ...SECOND.committee.snapshot, quorumId: 1 });
    assert.throws(
      () => followHandover(trustOf(FIRST), { ...offer, snapshot: quorum }, NEXT, BLST),
      refusal('TRUST_NOT_COMMITTEE'),
    );
  });

  it('believes a committee up to the end of the trusting period and not a second longer', () => {
    const last = EPOCH_SECONDS + TRUSTING_SECONDS;
    const offer = handoverOf(FIRST, SECOND);
    assert.equal(followHandover(trustOf(FIRST), offer, at(last), BLST).epochs.length, 2);
    assert.throws(
      () => followHandover(trustOf(FIRST), offer, at(last + 1), BLST),
      refusal('TRUST_EXPIRED'),
    );
  });

  it('takes an epoch that begins as late as clocks differ and not a second later', () => {
    const offer = handoverOf(FIRST, SECOND);
    const earliest = EPOCH_SECONDS - 60;
    assert.equal(followHandover(trustOf(FIRST), offer, at(earliest), BLST).epochs.length, 2);
    assert.throws(
      () => followHandover(trustOf(FIRST), offer, at(earliest - 1), BLST),
      refusal('TRUST_IN_FUTURE'),
    );
  });

  it('refuses an epoch that ends before it begins', () => {
    const empty = nextGroup(FIRST, [1], { endSeconds: START_SECONDS + EPOCH_SECONDS });
    assert.throws(
      () => followHandover(trustOf(FIRST), handoverOf(FIRST, empty), NEXT, BLST),
      refusal('MESSAGE_FIELD'),
    );
  });

  it('refuses more bytes than a handover has', () => {
    const certificate = new Uint8Array(MAX_HANDOVER_BYTES + 1);
    const snapshot = new Uint8Array(256);
    assert.throws(
      () => followHandover(trustOf(FIRST), { certificate, snapshot }, NEXT, BLST),
      refusal('TRUST_TOO_LARGE'),
    );
  });

  it('remembers a bounded number of epochs', () => {
    let group = FIRST;
    let trust = trustOf(FIRST);
    for (let epoch = 1; epoch <= MAX_FOLLOWED_EPOCHS + 3; epoch += 1) {
      const next = nextGroup(group, [1]);
      trust = followHandover(trust, handoverOf(group, next), at(epoch * EPOCH_SECONDS), BLST);
      group = next;
    }
    assert.equal(trust.epochs.length, MAX_FOLLOWED_EPOCHS);
    assert.equal(headOf(trust).committee.office.epoch, FIRST_EPOCH + MAX_FOLLOWED_EPOCHS + 3);
  });

  it('starts from a committee only', () => {
    const { header, committee } = FIRST;
    const snapshot = { ...committee.snapshot, quorumId: 1 };
    assert.throws(
      () => startTrust({ network: NETWORK, header, snapshot }),
      refusal('TRUST_NOT_COMMITTEE'),
    );
    const other = THIRD.committee.snapshot;
    assert.throws(
      () => startTrust({ network: NETWORK, header, snapshot: other }),
      refusal('SNAPSHOT_UNKNOWN'),
    );
  });
});

describe('two headers for one epoch', () => {
  const other = nextGroup(FIRST, [2, 2]);
  const known = followHandover(trustOf(FIRST), handoverOf(FIRST, SECOND), NEXT, BLST);
  const divided = followHandover(known, handoverOf(FIRST, other), NEXT, BLST);

  it('are seen when the second one comes, also epochs later', () => {
    assert.equal(divided.conflict?.epoch, FIRST_EPOCH);
    const later = followHandover(known, handoverOf(SECOND, THIRD), at(2 * EPOCH_SECONDS), BLST);
    const seen = followHandover(later, handoverOf(FIRST, other), at(2 * EPOCH_SECONDS), BLST);
    assert.equal(seen.conflict?.epoch, FIRST_EPOCH);
  });

  it('end all trust', () => {
    for (const offer of [handoverOf(SECOND, THIRD), handoverOf(FIRST, SECOND)]) {
      assert.throws(
        () => followHandover(divided, offer, at(2 * EPOCH_SECONDS), BLST),
        refusal('TRUST_STOPPED'),
      );
    }
  });

  it('are evidence to whoever knows the committee', () => {
    assert.ok(divided.conflict !== undefined);
    const context = { network: NETWORK, snapshot: FIRST.committee.snapshot };
    const [first, second] = verifyConflict(divided.conflict, context, nobleBackend());
    assert.deepEqual(epochHeaderHash(first.header), epochHeaderHash(SECOND.header));
    assert.deepEqual(epochHeaderHash(second.header), epochHeaderHash(other.header));
    const same = { ...divided.conflict, second: handoverOf(FIRST, SECOND, [1]).certificate };
    assert.throws(() => verifyConflict(same, context, BLST), refusal('TRUST_NO_CONFLICT'));
    const stranger = { network: NETWORK, snapshot: SECOND.committee.snapshot };
    assert.throws(
      () => verifyConflict(divided.conflict as never, stranger, BLST),
      refusal('CERTIFICATE_FOREIGN'),
    );
  });

  it('are no business of a committee whose stake may be free', () => {
    const late = at(EPOCH_SECONDS + TRUSTING_SECONDS + 1);
    assert.throws(
      () => followHandover(known, handoverOf(FIRST, other), late, BLST),
      refusal('TRUST_EXPIRED'),
    );
  });
});
