import assert from 'node:assert/strict';
import {
  concatBytes,
  isFault,
  keccak256,
  parseAddress,
  sequenceOf,
  toHex,
} from '@cairn/primitives';
import {
  encodeRecord,
  ProofError,
  parseRecord,
  RECORD_BYTES,
  RecordTree,
  recordLeaf,
  recordProof,
  type SubmissionRecord,
  verifyRecord,
} from '../src/index.ts';
import { flipBit } from './support.ts';

function recordAt(sequence: number): SubmissionRecord {
  return {
    sequence: sequenceOf(sequence),
    fileRoot: keccak256(Uint8Array.of(sequence)),
    sizeBytes: 1000 + sequence,
    startSector: 2 ** 40 + sequence * 4,
    sectors: 4,
    submitter: parseAddress('0x00000000000000000000000000000000000000a1'),
    timeSeconds: 1_800_000_000 + sequence,
  };
}

function nodeOf(left: Uint8Array, right: Uint8Array): Uint8Array {
  return keccak256(Uint8Array.of(1), left, right);
}

/** The definition: zero leaves up to a power of two, then pairs. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let level = [...leaves];
  while (level.length === 0 || Math.log2(level.length) % 1 !== 0) level.push(new Uint8Array(32));
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let n = 0; n < level.length; n += 2) {
      above.push(nodeOf(level[n] ?? new Uint8Array(), level[n + 1] ?? new Uint8Array()));
    }
    level = above;
  }
  return level[0] ?? new Uint8Array();
}

describe('submission records', () => {
  it('are packed big-endian into 92 bytes, and read back', () => {
    const record = recordAt(7);
    const body = encodeRecord(record);
    assert.equal(body.length, RECORD_BYTES);
    assert.equal(toHex(body.subarray(0, 8)), '0x0000000000000007');
    assert.equal(toHex(body.subarray(40, 48)), '0x00000000000003ef');
    assert.equal(toHex(body.subarray(48, 56)), '0x000001000000001c');
    assert.equal(toHex(body.subarray(64, 84)), record.submitter);
    assert.deepEqual(parseRecord(body), record);
    const buffer = Buffer.from(body); // its slice is no copy
    const parsed = parseRecord(buffer);
    buffer.fill(1);
    assert.deepEqual(parsed, record);
  });

  it('are refused at another length and with numbers that lose digits', () => {
    assert.throws(
      () => parseRecord(new Uint8Array(91)),
      (error) => isFault(error, 'RECORD_LENGTH'),
    );
    assert.throws(() => parseRecord(new Uint8Array(92).fill(255)), RangeError);
    assert.throws(() => encodeRecord({ ...recordAt(1), sizeBytes: -1 }), RangeError);
    assert.throws(() => encodeRecord({ ...recordAt(1), fileRoot: new Uint8Array(31) }), RangeError);
  });
});

describe('the record tree', () => {
  it('has the defined root and a proof for each record at every count', async () => {
    const tree = RecordTree.empty();
    assert.deepEqual(tree.root(), new Uint8Array(32));
    const kept = new Map<string, Uint8Array>();
    const lookup = async (level: number, index: number): Promise<Uint8Array | undefined> =>
      kept.get(`${level}/${index}`);
    const bodies: Uint8Array[] = [];
    for (let sequence = 0; sequence < 34; sequence += 1) {
      const body = encodeRecord(recordAt(sequence));
      bodies.push(body);
      for (const { level, index, hash } of tree.append(body)) kept.set(`${level}/${index}`, hash);
    }
    for (let count = 1; count <= bodies.length; count += 1) {
      const root = naiveRoot(bodies.slice(0, count).map(recordLeaf));
      const replay = RecordTree.empty();
      for (const body of bodies.slice(0, count)) replay.append(body);
      assert.deepEqual(replay.root(), root);
      assert.equal(replay.count, count);
      for (let index = 0; index < count; index += 1) {
        const siblings = await recordProof({ index, count }, lookup);
        assert.equal(siblings.length, Math.ceil(Math.log2(count)));
        const body = bodies[index] ?? new Uint8Array();
        assert.deepEqual(verifyRecord({ root, count, index, body, siblings }), recordAt(index));
      }
    }
  });

  it('goes on from a snapshot', () => {
    let tree = RecordTree.empty();
    const other = RecordTree.empty();
    for (let sequence = 0; sequence < 40; sequence += 1) {
      const body = encodeRecord(recordAt(sequence));
      tree = RecordTree.restore(tree.snapshot());
      assert.deepEqual(tree.append(body), other.append(body));
      assert.deepEqual(tree.root(), other.root());
    }
  });

  it('refuses forged proofs', async () => {
    const tree = RecordTree.empty();
    const kept = new Map<string, Uint8Array>();
    for (let sequence = 0; sequence < 5; sequence += 1) {
      for (const node of tree.append(encodeRecord(recordAt(sequence)))) {
        kept.set(`${node.level}/${node.index}`, node.hash);
      }
    }
    const count = 5;
    const index = 3;
    const siblings = await recordProof({ index, count }, async (l, i) => kept.get(`${l}/${i}`));
    const claim = { root: tree.root(), count, index, body: encodeRecord(recordAt(3)), siblings };
    verifyRecord(claim);
    const refused = (bad: typeof claim, code: string): void =>
      assert.throws(
        () => verifyRecord(bad),
        (error) => error instanceof ProofError && isFault(error, code),
      );
    for (let bit = 0; bit < RECORD_BYTES * 8; bit += 1) {
      refused({ ...claim, body: flipBit(claim.body, bit) }, 'PROOF_WRONG_ROOT');
    }
    for (let bit = 0; bit < 256; bit += 1) {
      for (const place of siblings.keys()) {
        const forged = siblings.map((hash, n) => (n === place ? flipBit(hash, bit) : hash));
        refused({ ...claim, siblings: forged }, 'PROOF_WRONG_ROOT');
      }
    }
    refused({ ...claim, siblings: siblings.slice(1) }, 'PROOF_LENGTH');
    refused({ ...claim, siblings: [] }, 'PROOF_LENGTH');
    refused({ ...claim, siblings: [...siblings, claim.root] }, 'PROOF_LENGTH');
    refused({ ...claim, index: 2 }, 'PROOF_WRONG_ROOT');
    refused({ ...claim, index: 5 }, 'PROOF_INDEX');
    refused({ ...claim, index: -1 }, 'PROOF_INDEX');
    refused({ ...claim, siblings: siblings.map((s) => concatBytes(s, s)) }, 'PROOF_HASH_LENGTH');
    refused({ ...claim, count: 9 }, 'PROOF_LENGTH');
  });
});
