import assert from 'node:assert/strict';
import { isFault, keccak256, toHex } from '@cairn/primitives';
import fc from 'fast-check';
import {
  assertNodeLayout,
  commitBytes,
  commitmentFromSegmentRoots,
  FileTree,
  fileShape,
  type Hasher,
  loadHasher,
  nobleHasher,
  proofSides,
  proofSteps,
  rootOfNodes,
  segmentDataBytes,
} from '../src/index.ts';
import { madeUpNodes, naiveRoot, SEED, vectorFiles } from './support.ts';

describe('file trees', () => {
  let hasher: Hasher;
  before(async () => {
    hasher = await loadHasher();
  });

  for (const { file, bytes, title } of vectorFiles()) {
    it(`give root, nodes, segment roots and proofs of the official SDK for ${title}`, () => {
      const { root, nodes, tree, shape } = commitBytes(hasher, bytes);
      assert.equal(toHex(root), file.root);
      assert.deepEqual(
        nodes.map((node) => [node.height, toHex(node.root)]),
        (file.nodes ?? file.submission?.nodes ?? []).map((node) => [node.height, node.root]),
      );
      assert.equal(toHex(rootOfNodes(nodes)), file.root);
      assertNodeLayout(nodes, file.size);
      for (const [index, segmentRoot] of (file.segmentRoots ?? []).entries()) {
        assert.equal(toHex(tree.segmentRootAt(index)), segmentRoot);
      }
      for (const proof of file.segmentProofs ?? []) {
        assert.equal(toHex(tree.segmentRootAt(proof.index)), proof.lemma[0]);
        assert.deepEqual(tree.proofAt(proof.index).siblings.map(toHex), proof.lemma.slice(1, -1));
        assert.deepEqual(
          proofSides(proof.index, shape.paddedSegments),
          proof.path.map((isLeft) => (isLeft ? 'right' : 'left')),
        );
        assert.equal(segmentDataBytes(shape, proof.index), proof.dataBytesSent);
      }
    });
  }

  it('equal the recursive definition and the fold of their nodes', () => {
    const property = fc.property(fc.integer({ min: 1, max: 150 }), (segments) => {
      const shape = fileShape(segments * 262_144);
      const leaves = Array.from({ length: shape.segments }, (_, n) => keccak256(Uint8Array.of(n)));
      const tree = FileTree.fromSegmentRoots(hasher, shape, Buffer.concat(leaves));
      const all = Array.from({ length: shape.paddedSegments }, (_, n) => tree.segmentRootAt(n));
      assert.deepEqual(tree.root, new Uint8Array(naiveRoot(all)));
      const lastSegment = new Uint8Array(262_144); // no node lies inside it
      const roots = new Uint8Array(Buffer.concat(leaves));
      const { nodes } = commitmentFromSegmentRoots(hasher, shape, roots, lastSegment);
      assert.deepEqual(rootOfNodes(nodes), tree.root);
    });
    fc.assert(property, { seed: SEED, numRuns: 40 });
  });

  it('have paths that lead to the root from every leaf', () => {
    for (const leafCount of [1, 2, 3, 5, 13, 18, 40]) {
      const shape = {
        ...fileShape(leafCount * 262_144),
        segments: leafCount,
        paddedSegments: leafCount,
      };
      const leaves = Array.from({ length: leafCount }, (_, n) => keccak256(Uint8Array.of(n)));
      const tree = FileTree.fromSegmentRoots(
        nobleHasher,
        shape,
        new Uint8Array(Buffer.concat(leaves)),
      );
      for (let index = 0; index < leafCount; index += 1) {
        let node = tree.segmentRootAt(index);
        let covered = { from: index, to: index + 1 };
        const { siblings } = tree.proofAt(index);
        for (const [place, step] of proofSteps(index, leafCount).entries()) {
          const sibling = siblings[place] ?? new Uint8Array();
          node = step.side === 'left' ? keccak256(sibling, node) : keccak256(node, sibling);
          // the sibling's leaves are exactly those beside what was covered so far
          if (step.side === 'left') assert.equal(step.to, covered.from);
          else assert.equal(step.from, covered.to);
          covered = { from: Math.min(covered.from, step.from), to: Math.max(covered.to, step.to) };
        }
        assert.deepEqual(covered, { from: 0, to: leafCount });
        assert.deepEqual(node, tree.root);
      }
    }
  });

  it('refuse roots of another number of segments, and leaves that are not there', () => {
    const shape = fileShape(3 * 262_144);
    assert.throws(
      () => FileTree.fromSegmentRoots(nobleHasher, shape, new Uint8Array(64)),
      (error) => isFault(error, 'SEGMENT_ROOTS'),
    );
    const tree = FileTree.fromSegmentRoots(nobleHasher, shape, new Uint8Array(96));
    assert.throws(
      () => tree.proofAt(3),
      (error) => isFault(error, 'SEGMENT_INDEX'),
    );
    assert.throws(
      () => rootOfNodes([]),
      (error) => isFault(error, 'NODE_LAYOUT'),
    );
  });
});

describe('the node layout', () => {
  it('has one form for each length', () => {
    assertNodeLayout(madeUpNodes([8, 6], 1), 76_800);
    for (const heights of [[8], [6, 8], [8, 7], [8, 6, 0], []]) {
      assert.throws(
        () => assertNodeLayout(madeUpNodes(heights, 1), 76_800),
        (error) => isFault(error, 'NODE_LAYOUT'),
      );
    }
  });

  it('has roots of 32 bytes', () => {
    assert.throws(
      () => assertNodeLayout([{ height: 0, root: new Uint8Array(31) }], 1),
      (error) => isFault(error, 'NODE_LAYOUT'),
    );
  });
});
