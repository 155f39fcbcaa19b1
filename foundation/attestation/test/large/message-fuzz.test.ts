import assert from 'node:assert/strict';
import { equalBytes, Fault, fromHex, seededRng } from '@cairn/primitives';
import { mutate } from '../../../../test/support/mutate.ts';
import { isSoak, seedOf } from '../../../../test/support/soak.ts';
import { encodeBlobHeader, parseBlobHeader } from '../../src/blob-header.ts';
import { encodeCertificate, parseCertificate } from '../../src/certificate.ts';
import { certify } from '../../src/certify.ts';
import { DA_LOG_TYPES, encodeDaLogLeaf, parseDaLogLeaf } from '../../src/da-log-leaf.ts';
import { encodeEpochHeader, parseEpochHeader } from '../../src/epoch-header.ts';
import { encodeMember, memberOfProven } from '../../src/member.ts';
import { leafHash, treeRoot } from '../../src/merkle-tree.ts';
import { blstBackend } from '../../src/native.ts';
import { encodeServedEntry, parseServedEntry } from '../../src/served-entry.ts';
import { encodeSnapshot, parseSnapshot } from '../../src/snapshot.ts';
import { STATEMENT_KINDS } from '../../src/statement.ts';
import { verifyBlobCertificate } from '../../src/verify-certificate.ts';
import { signStatement, sumVotes, verifyVote } from '../../src/vote.ts';
import { ENTRANCE, NETWORK, testCommittee, testHeader, vectors } from '../support.ts';

/** Damaged messages in all. */
const RUNS = isSoak ? 200_000 : 2_000;

interface Kind {
  readonly what: string;
  readonly valid: Uint8Array;
  /** Reads a message and writes it again. */
  readonly again: (bytes: Uint8Array) => Uint8Array;
}

describe('damaged messages', () => {
  const backend = blstBackend();
  const group = testCommittee([1, 2, 3, 1, 2]);
  const { snapshot, members } = group.committee;
  const [member] = members;
  if (member === undefined) throw new Error('a committee has members');
  const { certificateMode0, certificateMode2 } = vectors.certificateCase;
  const log = { type: DA_LOG_TYPES.batch, epoch: 1, quorumId: 0, count: 3, timeSeconds: 9 };
  const entry = { holder: member.signer, drawn: 9, served: 8 };
  const certificate = (bytes: Uint8Array): Uint8Array =>
    encodeCertificate(parseCertificate(bytes, backend));
  const kinds: readonly Kind[] = [
    { what: 'certificate by index', valid: fromHex(certificateMode0), again: certificate },
    {
      what: 'certificate that brings members',
      valid: fromHex(certificateMode2),
      again: certificate,
    },
    {
      what: 'blob header',
      valid: encodeBlobHeader(testHeader(1)),
      again: (bytes) => encodeBlobHeader(parseBlobHeader(bytes)),
    },
    {
      what: 'epoch header',
      valid: encodeEpochHeader(snapshot.office),
      again: (bytes) => encodeEpochHeader(parseEpochHeader(bytes)),
    },
    {
      what: 'member',
      valid: encodeMember(member),
      again: (bytes) => encodeMember(memberOfProven(bytes)),
    },
    {
      what: 'snapshot',
      valid: encodeSnapshot(snapshot),
      again: (bytes) => encodeSnapshot(parseSnapshot(bytes, backend)),
    },
    {
      what: 'served entry',
      valid: encodeServedEntry(entry),
      again: (bytes) => encodeServedEntry(parseServedEntry(bytes)),
    },
    {
      what: 'log leaf',
      valid: encodeDaLogLeaf({ ...log, batchRoot: new Uint8Array(32) }),
      again: (bytes) => encodeDaLogLeaf(parseDaLogLeaf(bytes)),
    },
    {
      what: 'log leaf with void leaves',
      valid: encodeDaLogLeaf({
        ...log,
        type: DA_LOG_TYPES.batchWithVoids,
        batchRoot: new Uint8Array(32),
        voidsHash: new Uint8Array(32),
      }),
      again: (bytes) => encodeDaLogLeaf(parseDaLogLeaf(bytes)),
    },
  ];
  const seed = seedOf(20_261_124);

  it(`are refused with a fault, or are messages in their one form (seed ${seed}, ${RUNS} runs)`, () => {
    const rng = seededRng(seed);
    let refused = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const kind = kinds[run % kinds.length] ?? assert.fail();
      const bytes = mutate(kind.valid, rng);
      try {
        assert.ok(
          equalBytes(kind.again(bytes), bytes),
          `run ${run}: another form of a ${kind.what}`,
        );
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        refused += 1;
      }
    }
    assert.ok(refused > RUNS / 3 && refused < RUNS, `${refused} of ${RUNS} refused`);
  });

  it(`prove nothing as certificates (seed ${seed + 1})`, () => {
    const rng = seededRng(seed + 1);
    const bodies = [0, 1, 2].map((index) => encodeBlobHeader(testHeader(index)));
    const root = treeRoot(bodies.map(leafHash));
    const place = { domain: ENTRANCE, epoch: 7, quorumId: 0, count: 3 };
    const statement = { kind: STATEMENT_KINDS.batch, ...place, root };
    const context = { network: NETWORK, statement, committee: group.committee };
    const votes = [0, 1, 2, 4].map((memberIndex) => {
      const key = group.keys[memberIndex] ?? assert.fail();
      const vote = { memberIndex, signature: signStatement(key, NETWORK, statement) };
      return verifyVote(vote, context, backend);
    });
    const aggregate = sumVotes(votes, group.committee, backend);
    const valid = [false, true].map((isSelfContained) => {
      const options = { network: NETWORK, bodies, leafIndex: 1, isSelfContained };
      return encodeCertificate(certify(aggregate, options));
    });
    const time = { isConfirmed: true } as const;
    const asked = { network: NETWORK, entrance: ENTRANCE, shardId: 7, maxMembers: 32, time };
    const known = { ...asked, ...group, snapshot };
    const verify = (bytes: Uint8Array) =>
      verifyBlobCertificate(parseCertificate(bytes, backend), known, backend);
    for (const bytes of valid) assert.equal(verify(bytes).signedWeight, 8n);
    for (let run = 0; run < RUNS / 4; run += 1) {
      const whole = valid[run % 2] ?? assert.fail();
      const bytes = mutate(whole, rng);
      if (equalBytes(bytes, whole)) continue;
      assert.throws(
        () => verify(bytes),
        (error) => error instanceof Fault,
        `run ${run}`,
      );
    }
  });
});
