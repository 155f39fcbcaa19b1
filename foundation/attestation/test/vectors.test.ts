import assert from 'node:assert/strict';
import { equalBytes, fromHex, keccak256, parseAddress, toHex, utf8Bytes } from '@cairn/primitives';
import { encodeBlobHeader, parseBlobHeader } from '../src/blob-header.ts';
import type { Signature } from '../src/bls-backend.ts';
import { encodeCertificate, parseCertificate } from '../src/certificate.ts';
import { certify, membersAbsent } from '../src/certify.ts';
import {
  possessionDigest,
  type SignableDigest,
  statementDigest,
  tagOf,
  ticketDigest,
} from '../src/digests.ts';
import { encodeMember, type Member } from '../src/member.ts';
import { leafHash, rootOfPath, treeRoot } from '../src/merkle-tree.ts';
import {
  keyFromWords,
  keyToStorageWords,
  keyToWords,
  signatureFromWords,
  signatureToWords,
} from '../src/points.ts';
import { provePossession, verifyPossession } from '../src/possession.ts';
import { checkQuorum } from '../src/quorum.ts';
import { seatEpoch } from '../src/seat-model.ts';
import { snapshotHash, verifyMembers, verifySnapshot } from '../src/snapshot.ts';
import { drawSeats, seatThreshold } from '../src/sortition.ts';
import { STATEMENT_KINDS } from '../src/statement.ts';
import { signTicket, verifyTicket } from '../src/ticket.ts';
import { verifyBlobCertificate } from '../src/verify-certificate.ts';
import { signStatement, sumVotes, verifyVote } from '../src/vote.ts';
import { BACKENDS, ENTRANCE, NETWORK, officeOf, vectors } from './support.ts';

const { certificateCase } = vectors;

