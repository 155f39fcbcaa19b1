import assert from 'node:assert/strict';
import {
  bigEndianBytes,
  chainIdOf,
  concatBytes,
  isFault,
  keccak256,
  toHex,
} from '@cairn/primitives';
import { type BlobHeader, encodeBlobHeader, promisedIndex } from '../../src/blob-header.ts';
import { type Checkpoint, encodeCheckpoint } from '../../src/checkpoint.ts';
import { encodeEpochHeader } from '../../src/epoch-header.ts';
import { findEquivocation, slotOf } from '../../src/equivocation.ts';
import { leafHash, treePath, treeRoot } from '../../src/merkle-tree.ts';
import { blstBackend } from '../../src/native.ts';
import { keyFromWords, signatureFromWords } from '../../src/points.ts';
import { type SignedLeaf, verifySignedLeaf } from '../../src/signed-leaf.ts';
import { type Domain, STATEMENT_KINDS, type StatementKind } from '../../src/statement.ts';
import { signStatement } from '../../src/vote.ts';
import { ENTRANCE, NETWORK, testAddress, testCommittee, testHeader, testKey } from '../support.ts';

const backend = blstBackend();
const key = testKey(0);

interface Signing {
  readonly kind?: StatementKind;
  readonly domain?: Domain;
  readonly epoch?: number;
  /** Headers of the batch; the first one is what is looked at. */
  readonly headers: readonly BlobHeader[];
  readonly signer?: typeof key;
}

function signed({
  kind = STATEMENT_KINDS.batch,
  domain = ENTRANCE,
  epoch = 7,
  headers,
  signer = key,
}: Signing) {
  const bodies = headers.map(encodeBlobHeader);
  const leaves = bodies.map(leafHash);
  const statement = { kind, domain, epoch, quorumId: 0, count: bodies.length };
  const signature = signStatement(signer, NETWORK, { ...statement, root: treeRoot(leaves) });
  const body = bodies[0] ?? assert.fail();
  const { publicKey } = signer;
  const leaf: SignedLeaf = {
    publicKey,
    statement,
    body,
    leafIndex: 0,
    path: treePath(leaves, 0),
    signature,
  };
  return verifySignedLeaf(leaf, NETWORK, backend);
}

/** Words as the bytes that they stand for. */
function wordBytes(words: readonly bigint[]): Uint8Array {
  return concatBytes(...words.map((word) => bigEndianBytes(word, 32)));
}

const one = testHeader(1);
const other = testHeader(1, { sizeBytes: 9 });

