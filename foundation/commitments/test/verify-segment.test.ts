import assert from 'node:assert/strict';
import { concatBytes, isFault, keccak256, toHex } from '@cairn/primitives';
import fc from 'fast-check';
import { run } from '../src/hash-worker.ts';
import {
  commitBytes,
  type FileCommitment,
  FileTree,
  fileShape,
  type Hasher,
  loadHasher,
  ProofError,
  type Segment,
  segmentDataBytes,
  verifySegment,
  verifySegmentRoot,
  verifySegments,
  zeroSubtreeRoot,
} from '../src/index.ts';
import { aperiodicBytes, flipBit, SEED, vectorFiles } from './support.ts';

describe('segment verification', () => {
  let hasher: Hasher;
  before(async () => {
    hasher = await loadHasher();
  });

  function segmentOf(bytes: Uint8Array, commitment: FileCommitment, index: number): Segment {
    const data = new Uint8Array(segmentDataBytes(commitment.shape, index));
    data.set(bytes.subarray(index * 262_144, index * 262_144 + data.length));
    const { root, tree } = commitment;
    return { root, sizeBytes: bytes.length, index, data, proof: tree.proofAt(index) };
  }

  function refused(segment: Segment, code?: string): void {
    assert.throws(
      () => verifySegment(segment, hasher),
      (error) => error instanceof ProofError && (code === undefined || isFault(error, code)),
    );
  }

  it('accepts every segment that the official SDK sends', () => {
    let count = 0;
    for (const { file, bytes } of vectorFiles()) {
      const commitment = commitBytes(hasher, bytes);
      for (const { index } of file.segmentProofs ?? []) {
        const segment = segmentOf(bytes, commitment, index);
        const verified = verifySegment(segment, hasher);
        assert.deepEqual(verified.segmentRoot, commitment.tree.segmentRootAt(index));
        assert.equal(verified.data, segment.data);
        count += 1;
      }
    }
    assert.equal(count > 30, true);
  });

  it('proves several at once in another thread, and refuses all if one is not right', async () => {
    const pool = {
      run: async <Result>(task: unknown): Promise<Result> =>
        (await run(structuredClone(task))) as Result,
    };
    const bytes = aperiodicBytes(3 * 262_144 + 70_001);
    const commitment = commitBytes(hasher, bytes);
    const segments = [3, 0, 2].map((index) => segmentOf(bytes, commitment, index));
    const { signal } = new AbortController();
    const proven = await verifySegments(segments, { hasher, pool, signal });
    assert.deepEqual(
      proven,
      segments.map((segment) => verifySegment(segment, hasher)),
    );
    for (const at of segments.keys()) {
      const spoiled = segments.map((segment, place) =>
        place === at ? { ...segment, data: flipBit(segment.data, 8 * 1000 + at) } : segment,
      );
      await assert.rejects(verifySegments(spoiled, { hasher, pool, signal }), (error) =>
        isFault(error, 'PROOF_WRONG_ROOT'),
      );
    }
  });

  it('accepts all segments of files of random length', () => {
    const property = fc.property(fc.integer({ min: 1, max: 3_000_000 }), (sizeBytes) => {
      const bytes = aperiodicBytes(sizeBytes);
      const commitment = commitBytes(hasher, bytes);
      for (let index = 0; index < commitment.shape.segments; index += 1) {
        verifySegment(segmentOf(bytes, commitment, index), hasher);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 12 });
  });

  it('refuses the empty path under a root of many segments, even with the root as data', () => {
    const bytes = aperiodicBytes(300_000);
    const commitment = commitBytes(hasher, bytes);
    const { tree, root } = commitment;
    const segment = segmentOf(bytes, commitment, 0);
    refused({ ...segment, proof: { siblings: [] } }, 'PROOF_LENGTH');
    assert.throws(
      () =>
        verifySegmentRoot(
          { root, sizeBytes: bytes.length, index: 0, segmentRoot: root, proof: { siblings: [] } },
          hasher,
        ),
      (error) => isFault(error, 'PROOF_LENGTH'),
    );
    // Leaves and nodes hash alike, so the pair itself could pose as data.
    const pair = concatBytes(tree.segmentRootAt(0), tree.segmentRootAt(1));
    assert.equal(toHex(keccak256(pair)), toHex(root));
    refused({ root, sizeBytes: bytes.length, index: 0, data: pair, proof: { siblings: [] } });
  });

  it('refuses every flipped bit of path and root, and flipped bits of the data', () => {
    const bytes = aperiodicBytes(5 * 262_144 + 1);
    const commitment = commitBytes(hasher, bytes);
    const index = 5;
    const honest = segmentOf(bytes, commitment, index);
    verifySegment(honest, hasher);
    const claim = { ...honest, segmentRoot: commitment.tree.segmentRootAt(index) };
    for (let bit = 0; bit < 256; bit += 1) {
      for (const place of honest.proof.siblings.keys()) {
        const siblings = honest.proof.siblings.map((hash, n) =>
          n === place ? flipBit(hash, bit) : hash,
        );
        assert.throws(
          () => verifySegmentRoot({ ...claim, proof: { siblings } }, hasher),
          ProofError,
        );
      }
      assert.throws(
        () => verifySegmentRoot({ ...claim, root: flipBit(claim.root, bit) }, hasher),
        ProofError,
      );
      const segmentRoot = flipBit(claim.segmentRoot, bit);
      assert.throws(() => verifySegmentRoot({ ...claim, segmentRoot }, hasher), ProofError);
    }
    for (let bit = 0; bit < honest.data.length * 8; bit += 1) {
      refused({ ...honest, data: flipBit(honest.data, bit) }, 'PROOF_WRONG_ROOT');
    }
  });

  it('refuses shorter and longer paths, exchanged siblings and hashes of other lengths', () => {
    const bytes = aperiodicBytes(11 * 262_144);
    const commitment = commitBytes(hasher, bytes);
    for (const index of [0, 4, 10]) {
      const honest = segmentOf(bytes, commitment, index);
      const { siblings } = honest.proof;
      refused({ ...honest, proof: { siblings: siblings.slice(1) } }, 'PROOF_LENGTH');
      refused({ ...honest, proof: { siblings: siblings.slice(0, -1) } }, 'PROOF_LENGTH');
      refused({ ...honest, proof: { siblings: [...siblings, honest.root] } }, 'PROOF_LENGTH');
      refused({ ...honest, proof: { siblings: siblings.toReversed() } });
      const short = siblings.map((hash) => hash.subarray(1));
      refused({ ...honest, proof: { siblings: short } }, 'PROOF_HASH_LENGTH');
      refused({ ...honest, root: honest.root.subarray(1) }, 'PROOF_HASH_LENGTH');
    }
  });

  it('refuses a segment at any index but its own', () => {
    const bytes = aperiodicBytes(9 * 262_144);
    const commitment = commitBytes(hasher, bytes);
    const honest = segmentOf(bytes, commitment, 3);
    for (const index of [0, 1, 2, 4, 5, 6, 7, 8]) refused({ ...honest, index });
    for (const index of [-1, 9, 2.5, Number.NaN]) refused({ ...honest, index }, 'SEGMENT_INDEX');
  });

  it('refuses data of another length than the file size demands', () => {
    const bytes = aperiodicBytes(262_144 + 300);
    const commitment = commitBytes(hasher, bytes);
    const honest = segmentOf(bytes, commitment, 1);
    assert.equal(honest.data.length, 512);
    refused({ ...honest, data: honest.data.subarray(0, 300) }, 'SEGMENT_LENGTH');
    refused({ ...honest, data: concatBytes(honest.data, new Uint8Array(256)) }, 'SEGMENT_LENGTH');
    refused({ ...honest, sizeBytes: 262_144 + 600 }, 'SEGMENT_LENGTH');
  });

  it('accepts what the root commits to between the file end and the sector end', () => {
    // The same root on chain with a smaller size must not stop the honest upload.
    const bytes = aperiodicBytes(300);
    const commitment = commitBytes(hasher, bytes);
    verifySegment({ ...segmentOf(bytes, commitment, 0), sizeBytes: 257 }, hasher);
  });

  it('refuses hidden bytes where the file is padding only', () => {
    // 33 segments and a sector pad to 36 segments, so the last two hold no data. An uploader puts
    // something there and proves segment 33 honestly under the root that comes of it.
    const sizeBytes = 33 * 262_144 + 1;
    const shape = fileShape(sizeBytes);
    assert.deepEqual([shape.segments, shape.paddedSegments], [34, 36]);
    const data = aperiodicBytes(256);
    const hidden = { ...shape, segments: 36 };
    const roots = new Uint8Array(36 * 32).fill(7);
    roots.set(hasher.segmentRoot(data, 1024), 33 * 32);
    roots.set(zeroSubtreeRoot(10), 34 * 32);
    roots.set(zeroSubtreeRoot(10), 35 * 32);
    const zeroTree = FileTree.fromSegmentRoots(hasher, hidden, roots);
    const honest = { root: zeroTree.root, sizeBytes, index: 33, data, proof: zeroTree.proofAt(33) };
    verifySegment(honest, hasher);
    roots.fill(9, 35 * 32);
    const tree = FileTree.fromSegmentRoots(hasher, hidden, roots);
    refused({ ...honest, root: tree.root, proof: tree.proofAt(33) }, 'PROOF_PADDING');
  });
});
