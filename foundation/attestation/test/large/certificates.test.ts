import assert from 'node:assert/strict';
import { chainIdOf, Fault, isFault, keccak256, toHex } from '@cairn/primitives';
import fc from 'fast-check';
import { encodeBlobHeader, promisedIndex } from '../../src/blob-header.ts';
import {
  type Certificate,
  encodeCertificate,
  parseCertificate,
  shortestSigners,
} from '../../src/certificate.ts';
import { certify, membersAbsent } from '../../src/certify.ts';
import { CHECKPOINT_BYTES } from '../../src/checkpoint.ts';
import { DA_LOG_TYPES, type DaLogLeaf, encodeDaLogLeaf } from '../../src/da-log-leaf.ts';
import { encodeEpochHeader, epochHeaderHash } from '../../src/epoch-header.ts';
import { verifyDaLogLeaf, voidWordsOf } from '../../src/logged-batch.ts';
import { leafHash, treePath, treeRoot } from '../../src/merkle-tree.ts';
import { blstBackend } from '../../src/native.ts';
import { isQuorum } from '../../src/quorum.ts';
import { encodeServedEntry } from '../../src/served-entry.ts';
import { verifyMembers, verifySnapshot } from '../../src/snapshot.ts';
import { quorumOfBlob } from '../../src/sortition.ts';
import { STATEMENT_KINDS, type Statement } from '../../src/statement.ts';
import {
  type BlobContext,
  verifyBlobCertificate,
  verifyCheckpointCertificate,
  verifyHandover,
  verifyServedCertificate,
} from '../../src/verify-certificate.ts';
import {
  signStatement,
  sumVotes,
  type VerifiedVote,
  verifyVote,
  verifyVotes,
} from '../../src/vote.ts';
import {
  ENTRANCE,
  flipBit,
  NETWORK,
  type OfficeFields,
  officeOf,
  SEED,
  type TestCommittee,
  testAddress,
  testCommittee,
  testHeader,
} from '../support.ts';

const backend = blstBackend();
const GRACE_SECONDS = 60;
/** The main network's: more than any group here has. */
const MAX_MEMBERS = 512;

function batchOf(
  count: number,
  epoch = 7,
  quorumId = 0,
): { statement: Statement; bodies: Uint8Array[] } {
  const bodies = Array.from({ length: count }, (_, index) => encodeBlobHeader(testHeader(index)));
  const root = treeRoot(bodies.map(leafHash));
  const place = { domain: ENTRANCE, epoch, quorumId };
  return { statement: { kind: STATEMENT_KINDS.batch, ...place, count, root }, bodies };
}

function votesOf(
  { committee, keys }: TestCommittee,
  statement: Statement,
  absent: readonly number[] = [],
): VerifiedVote[] {
  return keys.flatMap((key, memberIndex) => {
    if (absent.includes(memberIndex)) return [];
    const vote = { memberIndex, signature: signStatement(key, NETWORK, statement) };
    return [verifyVote(vote, { network: NETWORK, statement, committee }, backend)];
  });
}

function contextOf({ committee }: TestCommittee, change: Partial<BlobContext> = {}): BlobContext {
  const { snapshot } = committee;
  const time = { trustedTimeSeconds: snapshot.office.endSeconds, graceSeconds: GRACE_SECONDS };
  const place = { network: NETWORK, entrance: ENTRANCE, shardId: 7, maxMembers: MAX_MEMBERS };
  return { ...place, snapshot, committee, time, ...change };
}

/** A committee of `members` with one seat each, and its certificate of the blob in the middle of a batch. */
function certified(seats: readonly number[], count: number, absent: readonly number[] = []) {
  const group = testCommittee(seats);
  const { statement, bodies } = batchOf(count);
  const aggregate = sumVotes(votesOf(group, statement, absent), group.committee, backend);
  const options = { network: NETWORK, bodies, leafIndex: Math.floor(count / 2) };
  const certificate = certify(aggregate, options);
  const self = certify(aggregate, { ...options, isSelfContained: true });
  return { group, statement, aggregate, certificate, self, bodies };
}