describe('equivocation', () => {
  it('is two headers for one slot, with the evidence that the slasher takes', () => {
    const first = signed({ headers: [one, testHeader(2)] });
    const second = signed({ headers: [other, testHeader(3), testHeader(4)] });
    const evidence = findEquivocation(first, second, backend);
    assert.ok(evidence?.call === 'slashDA');
    assert.deepEqual(evidence.domain, { chainId: ENTRANCE.chainId, entrance: ENTRANCE.address });
    const words = wordBytes(evidence.key);
    assert.deepEqual(words, new Uint8Array(key.publicKey));
    const padded = concatBytes(
      new Uint8Array(16),
      words.subarray(0, 48),
      new Uint8Array(16),
      words.subarray(48),
    );
    assert.deepEqual(keyFromWords(padded, backend), key.publicKey);
    for (const [header, vote, leaf] of [
      [evidence.first, evidence.firstVote, first],
      [evidence.second, evidence.secondVote, second],
    ] as const) {
      assert.equal(header.version, 1);
      const { rowSize, length, expiry, version: _version, ...rest } = header;
      const rebuilt = { ...rest, rowSizeBytes: rowSize, sizeBytes: length, expirySeconds: expiry };
      assert.deepEqual(encodeBlobHeader(rebuilt), leaf.body);
      assert.equal(vote.signature.length, 8);
      const { kind, epoch, quorumId, count, index, path } = vote;
      const statement = { kind, domain: ENTRANCE, epoch, quorumId, count };
      const signature = signatureFromWords(wordBytes(vote.signature), backend);
      const again = {
        publicKey: key.publicKey,
        statement,
        body: leaf.body,
        leafIndex: index,
        path,
      };
      verifySignedLeaf({ ...again, signature }, NETWORK, backend);
    }
  });

  it('is one in whatever epochs, and in batches of either kind, as the slot is one', () => {
    const first = signed({ headers: [one] });
    for (const [signing, kind, epoch] of [
      [{ headers: [other], epoch: 8 }, 1, 8],
      [{ headers: [other], kind: STATEMENT_KINDS.promisedBatch }, 5, 7],
    ] as const) {
      const evidence = findEquivocation(first, signed(signing), backend);
      assert.ok(evidence?.call === 'slashDA');
      const { firstVote, secondVote } = evidence;
      assert.deepEqual([firstVote.kind, firstVote.epoch], [1, 7]);
      assert.deepEqual([secondVote.kind, secondVote.epoch], [kind, epoch]);
    }
  });

  it('is not the same header in two batches, nor headers of two slots', () => {
    const first = signed({ headers: [one] });
    assert.equal(findEquivocation(first, first, backend), undefined);
    for (const signing of [
      { headers: [one, testHeader(2)] },
      { headers: [testHeader(2)] },
      { headers: [{ ...other, shardId: 8 }] },
      { headers: [other], signer: testKey(1) },
      { headers: [other], domain: { ...ENTRANCE, chainId: chainIdOf(3) } },
      { headers: [other], domain: { ...ENTRANCE, address: testAddress(3) } },
      { headers: [other], kind: STATEMENT_KINDS.served },
    ]) {
      assert.equal(findEquivocation(first, signed(signing), backend), undefined);
      assert.equal(findEquivocation(signed(signing), first, backend), undefined);
    }
  });

  it('knows promised blobs by their payer too', () => {
    const submissionIndex = promisedIndex({ epoch: 7, slot: 3 });
    const kind = STATEMENT_KINDS.promisedBatch;
    const mine = { ...one, submissionIndex };
    const first = signed({ kind, headers: [mine] });
    const theirs = signed({ kind, headers: [{ ...mine, submitter: testAddress(4) }] });
    assert.equal(findEquivocation(first, theirs, backend), undefined, 'two payers, one slot');
    const again = signed({ kind, headers: [{ ...mine, sizeBytes: 5 }] });
    assert.equal(findEquivocation(first, again, backend)?.call, 'slashDA');
    const submitted = signed({ headers: [{ ...one, submitter: testAddress(4), sizeBytes: 5 }] });
    assert.equal(
      findEquivocation(signed({ headers: [one] }), submitted, backend)?.call,
      'slashDA',
      'a counted index is one slot, whoever submitted it',
    );
  });

  it('is two checkpoints of one number of a shard, in whatever epochs', () => {
    const orderingHub = { chainId: NETWORK.hubChainId, address: testAddress(9) };
    const zeros = new Uint8Array(32);
    const bundle = (fields: Partial<Checkpoint>, epoch = 7, domain: Domain = orderingHub) => {
      const roots = { previous: zeros, flowRoot: zeros, logRoot: zeros, daRoot: zeros };
      const counts = { flowLength: 1, logCount: 2, daCount: 3, blockNumber: 40 };
      const place = { shardId: 2, number: 4, blockHash: zeros, timeSeconds: 1_800_000_000 };
      const body = encodeCheckpoint({ ...roots, ...counts, ...place, ...fields });
      const leaves = [keccak256(), leafHash(body)];
      const statement = { kind: STATEMENT_KINDS.checkpoints, domain, epoch, quorumId: 0, count: 2 };
      const root = treeRoot(leaves);
      const signature = signStatement(key, NETWORK, { ...statement, root });
      const path = treePath(leaves, 1);
      const leaf = { publicKey: key.publicKey, statement, body, leafIndex: 1, path, signature };
      return verifySignedLeaf(leaf, NETWORK, backend);
    };
    const evidence = findEquivocation(bundle({}), bundle({ daCount: 9 }, 11), backend);
    assert.ok(evidence?.call === 'slashCheckpoint');
    assert.equal(evidence.first.daCount, 3);
    assert.equal(evidence.second.daCount, 9);
    assert.deepEqual([evidence.firstVote.epoch, evidence.secondVote.epoch], [7, 11]);
    assert.equal(evidence.second.time, 1_800_000_000);
    for (const second of [
      bundle({}, 11),
      bundle({ number: 5 }),
      bundle({ shardId: 3, daCount: 9 }),
      bundle({ daCount: 9 }, 7, { ...orderingHub, address: testAddress(8) }),
      signed({ headers: [one] }),
    ]) {
      assert.equal(findEquivocation(bundle({}), second, backend), undefined);
      assert.equal(findEquivocation(second, bundle({}), backend), undefined);
    }
    const elsewhere = { ...orderingHub, chainId: chainIdOf(3) };
    const [mine, theirs] = [{}, { daCount: 9 }].map((fields) => bundle(fields, 7, elsewhere));
    assert.ok(mine !== undefined && theirs !== undefined);
    assert.equal(findEquivocation(mine, theirs, backend), undefined, 'not of the hub');
  });

  it('is two headers for one epoch', () => {
    const { office } = testCommittee([1]).committee.snapshot;
    const hub = { chainId: NETWORK.hubChainId, address: NETWORK.hub };
    const handover = (fields: Partial<typeof office>, quorumId = 0, domain: Domain = hub) => {
      const header = { ...office, epoch: 8, ...fields };
      const body = encodeEpochHeader(header);
      const statement = {
        kind: STATEMENT_KINDS.handover,
        domain,
        epoch: 7,
        quorumId,
        count: 1,
      };
      const root = keccak256(body);
      const signature = signStatement(key, NETWORK, { ...statement, root });
      const { publicKey } = key;
      const leaf = { publicKey, statement, body, leafIndex: 0, path: [], signature };
      return verifySignedLeaf(leaf, NETWORK, backend);
    };
    const evidence = findEquivocation(handover({}), handover({ orderCount: 1 }), backend);
    assert.ok(evidence?.call === 'slashHandover');
    assert.equal(evidence.first.orderCount, 0);
    assert.equal(evidence.second.orderCount, 1);
    assert.equal(evidence.firstSignature.length, 8);
    assert.equal(toHex(evidence.first.prev), toHex(office.previous));
    assert.equal(findEquivocation(handover({}), handover({}), backend), undefined);
    assert.equal(findEquivocation(handover({}), handover({ epoch: 9 }), backend), undefined);
    assert.equal(
      findEquivocation(handover({}), handover({ orderCount: 1 }, 1), backend),
      undefined,
    );
    for (const domain of [ENTRANCE, { ...hub, chainId: chainIdOf(3) }]) {
      const [mine, theirs] = [{}, { orderCount: 1 }].map((fields) => handover(fields, 0, domain));
      assert.ok(mine !== undefined && theirs !== undefined);
      assert.equal(findEquivocation(mine, theirs, backend), undefined, 'no handover of the hub');
    }
    assert.equal(findEquivocation(handover({}), signed({ headers: [one] }), backend), undefined);
  });

  it('needs signatures that stand', () => {
    const good = signed({ headers: [one, testHeader(2)] });
    for (const change of [
      { body: encodeBlobHeader(other) },
      { leafIndex: 1 },
      { statement: { ...good.statement, epoch: 8 } },
      { publicKey: testKey(1).publicKey },
    ]) {
      assert.throws(
        () => verifySignedLeaf({ ...good, ...change }, NETWORK, backend),
        (error) => isFault(error, 'SIGNATURE_WRONG'),
      );
    }
    assert.throws(
      () => verifySignedLeaf({ ...good, path: [] }, NETWORK, backend),
      (error) => isFault(error, 'PATH_LENGTH'),
    );
  });

  it('has slots for what is signed once, and none for reports', () => {
    const body = encodeBlobHeader(one);
    const statement = { kind: STATEMENT_KINDS.batch, domain: ENTRANCE };
    const slot = slotOf({ statement, body });
    assert.deepEqual(slotOf({ statement, body: encodeBlobHeader(other) }), slot);
    assert.equal(slot?.length, 1 + 8 + 20 + 4 + 8);
    const report = { statement: { ...statement, kind: STATEMENT_KINDS.served }, body };
    assert.equal(slotOf(report), undefined);
  });
});
