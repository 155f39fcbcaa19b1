import assert from 'node:assert/strict';
import { FileTree, fileShape, nobleHasher } from '@cairn/commitments';
import { Fault, isFault, SEGMENT_BYTES, toHex } from '@cairn/primitives';
import fc from 'fast-check';
import {
  parseZgFileInfo,
  parseZgProof,
  parseZgSegment,
  parseZgSegments,
  parseZgShardConfig,
  parseZgShardedNodes,
  parseZgStatus,
} from '../../src/zg/parse.ts';
import { segmentProofOf, zgProofOf } from '../../src/zg/proof.ts';

const ROOT = `0x${'ab'.repeat(32)}`;

/** The reply of a 0G node for the 262,145-byte file of the public vectors. */
const FILE_INFO = {
  tx: {
    streamIds: [],
    data: [],
    dataMerkleRoot: ROOT,
    merkleNodes: [
      [11, ROOT],
      [8, ROOT],
    ],
    startEntryIndex: 3072,
    size: 262_145,
    seq: 8,
  },
  finalized: true,
  isCached: false,
  uploadedSegNum: 2,
};

const STATUS = {
  connectedPeers: 12,
  logSyncHeight: 2_600_123,
  logSyncBlock: ROOT,
  nextTxSeq: 41_234,
  networkIdentity: {
    chainId: 16_661,
    flowAddress: '0x62D4144dB0F0a6fBBaeb6296c785C71B3D57C526',
    p2pProtocolVersion: { major: 0, minor: 4, build: 0 },
  },
};

describe('0G shapes', () => {
  it('take what 0G nodes send, with and without `pruned`', () => {
    assert.equal(parseZgFileInfo(FILE_INFO).pruned, false);
    assert.equal(parseZgFileInfo({ ...FILE_INFO, pruned: true }).pruned, true);
    assert.deepEqual(parseZgFileInfo(FILE_INFO).tx, FILE_INFO.tx);
    assert.equal(
      parseZgStatus(STATUS).networkIdentity.flowAddress,
      '0x62d4144db0f0a6fbbaeb6296c785c71b3d57c526',
    );
    assert.deepEqual(parseZgShardConfig({ shardId: 1, numShard: 2 }), { shardId: 1, numShard: 2 });
  });

  it('take null for an empty list of nodes', () => {
    const node = {
      url: 'http://1.2.3.4:5678/',
      config: { shardId: 0, numShard: 1 },
      latency: 3,
      since: 1,
    };
    assert.deepEqual(parseZgShardedNodes({ trusted: [node], discovered: null }), {
      trusted: [{ ...node, url: 'http://1.2.3.4:5678' }],
      discovered: [],
    });
  });

  it('refuse what is out of form with a named fault', () => {
    const segment = { root: ROOT, data: '', index: 0, proof: { lemma: [], path: [] }, fileSize: 1 };
    assert.equal(
      parseZgSegment({ ...segment, root: ROOT.toUpperCase().replace('0X', '0x') }).root,
      ROOT,
    );
    const bad: unknown[] = [
      null,
      [],
      { ...segment, root: 'x' },
      { ...segment, index: -1 },
      { ...segment, index: 2 ** 53 },
      { ...segment, index: '0' },
      { ...segment, fileSize: 1.5 },
      { ...segment, proof: { lemma: Array(43).fill(ROOT), path: [] } },
      { ...segment, proof: { lemma: [], path: [1] } },
      { ...segment, data: 'A'.repeat(524_289) },
    ];
    for (const value of bad) {
      assert.throws(
        () => parseZgSegment(value),
        (error) => error instanceof Fault && error.code.startsWith('WIRE_'),
      );
    }
    assert.throws(
      () => parseZgSegments(Array(1025).fill(segment)),
      (error) => isFault(error, 'WIRE_TOO_LONG'),
    );
    assert.throws(
      () => parseZgShardConfig({ shardId: 2, numShard: 2 }),
      (error) => isFault(error, 'SHARD_INVALID'),
    );
    assert.throws(
      () =>
        parseZgShardedNodes({
          trusted: [{ url: 'file:///etc/passwd', config: { shardId: 0, numShard: 1 } }],
        }),
      (error) => isFault(error, 'WIRE_FIELD'),
    );
  });

  it('never throw anything but a named fault', () => {
    const parsers = [
      parseZgSegment,
      parseZgFileInfo,
      parseZgStatus,
      parseZgProof,
      parseZgShardedNodes,
    ];
    fc.assert(
      fc.property(fc.constantFrom(...parsers), fc.anything(), (parser, value) => {
        try {
          parser(value);
        } catch (error) {
          assert.ok(error instanceof Fault, String(error));
        }
      }),
    );
  });
});

describe('0G proofs', () => {
  it('carry leaf, siblings, root and sides, and lead back to the siblings', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), (segments, pick) => {
        const shape = fileShape(segments * SEGMENT_BYTES);
        const roots = new Uint8Array(shape.segments * 32).map((_, at) => (at * 7 + segments) & 255);
        const tree = FileTree.fromSegmentRoots(nobleHasher, shape, roots);
        const index = pick % shape.segments;
        const proof = tree.proofAt(index);
        const zg = zgProofOf(
          tree.segmentRootAt(index),
          proof,
          index,
          shape.paddedSegments,
          tree.root,
        );
        assert.equal(zg.lemma.length, segments === 1 ? 1 : zg.path.length + 2);
        assert.equal(zg.lemma.at(-1), toHex(tree.root));
        assert.deepEqual(
          segmentProofOf(parseZgProof(zg)).siblings.map(toHex),
          proof.siblings.map(toHex),
        );
        // The position walk of 0G's clients: from the top, halves by the next power of two.
        let position = 0;
        let left = shape.paddedSegments;
        for (const isLeft of zg.path.toReversed()) {
          assert.ok(left > 1);
          const half = 2 ** Math.ceil(Math.log2(left)) / 2;
          if (isLeft) left = half;
          else {
            position += half;
            left -= half;
          }
        }
        assert.equal(left, 1);
        assert.equal(position, index);
      }),
      { numRuns: 40 },
    );
  });

  it('refuse hashes and sides that do not fit each other', () => {
    assert.throws(
      () => segmentProofOf({ lemma: ['0x00'], path: [true] }),
      (error) => isFault(error, 'WIRE_FIELD'),
    );
    assert.throws(
      () => segmentProofOf({ lemma: [], path: [] }),
      (error) => isFault(error, 'WIRE_FIELD'),
    );
  });
});