function refused(code: string, call: () => unknown): void {
  assert.throws(call, (error) => isFault(error, code), code);
}

describe('quorums', () => {
  it('need strictly more than two thirds', () => {
    const weight = fc.bigInt({ min: 0n, max: 2n ** 64n });
    fc.assert(
      fc.property(weight, (third) => {
        assert.ok(!isQuorum(2n * third, 3n * third), 'exactly two thirds');
        assert.ok(isQuorum(2n * third + 1n, 3n * third));
        assert.ok(!isQuorum(2n * third, 3n * third + 1n));
      }),
      { seed: SEED },
    );
    assert.ok(isQuorum(3n, 4n), 'of four equal signers one may be absent');
    assert.ok(!isQuorum(2n, 4n));
    assert.ok(!isQuorum(0n, 0n));
  });

  it('of exactly two thirds make no aggregate, and their certificate is refused', () => {
    const group = testCommittee([1, 1, 1, 1, 1, 1]);
    const { statement, bodies } = batchOf(1);
    const votes = votesOf(group, statement, [4, 5]);
    refused('WEIGHT_TOO_LOW', () => sumVotes(votes, group.committee, backend));
    refused('WEIGHT_TOO_LOW', () => sumVotes([], group.committee, backend));
    const five = sumVotes(votesOf(group, statement, [5]), group.committee, backend);
    const options = { network: NETWORK, bodies, leafIndex: 0 };
    const honest = certify(five, options);
    verifyBlobCertificate(honest, contextOf(group), backend);
    const signature = backend.addSignatures(votes.map((vote) => vote.signature));
    for (const signers of [shortestSigners([4, 5], 6), membersAbsent(group.committee, [4, 5])]) {
      const certificate = { ...honest, signers, signature };
      refused('WEIGHT_TOO_LOW', () =>
        verifyBlobCertificate(certificate, contextOf(group), backend),
      );
    }
  });

  it('count seats, not members', () => {
    const group = testCommittee([10, 1, 1, 1]);
    const { statement } = batchOf(1);
    const one = votesOf(group, statement, [1, 2, 3]);
    assert.equal(sumVotes(one, group.committee, backend).signedWeight, 10n);
    const three = votesOf(group, statement, [0]);
    refused('WEIGHT_TOO_LOW', () => sumVotes(three, group.committee, backend));
  });

  it('take each member once, for one statement, in its own group', () => {
    const group = testCommittee([1, 1, 1, 1]);
    const { statement } = batchOf(2);
    const votes = votesOf(group, statement);
    const [first] = votes;
    assert.ok(first !== undefined);
    refused('VOTE_TWICE', () => sumVotes([...votes, first], group.committee, backend));
    const others = votesOf(group, batchOf(3).statement);
    refused('VOTES_DIFFER', () =>
      sumVotes([...votes.slice(0, 2), ...others.slice(2)], group.committee, backend),
    );
    const { committee } = testCommittee([1, 1, 1, 1]);
    refused('VOTES_DIFFER', () => sumVotes(votes, committee, backend));
    const context = { network: NETWORK, statement, committee: group.committee };
    refused('SIGNATURE_WRONG', () => verifyVote({ ...first, memberIndex: 1 }, context, backend));
    refused('MEMBER_INDEX', () => verifyVote({ ...first, memberIndex: 4 }, context, backend));
    const later = { ...statement, epoch: 8 };
    refused('SIGNATURE_WRONG', () => verifyVote(first, { ...context, statement: later }, backend));
  });

  it('are proven together by one verification, and each by itself where one is wrong', () => {
    const group = testCommittee([1, 2, 3, 4]);
    const { statement } = batchOf(3);
    const context = { network: NETWORK, statement, committee: group.committee };
    let verified = 0;
    const counting: typeof backend = {
      ...backend,
      verify: (...args) => {
        verified += 1;
        return backend.verify(...args);
      },
    };
    const votes = votesOf(group, statement, []);
    assert.deepEqual(verifyVotes(votes, context, counting), votes);
    assert.equal(verified, 1);
    const other = signStatement(group.keys[1] as never, NETWORK, { ...statement, epoch: 8 });
    const lied = votes.map((vote, at) => (at === 1 ? { ...vote, signature: other } : vote));
    const right = verifyVotes(lied, context, counting).map(({ memberIndex }) => memberIndex);
    assert.deepEqual(right, [0, 2, 3]);
    assert.equal(verified, 6);
    const [first, second] = votes as [VerifiedVote, VerifiedVote];
    const negated = first.signature.slice() as typeof first.signature;
    negated[0] = (negated[0] ?? 0) ^ 0x20; // the other square root: they sum up to nothing
    const cancelled = [first, { ...second, signature: negated }];
    assert.deepEqual(verifyVotes(cancelled, context, counting), [first]);
    assert.deepEqual(verifyVotes([], context, counting), []);
    refused('VOTE_TWICE', () => verifyVotes([first, first], context, backend));
    refused('MEMBER_INDEX', () => verifyVotes([{ ...first, memberIndex: 4 }], context, backend));
  });
});