describe('vectors', () => {
  it('begin everything with the tags of their names', () => {
    for (const [name, tag] of Object.entries(vectors.tags)) {
      assert.equal(toHex(tagOf(name as keyof typeof vectors.tags)), tag);
    }
  });

  for (const backend of BACKENDS) {
    describe(`over ${backend.name}`, () => {
      const keys = vectors.keys.map(({ sk }) => backend.openKey(fromHex(sk)));
      const keyAt = (index: number) => keys[index] ?? assert.fail(`no key ${index}`);

      it('derive keys, and prove that their owners hold them', () => {
        for (const [index, vector] of vectors.keys.entries()) {
          assert.equal(toHex(backend.secretFromMaterial(fromHex(vector.ikm))), vector.sk);
          assert.equal(toHex(keccak256(utf8Bytes(`cairn test vector key ${index}`))), vector.ikm);
          const { publicKey } = keyAt(index);
          assert.equal(toHex(publicKey), vector.pk96);
          assert.equal(toHex(backend.compressKey(publicKey)), vector.pk48);
          assert.deepEqual(backend.parseKey(fromHex(vector.pk48)), publicKey);
          const claim = {
            hubChainId: NETWORK.hubChainId,
            registry: NETWORK.hub,
            owner: parseAddress(vector.address),
          };
          const digest = possessionDigest({ ...claim, publicKey });
          assert.equal(toHex(digest), vector.popDigest);
          const proof = provePossession(keyAt(index), claim);
          assert.equal(toHex(proof), vector.pop);
          verifyPossession(proof, { ...claim, publicKey }, backend);
        }
      });

      it('draw the seats of tickets', () => {
        const round = { epoch: Number(vectors.epoch), seed: fromHex(vectors.seed) };
        assert.equal(toHex(ticketDigest(NETWORK, round)), vectors.ticketDigest);
        const threshold = seatThreshold({ committeeSeats: 100, totalVotes: 1000 }, 4);
        assert.equal(String(threshold), vectors.threshold10pct_Q4);
        for (const [index, vector] of vectors.tickets.entries()) {
          const key = keyAt(index);
          const signature = signTicket(key, NETWORK, round);
          assert.equal(toHex(signature), vector.sig);
          assert.equal(toHex(signatureToWords(signature, backend)), vector.sigEip);
          const signer = parseAddress(vectors.keys[index]?.address ?? '');
          const context = { publicKey: key.publicKey, network: NETWORK, round };
          const { beta } = verifyTicket({ signer, signature }, context, backend);
          assert.equal(toHex(beta), vector.beta);
          const drawn = drawSeats({ beta, votes: 64, threshold, quorums: 4 });
          const { total, seats } = vector.drawVotes64_T10pct_Q4;
          assert.deepEqual(drawn, { total, perQuorum: seats });
        }
      });

      it('seal a snapshot of four members', () => {
        const members: Member[] = vectors.snapshot.members.map((member, index) => ({
          index,
          signer: parseAddress(member.address),
          seats: member.seats,
          publicKey: keyAt(index).publicKey,
        }));
        const leaves = members.map((member) => leafHash(encodeMember(member)));
        assert.deepEqual(
          leaves.map(toHex),
          vectors.snapshot.members.map(({ leaf }) => leaf),
        );
        const { epoch, aggPk, membersRoot, hash, totalWeight } = vectors.snapshot;
        const snapshot = {
          epoch: Number(epoch),
          quorumId: 0,
          memberCount: 4,
          totalWeight: BigInt(totalWeight),
          membersRoot: treeRoot(leaves),
          aggregateKey: backend.addKeys(members.map(({ publicKey }) => publicKey)),
        };
        assert.equal(toHex(snapshot.membersRoot), membersRoot);
        assert.deepEqual(
          keyToStorageWords(snapshot.aggregateKey).map(wordValue),
          aggPk.map(BigInt),
        );
        assert.equal(toHex(snapshotHash(snapshot)), hash);

        const { statement, digest, nonSigners, aggregate, aggregateEip } = vectors.batchCertificate;
        const stated = { ...statementVector(statement), kind: STATEMENT_KINDS.batch };
        assert.equal(toHex(statementDigest(NETWORK, stated)), digest);
        const signing = [0, 1, 3].map((index) => signStatement(keyAt(index), NETWORK, stated));
        const sum = backend.addSignatures(signing);
        assert.equal(toHex(sum), aggregate);
        assert.equal(toHex(signatureToWords(sum, backend)), aggregateEip);
        assert.deepEqual(signatureFromWords(fromHex(aggregateEip), backend), sum);
        const [absent] = nonSigners;
        const body = encodeMember(members[2] ?? assert.fail());
        const path = absent?.proof.map(fromHex) ?? [];
        const root = rootOfPath({ leaf: leafHash(body), index: 2, count: 4, path });
        assert.ok(equalBytes(root, snapshot.membersRoot));
        assert.equal(toHex(body.subarray(28)), `0x${absent?.pk.map((w) => w.slice(2)).join('')}`);
        const verified = verifySnapshot(snapshot, officeOf(snapshot));
        const absence = { bodies: [body], siblings: path };
        const signed = { digest: statementDigest(NETWORK, stated), signature: sum };
        assert.equal(checkQuorum(signed, verified, absence, backend), 3n);
      });

      it('hash to the second group: the key 1 signs H(m)', () => {
        const one = new Uint8Array(32);
        one[31] = 1;
        const key = backend.openKey(one);
        for (const { msg, pointEip, pointCompressed } of vectors.hashToG2) {
          const point = key.sign(fromHex(msg) as SignableDigest);
          assert.equal(toHex(point), pointCompressed);
          assert.equal(toHex(signatureToWords(point, backend)), pointEip);
        }
      });

      it('turn keys into words and back', () => {
        for (const { publicKey } of keys) {
          const words = keyToWords(publicKey);
          assert.equal(words.length, 128);
          assert.deepEqual(keyFromWords(words, backend), publicKey);
        }
      });

      it('seat five signers, certify a batch without one of them, and verify it', () => {
        const { signers, headers, statement } = certificateCase;
        const material = (index: number) => keccak256(utf8Bytes(`cairn test vector key ${index}`));
        const signerKeys = signers.map(({ keyIndex }) =>
          backend.openKey(backend.secretFromMaterial(material(keyIndex))),
        );
        const round = { epoch: Number(certificateCase.epoch), seed: fromHex(certificateCase.seed) };
        const tickets = signers.map(({ address, ticket, beta }, index) => {
          const { publicKey } = signerKeys[index] ?? assert.fail();
          const signature = backend.parseSignature(fromHex(ticket));
          const context = { publicKey, network: NETWORK, round };
          const verified = verifyTicket(
            { signer: parseAddress(address), signature },
            context,
            backend,
          );
          assert.equal(toHex(verified.beta), beta);
          return verified;
        });
        const registered = signers.map(({ address }, index) => ({
          signer: parseAddress(address),
          votes: certificateCase.votesEach,
          publicKey: (signerKeys[index] ?? assert.fail()).publicKey,
        }));
        const params = {
          committeeSeats: certificateCase.tau,
          maxQuorums: certificateCase.Q,
          seatsPerQuorum: 512,
          contributors: 32,
          minSeatBps: 6700,
        };
        const seated = seatEpoch({ ...round, registered, tickets }, params, backend);
        assert.equal(String(seated.threshold), certificateCase.threshold);
        assert.equal(seated.quorums, 1);
        const group = seated.groups[0] ?? assert.fail();
        assert.deepEqual(
          group.members.map(({ seats }) => seats),
          signers.map(({ seats }) => seats),
        );
        assert.equal(toHex(group.hash), certificateCase.snapshot.hash);
        assert.equal(toHex(group.snapshot.membersRoot), certificateCase.snapshot.membersRoot);
        assert.deepEqual(
          keyToStorageWords(group.snapshot.aggregateKey).map(wordValue),
          certificateCase.snapshot.aggPk.map(BigInt),
        );
        const memberBodies = group.members.map(encodeMember);
        assert.deepEqual(
          memberBodies.map((body) => toHex(leafHash(body))),
          certificateCase.memberLeaves,
        );

        const bodies = headers.map((header) =>
          encodeBlobHeader({
            ...header,
            rowSizeBytes: header.rowSize,
            sizeBytes: header.length,
            commitment: fromHex(header.commitment),
            submitter: parseAddress(header.submitter),
            submissionIndex: BigInt(header.submissionIndex),
            expirySeconds: header.expiry,
          }),
        );
        assert.deepEqual(bodies.map(toHex), certificateCase.headerBodies);
        assert.deepEqual(
          bodies.map((body) => toHex(leafHash(body))),
          certificateCase.headerLeaves,
        );
        const stated = { ...statementVector(statement), kind: STATEMENT_KINDS.batch };
        assert.deepEqual(treeRoot(bodies.map(leafHash)), stated.root);
        assert.equal(toHex(statementDigest(NETWORK, stated)), certificateCase.digest);

        const snapshot = verifySnapshot(group.snapshot, officeOf(group.snapshot));
        const committee = verifyMembers(memberBodies, snapshot);
        const votes = [0, 1, 3, 4].map((memberIndex) => {
          const key = signerKeys[memberIndex] ?? assert.fail();
          const vote = { memberIndex, signature: signStatement(key, NETWORK, stated) };
          return verifyVote(vote, { network: NETWORK, statement: stated, committee }, backend);
        });
        const aggregate = sumVotes(votes, committee, backend);
        assert.equal(toHex(aggregate.signature), certificateCase.aggregate);
        assert.equal(
          toHex(signatureToWords(aggregate.signature as Signature, backend)),
          certificateCase.aggregateEip,
        );
        const absent = membersAbsent(committee, [2]);
        assert.deepEqual(absent.bodies.map(toHex), [certificateCase.nonSignersCompact]);
        assert.deepEqual(absent.siblings.map(toHex), certificateCase.siblings);

        const expected = fromHex(certificateCase.certificateMode0);
        const certificate = parseCertificate(expected, backend);
        const options = { network: NETWORK, bodies, leafIndex: certificate.leafIndex };
        const self = certify(aggregate, { ...options, isSelfContained: true });
        assert.equal(toHex(encodeCertificate(self)), certificateCase.certificateMode2);
        const byIndex = { ...self, signers: { mode: 'absent' as const, indexes: [2] } };
        assert.deepEqual(encodeCertificate(byIndex), expected);
        assert.equal(expected.length, 338);
        assert.equal(encodeCertificate(certify(aggregate, options)).length, 335);

        const { office } = snapshot;
        const time = { trustedTimeSeconds: office.endSeconds, graceSeconds: 60 };
        const place = { network: NETWORK, entrance: ENTRANCE, shardId: 7, maxMembers: 32 };
        const known = { ...place, snapshot, time };
        for (const bytes of [expected, fromHex(certificateCase.certificateMode2)]) {
          const parsed = parseCertificate(bytes, backend);
          assert.deepEqual(encodeCertificate(parsed), bytes);
          const proven = verifyBlobCertificate(parsed, { ...known, committee }, backend);
          assert.equal(toHex(proven.digest), certificateCase.digest);
          assert.equal(proven.signedWeight, 16n);
          assert.deepEqual(proven.header, parseBlobHeader(bodies[certificate.leafIndex] ?? bytes));
        }
      });
    });
  }
});

function wordValue(word: Uint8Array): bigint {
  return BigInt(toHex(word));
}

function statementVector(vector: (typeof certificateCase)['statement']) {
  return {
    domain: ENTRANCE,
    epoch: Number(vector.epoch),
    quorumId: vector.quorumId,
    count: vector.count,
    root: fromHex(vector.root),
  };
}