describe('snapshots', () => {
  it('hold office only where the header names them', () => {
    const { committee } = testCommittee([1, 2], { quorumId: 1, quorums: 3 });
    const { office, ...snapshot } = committee.snapshot;
    verifySnapshot(snapshot, office);
    for (const wrong of [
      { ...snapshot, quorumId: 2 },
      { ...snapshot, quorumId: 9 },
      { ...snapshot, totalWeight: 4n },
      { ...snapshot, epoch: 8 },
    ]) {
      refused('SNAPSHOT_UNKNOWN', () => verifySnapshot(wrong, office));
    }
  });

  it('go with one list of members', () => {
    const { committee, bodies } = testCommittee([1, 2, 3]);
    const { snapshot } = committee;
    const [a = new Uint8Array(), b = new Uint8Array(), c = new Uint8Array()] = bodies;
    for (const wrong of [
      [a, b],
      [a, b, c, c],
      [b, a, c],
      [a, b, flipBit(c, 200)],
      [a, b, c.slice(1)],
    ]) {
      refused('MEMBERS_NOT_OF_SNAPSHOT', () => verifyMembers(wrong, snapshot));
    }
    assert.deepEqual(verifyMembers([a, b, c], snapshot).members, committee.members);
  });
});

describe('certificates', () => {
  it('read back in every mode, and verify', () => {
    for (const [members, count, absent] of [
      [1, 1, []],
      [4, 3, [1]],
      [9, 16, [0, 8]],
      [31, 5, [0, 1, 2, 3, 4, 5, 6, 7, 8, 30]],
    ] as const) {
      const seats = Array.from({ length: members }, (_, index) => 1 + (index % 3));
      const { group, certificate, self, aggregate } = certified(seats, count, absent);
      const byIndex = { ...self, signers: { mode: 'absent' as const, indexes: absent } };
      for (const each of [certificate, self, byIndex]) {
        const bytes = encodeCertificate(each);
        const parsed = parseCertificate(bytes, backend);
        assert.deepEqual(parsed, each);
        const proven = verifyBlobCertificate(parsed, contextOf(group), backend);
        assert.equal(proven.signedWeight, aggregate.signedWeight);
        assert.deepEqual(proven.digest, aggregate.digest);
        assert.deepEqual(proven.header, testHeader(Math.floor(count / 2)));
        assert.ok(!proven.isPromised);
        for (const extra of [1, 32, 96]) {
          const long = new Uint8Array([...bytes, ...new Uint8Array(extra)]);
          assert.throws(() => {
            verifyBlobCertificate(parseCertificate(long, backend), contextOf(group), backend);
          }, Fault);
        }
      }
      const { committee: _list, ...alone } = contextOf(group);
      verifyBlobCertificate(self, alone, backend); // needs the snapshot only
      refused('CERTIFICATE_NEEDS_MEMBERS', () => verifyBlobCertificate(byIndex, alone, backend));
    }
  });

  it('have the sizes that were computed for them', () => {
    const sizes = (members: number, absent: number, count: number): number => {
      const indexes = Array.from({ length: absent }, (_, index) => index);
      const { certificate } = certified([1], 1);
      const path = Array.from({ length: Math.ceil(Math.log2(count)) }, () => new Uint8Array(32));
      const signers = shortestSigners(indexes, members);
      return encodeCertificate({ ...certificate, count, path, signers }).length;
    };
    for (const [members, expected] of [
      [4, [271, 271, 399, 399, 495, 495, 591, 591]],
      [31, [272, 274, 400, 402, 496, 498, 592, 594]],
      [100, [272, 283, 400, 411, 496, 507, 592, 603]],
      [512, [272, 334, 400, 462, 496, 558, 592, 654]],
      [2048, [272, 526, 400, 654, 496, 750, 592, 846]],
    ] as const) {
      const most = Math.ceil(members / 3) - 1; // just under a third
      const actual = [1, 16, 128, 1024].flatMap((count) => [
        sizes(members, 0, count),
        sizes(members, most, count),
      ]);
      assert.deepEqual(actual, expected, `${members} members`);
    }
  });

  it('are refused with any byte changed', () => {
    const { group, certificate, self } = certified([1, 2, 3, 1, 2], 3, [3]);
    const byIndex = { ...self, signers: { mode: 'absent' as const, indexes: [3] } };
    for (const each of [certificate, self, byIndex]) {
      const bytes = encodeCertificate(each);
      for (let at = 0; at < bytes.length; at += 1) {
        const damaged = flipBit(bytes, at * 8 + (at % 8));
        assert.throws(
          () =>
            verifyBlobCertificate(parseCertificate(damaged, backend), contextOf(group), backend),
          (error) => error instanceof Fault,
          `byte ${at} of mode ${each.signers.mode}`,
        );
      }
      for (let length = 0; length < bytes.length; length += 1) {
        assert.throws(() => parseCertificate(bytes.slice(0, length), backend), Fault);
      }
    }
  });

  it('have one form: rising indexes, no pad bits, exact counts', () => {
    const { group, certificate, self } = certified([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 2, [2, 7]);
    const reordered = { ...self, signers: { mode: 'absent' as const, indexes: [7, 2] } };
    const bytes = encodeCertificate(reordered);
    refused('MESSAGE_ORDER', () => parseCertificate(bytes, backend));
    const twice = { ...self, signers: { mode: 'absent' as const, indexes: [2, 2] } };
    refused('MESSAGE_ORDER', () => parseCertificate(encodeCertificate(twice), backend));
    const outside = { ...self, signers: { mode: 'absent' as const, indexes: [2, 10] } };
    refused('MEMBER_INDEX', () => verifyBlobCertificate(outside, contextOf(group), backend));
    assert.equal(certificate.signers.mode, 'bitmap');
    assert.ok(certificate.signers.mode === 'bitmap');
    const { bits } = certificate.signers;
    const padded = {
      mode: 'bitmap' as const,
      bits: Uint8Array.of(bits[0] ?? 0, (bits[1] ?? 0) | 4),
    };
    const wide = { mode: 'bitmap' as const, bits: new Uint8Array([...bits, 0]) };
    refused('MESSAGE_FIELD', () =>
      verifyBlobCertificate({ ...certificate, signers: padded }, contextOf(group), backend),
    );
    refused('MESSAGE_LENGTH', () =>
      verifyBlobCertificate({ ...certificate, signers: wide }, contextOf(group), backend),
    );
    assert.ok(self.signers.mode === 'members');
    const { bodies, siblings } = self.signers;
    const swapped = { ...self.signers, bodies: [...bodies].reverse() };
    refused('MESSAGE_ORDER', () =>
      parseCertificate(encodeCertificate({ ...self, signers: swapped }), backend),
    );
    for (const signers of [
      { ...self.signers, siblings: siblings.slice(1) },
      { ...self.signers, siblings: [...siblings, siblings[0] ?? new Uint8Array(32)] },
      { ...self.signers, bodies: bodies.slice(1) },
      { ...self.signers, bodies: bodies.map((body) => flipBit(body, 24 * 8 + 31)) }, // fewer seats
      { ...self.signers, bodies: [], siblings },
    ]) {
      refused('NON_SIGNER_PROOF', () =>
        verifyBlobCertificate({ ...self, signers }, contextOf(group), backend),
      );
    }
    const none = { ...self.signers, bodies: [], siblings: [] };
    refused('SIGNATURE_WRONG', () =>
      verifyBlobCertificate({ ...self, signers: none }, contextOf(group), backend),
    );
    const many = Array.from({ length: 65_536 }, () => new Uint8Array(32));
    refused('CERTIFICATE_SIBLINGS', () =>
      encodeCertificate({
        ...self,
        signers: { ...self.signers, bodies, siblings: many },
      } as Certificate),
    );
  });

  it('count hashes in one byte where one is enough, else in two', () => {
    const { self } = certified([1], 1);
    assert.ok(self.signers.mode === 'members');
    const at = 78 + 2 + 88 + 4 + 1;
    const { bodies } = self.signers;
    for (const count of [0, 255, 256, 700]) {
      const siblings = Array.from({ length: count }, () => new Uint8Array(32).fill(7));
      const signers = { mode: 'members' as const, bodies, siblings };
      const bytes = encodeCertificate({ ...self, signers });
      assert.equal(bytes[at], count > 255 ? 3 : 2);
      assert.deepEqual(parseCertificate(bytes, backend).signers, signers);
    }
    // The same hashes with the other count are another form of one proof, which there is not.
    const bytes = encodeCertificate({ ...self, signers: { ...self.signers, siblings: [] } });
    const countAt = bytes.length - 96 - 1;
    const wide = Uint8Array.from([...bytes.subarray(0, countAt), 0, ...bytes.subarray(countAt)]);
    wide[at] = 3;
    refused('MESSAGE_FIELD', () => parseCertificate(wide, backend));
  });

  it('never make room for more than they bring', () => {
    const { self } = certified([1], 1);
    const bytes = encodeCertificate(self);
    const at = 78 + 2 + 88 + 4 + 1;
    for (const mode of [0, 2, 3]) {
      const forged = bytes.slice();
      forged[at] = mode;
      forged.fill(255, at + 1, at + 3);
      refused('MESSAGE_FIELD', () => parseCertificate(forged, backend));
    }
    const unknown = bytes.slice();
    unknown[at] = 4;
    refused('MESSAGE_FIELD', () => parseCertificate(unknown, backend));
    // A checkpoint's body has another length than a blob header's.
    for (const kind of [0, 2, 6, 255]) {
      const forged = bytes.slice();
      forged[5] = kind;
      refused('MESSAGE_FIELD', () => parseCertificate(forged, backend));
    }
  });

  it('count for the hub, entrance, shard, epoch and quorum that were asked about', () => {
    const { group, certificate } = certified([1, 1, 1], 4);
    const elsewhere = testAddress(99);
    const context = contextOf(group);
    for (const change of [
      { network: { ...NETWORK, hub: elsewhere } },
      { network: { ...NETWORK, hubChainId: chainIdOf(1) } },
      { entrance: { ...ENTRANCE, address: elsewhere } },
      { entrance: { ...ENTRANCE, chainId: chainIdOf(1) } },
      { shardId: 8 },
    ]) {
      refused('CERTIFICATE_FOREIGN', () =>
        verifyBlobCertificate(certificate, { ...context, ...change }, backend),
      );
    }
    for (const change of [{ epoch: 8 }, { quorumId: 1 }]) {
      refused('CERTIFICATE_FOREIGN', () =>
        verifyBlobCertificate({ ...certificate, ...change }, context, backend),
      );
    }
    refused('SIGNATURE_WRONG', () =>
      verifyBlobCertificate({ ...certificate, count: 3 }, context, backend),
    );
    const { committee } = testCommittee([1, 1, 1]);
    assert.throws(
      () => verifyBlobCertificate(certificate, { ...context, committee }, backend),
      TypeError,
    );
  });

  it('of blobs come from a quorum for whose members the smallest blob has rows', () => {
    const { group, certificate } = certified([1, 1, 1, 1], 1);
    verifyBlobCertificate(certificate, contextOf(group, { maxMembers: 4 }), backend);
    for (const maxMembers of [3, 0, Number.NaN]) {
      refused('CERTIFICATE_TOO_MANY_MEMBERS', () =>
        verifyBlobCertificate(certificate, contextOf(group, { maxMembers }), backend),
      );
    }
  });

  it('of blobs are late after the epoch and grace, unless confirmed', () => {
    const { group, certificate } = certified([1, 1, 1], 1);
    const { endSeconds } = group.committee.snapshot.office;
    const at = (trustedTimeSeconds: number) => () =>
      verifyBlobCertificate(
        certificate,
        contextOf(group, { time: { trustedTimeSeconds, graceSeconds: GRACE_SECONDS } }),
        backend,
      );
    at(endSeconds + GRACE_SECONDS)();
    refused('CERTIFICATE_TOO_OLD', at(endSeconds + GRACE_SECONDS + 1));
    refused('CERTIFICATE_TOO_OLD', at(Number.NaN));
    verifyBlobCertificate(certificate, contextOf(group, { time: { isConfirmed: true } }), backend);
  });

  it('of blobs are good for ever where the log has their batch, but for void leaves', () => {
    const { group, certificate, statement, bodies } = certified([1, 1, 1], 3);
    const voidWords = voidWordsOf(3, [0]);
    const place = { batchRoot: statement.root, epoch: 7, quorumId: 0, count: 3, timeSeconds: 9 };
    const type = DA_LOG_TYPES.batchWithVoids;
    const withVoids = { type, ...place, voidsHash: keccak256(voidWords) } as const;
    const verify = (leaf: DaLogLeaf, of = certificate, words: Uint8Array = voidWords) => {
      const body = encodeDaLogLeaf(leaf);
      const log = { root: leafHash(body), count: 1 };
      const logged = {
        leaf: verifyDaLogLeaf({ body, index: 0, path: [] }, log),
        voidWords: words,
      };
      return verifyBlobCertificate(of, contextOf(group, { time: { logged } }), backend);
    };
    assert.equal(verify(withVoids).header.submissionIndex, 1n);
    verify({ type: DA_LOG_TYPES.batch, ...place });
    const path = treePath(bodies.map(leafHash), 0);
    const first = { ...certificate, body: bodies[0] ?? assert.fail(), leafIndex: 0, path };
    verifyBlobCertificate(first, contextOf(group), backend);
    refused('DA_LOG_LEAF_VOID', () => verify(withVoids, first));
    refused('DA_LOG_VOIDS', () => verify(withVoids, first, voidWordsOf(3, [1])));
    for (const change of [
      { batchRoot: keccak256() },
      { epoch: 8 },
      { quorumId: 1 },
      { count: 4 },
    ]) {
      refused('CERTIFICATE_FOREIGN', () => verify({ ...withVoids, ...change }));
    }
  });

  it('of a carried committee count in the epoch in which it holds office', () => {
    const group = testCommittee([1, 1, 1], { epoch: 9 });
    assert.equal(group.committee.snapshot.epoch, 7);
    const { statement, bodies } = batchOf(1, 9);
    const aggregate = sumVotes(votesOf(group, statement), group.committee, backend);
    const certificate = certify(aggregate, { network: NETWORK, bodies, leafIndex: 0 });
    assert.equal(verifyBlobCertificate(certificate, contextOf(group), backend).statement.epoch, 9);
    refused('CERTIFICATE_FOREIGN', () =>
      verifyBlobCertificate({ ...certificate, epoch: 7 }, contextOf(group), backend),
    );
  });

  it('of blobs come from the quorum that the seed gave them to', () => {
    const fields: OfficeFields = { quorums: 3 };
    const { seed } = testCommittee([1], { quorumId: 1, ...fields }).committee.snapshot.office;
    const owner = quorumOfBlob(seed, { submissionIndex: 0n }, 3);
    for (const quorumId of [1, 2, 3]) {
      const group = testCommittee([1, 1, 1, 1], { quorumId, ...fields });
      const { statement, bodies } = batchOf(1, 7, quorumId);
      const aggregate = sumVotes(votesOf(group, statement), group.committee, backend);
      const certificate = certify(aggregate, { network: NETWORK, bodies, leafIndex: 0 });
      const verify = () => verifyBlobCertificate(certificate, contextOf(group), backend);
      if (quorumId === owner) verify();
      else refused('CERTIFICATE_WRONG_QUORUM', verify);
    }
  });

  it('of promised blobs name a promise of their own epoch, and no other kind does', () => {
    const group = testCommittee([1, 1, 1]);
    const certifyOf = (kind: 1 | 5, submissionIndex: bigint): Certificate => {
      const body = encodeBlobHeader(testHeader(1, { submissionIndex }));
      const root = treeRoot([leafHash(body)]);
      const statement = { kind, domain: ENTRANCE, epoch: 7, quorumId: 0, count: 1, root };
      const aggregate = sumVotes(votesOf(group, statement), group.committee, backend);
      return certify(aggregate, { network: NETWORK, bodies: [body], leafIndex: 0 });
    };
    const promised = certifyOf(5, promisedIndex({ epoch: 7, slot: 4 }));
    assert.ok(verifyBlobCertificate(promised, contextOf(group), backend).isPromised);
    for (const wrong of [
      certifyOf(5, promisedIndex({ epoch: 8, slot: 4 })),
      certifyOf(5, 4n),
      certifyOf(1, promisedIndex({ epoch: 7, slot: 4 })),
    ]) {
      refused('CERTIFICATE_WRONG_KIND', () =>
        verifyBlobCertificate(wrong, contextOf(group), backend),
      );
    }
  });

  it('of a handover lead from one header to the next, and from no other group', () => {
    const group = testCommittee([1, 1, 1, 1]);
    const { snapshot } = group.committee;
    const hub = { chainId: NETWORK.hubChainId, address: NETWORK.hub };
    const next = {
      ...officeOf(testCommittee([2, 2]).committee.snapshot),
      epoch: 8,
      previous: epochHeaderHash(snapshot.office),
    };
    const handover = (header: typeof next, domain = hub): Certificate => {
      const place = { domain, epoch: 7, quorumId: 0, count: 1 };
      const root = epochHeaderHash(header);
      const statement = { kind: STATEMENT_KINDS.handover, ...place, root };
      const aggregate = sumVotes(votesOf(group, statement, [2]), group.committee, backend);
      const bodies = [encodeEpochHeader(header)];
      return certify(aggregate, { network: NETWORK, bodies, leafIndex: 0, isSelfContained: true });
    };
    const context = { network: NETWORK, snapshot };
    const certificate = handover(next);
    const parsed = parseCertificate(encodeCertificate(certificate), backend);
    assert.deepEqual(parsed, certificate);
    const { header } = verifyHandover(parsed, context, backend);
    assert.equal(toHex(epochHeaderHash(header)), toHex(epochHeaderHash(next)));
    refused('CERTIFICATE_NOT_NEXT', () =>
      verifyHandover(handover({ ...next, epoch: 9 }), context, backend),
    );
    refused('CERTIFICATE_NOT_NEXT', () =>
      verifyHandover(handover({ ...next, previous: next.seed }), context, backend),
    );
    refused('CERTIFICATE_FOREIGN', () =>
      verifyHandover(handover(next, ENTRANCE), context, backend),
    );
    refused('CERTIFICATE_WRONG_KIND', () =>
      verifyHandover(certified([1, 1, 1, 1], 1).certificate, context, backend),
    );
    refused('CERTIFICATE_WRONG_KIND', () =>
      verifyBlobCertificate(certificate, contextOf(group), backend),
    );
    const forged = { ...certificate, body: encodeEpochHeader({ ...next, orderCount: 1 }) };
    refused('SIGNATURE_WRONG', () => verifyHandover(forged, context, backend));
    const quorum = testCommittee([1, 1, 1, 1], { quorumId: 1, quorums: 2 });
    const other = { ...certificate, quorumId: 1 };
    refused('CERTIFICATE_FOREIGN', () =>
      verifyHandover(other, { ...context, snapshot: quorum.committee.snapshot }, backend),
    );
  });

  it("of checkpoints are the committee's, for the ordering hub, while its stake is bound", () => {
    const group = testCommittee([1, 1, 1]);
    const { snapshot } = group.committee;
    const orderingHub = { chainId: NETWORK.hubChainId, address: testAddress(51) };
    const bodies = [1, 2].map((shardId) => {
      const body = new Uint8Array(CHECKPOINT_BYTES);
      body[3] = shardId;
      body[11] = 9;
      return body;
    });
    const root = treeRoot(bodies.map(leafHash));
    const place = { domain: orderingHub, epoch: 7, quorumId: 0, count: 2 };
    const statement = { kind: STATEMENT_KINDS.checkpoints, ...place, root };
    const aggregate = sumVotes(votesOf(group, statement), group.committee, backend);
    const certificate = certify(aggregate, { network: NETWORK, bodies, leafIndex: 1 });
    const time = { trustedTimeSeconds: snapshot.office.endSeconds, graceSeconds: GRACE_SECONDS };
    const context = { network: NETWORK, ...group, snapshot, orderingHub, ...time };
    const parsed = parseCertificate(encodeCertificate(certificate), backend);
    const { checkpoint } = verifyCheckpointCertificate(parsed, context, backend);
    assert.deepEqual([checkpoint.shardId, checkpoint.number], [2, 9]);
    const refusedAt = (code: string, change: Partial<typeof context>): void =>
      refused(code, () => verifyCheckpointCertificate(parsed, { ...context, ...change }, backend));
    refusedAt('CERTIFICATE_FOREIGN', { orderingHub: ENTRANCE });
    refusedAt('CERTIFICATE_TOO_OLD', {
      trustedTimeSeconds: snapshot.office.endSeconds + GRACE_SECONDS + 1,
    });
    const forged = { ...parsed, body: bodies[0] ?? assert.fail() };
    refused('SIGNATURE_WRONG', () => verifyCheckpointCertificate(forged, context, backend));
    refused('CERTIFICATE_WRONG_KIND', () =>
      verifyBlobCertificate(parsed, contextOf(group, { entrance: orderingHub }), backend),
    );
    const { certificate: blob } = certified([1], 1);
    refused('CERTIFICATE_WRONG_KIND', () => verifyCheckpointCertificate(blob, context, backend));
  });

  it('of served rows name holders, at the mining contract', () => {
    const group = testCommittee([1, 1, 1]);
    const mining = { ...ENTRANCE, address: testAddress(50) };
    const entries = [0, 1, 2].map((index) => {
      return { holder: testAddress(index), drawn: 10, served: 10 - index };
    });
    const bodies = entries.map(encodeServedEntry);
    const root = treeRoot(bodies.map(leafHash));
    const place = { domain: mining, epoch: 7, quorumId: 0, count: 3 };
    const statement = { kind: STATEMENT_KINDS.served, ...place, root };
    const aggregate = sumVotes(votesOf(group, statement), group.committee, backend);
    const certificate = certify(aggregate, { network: NETWORK, bodies, leafIndex: 2 });
    const context = { network: NETWORK, ...group, snapshot: group.committee.snapshot, mining };
    const parsed = parseCertificate(encodeCertificate(certificate), backend);
    assert.deepEqual(verifyServedCertificate(parsed, context, backend).entry, entries[2]);
    refused('CERTIFICATE_FOREIGN', () =>
      verifyServedCertificate(certificate, { ...context, mining: ENTRANCE }, backend),
    );
  });
});
