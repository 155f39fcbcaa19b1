import assert from 'node:assert/strict';
import { isFault, keccak256, type SubmissionNode, toHex } from '@cairn/primitives';
import fc from 'fast-check';
import {
  commitBytes,
  type FlowNode,
  FlowTree,
  flowProof,
  type Hasher,
  loadHasher,
  nobleHasher,
  ProofError,
  paddedSectors,
  sectorPath,
  submissionHeights,
  verifyFlowProof,
  zeroSubtreeRoot,
} from '../src/index.ts';
import { flipBit, madeUpNodes, periodicBytes, SEED, vectors } from './support.ts';

/** A flow sector by sector: a node's sectors are told apart only by the node they belong to. */
class NaiveFlow {
  /** Sector → the node it begins, or how it hashes itself. */
  readonly nodes = new Map<number, SubmissionNode>();
  length = 1;

  append(nodes: readonly SubmissionNode[]): number {
    const [first] = nodes;
    const sectors = nodes.reduce((sum, { height }) => sum + 2 ** height, 0);
    let start = this.length;
    const fits = (): boolean =>
      start % 2 ** (first?.height ?? 0) === 0 &&
      (start % 1024 === 0 || Math.floor(start / 1024) === Math.floor((start + sectors - 1) / 1024));
    while (!fits()) start += 1;
    let position = start;
    for (const node of nodes) {
      this.nodes.set(position, node);
      position += 2 ** node.height;
    }
    this.length = position;
    return start;
  }

  /** Root of 2^level sectors from `start`. */
  subtree(start: number, level: number): Uint8Array {
    const node = this.nodes.get(start);
    if (node?.height === level) return node.root;
    if (start >= this.length) return zeroSubtreeRoot(level);
    if (level === 0) return start === 0 ? new Uint8Array(32) : zeroSubtreeRoot(0);
    const half = 2 ** (level - 1);
    return keccak256(this.subtree(start, level - 1), this.subtree(start + half, level - 1));
  }

  root(): Uint8Array {
    return this.subtree(0, Math.ceil(Math.log2(this.length)));
  }
}

/** Keeps what the tree hands out. */
class Kept {
  readonly hashes = new Map<string, Uint8Array>();
  lookups = 0;

  keep(nodes: readonly FlowNode[]): void {
    for (const { level, index, hash } of nodes) this.hashes.set(`${level}/${index}`, hash);
  }

  readonly lookup = async (level: number, index: number): Promise<Uint8Array | undefined> => {
    this.lookups += 1;
    return this.hashes.get(`${level}/${index}`);
  };
}

const submissions = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 40 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 3000 }) },
  ),
  { minLength: 1, maxLength: 25 },
);

describe('the flow tree', () => {
  let hasher: Hasher;
  before(async () => {
    hasher = await loadHasher();
  });

  it('is the log contract’s, submission by submission', () => {
    const flow = FlowTree.empty(hasher);
    for (const step of vectors.flow.steps) {
      const { root, nodes } = commitBytes(hasher, periodicBytes(step.size));
      assert.equal(toHex(root), step.dataRoot);
      assert.equal(flow.length, Number(step.previousLength));
      const placement = flow.append(nodes);
      assert.equal(placement.startSector, Number(step.startPos));
      assert.equal(placement.sectors, Number(step.length));
      assert.equal(flow.length, Number(step.currentLength));
      assert.equal(toHex(flow.root()), step.flowRootByTxSeq);
    }
  });

  it('begins with 32 zero bytes, not with a zero sector', () => {
    const flow = FlowTree.empty();
    assert.equal(flow.length, 1);
    assert.deepEqual(flow.root(), new Uint8Array(32));
  });

  it('equals a model that knows each sector', () => {
    const property = fc.property(submissions, (sizes) => {
      const flow = FlowTree.empty(hasher);
      const naive = new NaiveFlow();
      for (const [salt, sectors] of sizes.entries()) {
        const nodes = madeUpNodes(submissionHeights(paddedSectors(sectors)), salt);
        assert.equal(flow.append(nodes).startSector, naive.append(nodes));
        assert.equal(flow.length, naive.length);
        // the model hashes every sector of every gap, so large flows are compared at their end
        const isDue = naive.length < 500 || salt === sizes.length - 1;
        if (isDue) assert.equal(toHex(flow.root()), toHex(naive.root()));
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 30 });
  });

  it('goes on from a snapshot as if nothing had happened', () => {
    const property = fc.property(submissions, (sizes) => {
      let flow = FlowTree.empty(hasher);
      const other = FlowTree.empty(hasher);
      for (const [salt, sectors] of sizes.entries()) {
        const nodes = madeUpNodes(submissionHeights(paddedSectors(sectors)), salt);
        flow = FlowTree.restore(flow.snapshot(), hasher);
        assert.deepEqual(flow.append(nodes), other.append(nodes));
        assert.deepEqual(flow.root(), other.root());
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 20 });
  });

  it('keeps nothing of what it was given, a Buffer included, whose slice is no copy', () => {
    const tree = FlowTree.empty(hasher);
    tree.append(madeUpNodes([3, 1], 1));
    const root = toHex(tree.root());
    const stored = Buffer.from(tree.snapshot());
    const restored = FlowTree.restore(stored, hasher);
    stored.fill(1);
    assert.equal(toHex(restored.root()), root);

    const other = FlowTree.empty(hasher);
    const nodes = madeUpNodes([3, 1], 1).map((node) => ({ ...node, root: Buffer.from(node.root) }));
    const { added } = other.append(nodes);
    for (const node of nodes) node.root.fill(1);
    for (const { hash } of added) hash.fill(1);
    assert.equal(toHex(other.root()), root);
  });

  it('remembers one hash for each bit of its length', () => {
    const flow = FlowTree.empty(hasher);
    for (let salt = 0; salt < 300; salt += 1) flow.append(madeUpNodes([12], salt));
    assert.equal(flow.length, 301 * 4096);
    assert.ok(flow.snapshot().length <= 9 + 32 * 21);
  });

  it('refuses snapshots, nodes and lengths that cannot be', () => {
    const flow = FlowTree.empty();
    flow.append(madeUpNodes([3, 1], 1));
    const snapshot = flow.snapshot();
    const isSnapshotFault = (error: unknown): boolean => isFault(error, 'SNAPSHOT_MALFORMED');
    for (const bad of [snapshot.subarray(1), snapshot.subarray(0, -1), new Uint8Array(0)]) {
      assert.throws(() => FlowTree.restore(bad), isSnapshotFault);
    }
    const none = new Uint8Array(9);
    none[0] = 1;
    assert.throws(() => FlowTree.restore(none), isSnapshotFault);
    for (const heights of [[], [1, 3], [2, 2], [64], [-1], [0.5]]) {
      assert.throws(
        () => flow.append(madeUpNodes(heights, 1)),
        (error) => isFault(error, 'NODE_LAYOUT'),
      );
    }
    assert.deepEqual(flow.snapshot(), snapshot);
    assert.throws(
      () => {
        for (let times = 0; times < 600; times += 1) flow.append(madeUpNodes([44], 1));
      },
      (error) => isFault(error, 'TREE_FULL'),
    );
  });

  it('takes what the log contract takes, up to its limit of 2^53 - 1 sectors', () => {
    const flow = FlowTree.empty(hasher);
    for (let salt = 0; salt < 510; salt += 1) flow.append(madeUpNodes([44], salt));
    assert.equal(flow.length, 511 * 2 ** 44);
    for (let height = 43; height >= 0; height -= 1) flow.append(madeUpNodes([height], height));
    assert.equal(flow.length, Number.MAX_SAFE_INTEGER);
    assert.equal(FlowTree.restore(flow.snapshot(), hasher).length, Number.MAX_SAFE_INTEGER);
    const { length } = flow;
    assert.throws(
      () => flow.append(madeUpNodes([0], 1)),
      (error) => isFault(error, 'TREE_FULL'),
    );
    assert.equal(flow.length, length);
  });
});

describe('flow proofs', () => {
  it('lead every node and gap to the root of every recorded length', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 12 });
    const property = fc.asyncProperty(sizes, async (sectorCounts) => {
      const flow = FlowTree.empty();
      const kept = new Kept();
      const heads: { length: number; root: Uint8Array }[] = [];
      const placed: { level: number; index: number; hash: Uint8Array; end: number }[] = [];
      for (const [salt, sectors] of sectorCounts.entries()) {
        const nodes = madeUpNodes(submissionHeights(paddedSectors(sectors)), salt);
        const { startSector, added } = flow.append(nodes);
        kept.keep(added);
        let start = startSector;
        for (const { height, root } of nodes) {
          const end = start + 2 ** height;
          placed.push({ level: height, index: start / 2 ** height, hash: root, end });
          start = end;
        }
        heads.push({ length: flow.length, root: flow.root() });
      }
      for (const { length, root } of heads) {
        for (const { level, index, hash, end } of placed) {
          if (end > length) continue;
          const siblings = await flowProof({ level, index, length }, kept.lookup);
          verifyFlowProof({ root, length, level, index, hash, siblings });
        }
        const first = await flowProof({ level: 0, index: 0, length }, kept.lookup);
        const hash = new Uint8Array(32);
        verifyFlowProof({ root, length, level: 0, index: 0, hash, siblings: first });
      }
    });
    await fc.assert(property, { seed: SEED, numRuns: 12 });
  });

  it('reach a sector inside an alignment gap that nobody kept by itself', async () => {
    const flow = FlowTree.empty();
    const kept = new Kept();
    kept.keep(flow.append(madeUpNodes([0], 1)).added);
    kept.keep(flow.append(madeUpNodes([10], 2)).added);
    const { length } = flow;
    const hash = zeroSubtreeRoot(0);
    for (const index of [2, 5, 700, 1023]) {
      const siblings = await flowProof({ level: 0, index, length }, kept.lookup);
      verifyFlowProof({ root: flow.root(), length, level: 0, index, hash, siblings });
    }
  });

  it('go from a sector to the root through its node', async () => {
    const bytes = periodicBytes(76_800);
    const { nodes, shape } = commitBytes(nobleHasher, bytes);
    const flow = FlowTree.empty();
    const kept = new Kept();
    kept.keep(flow.append(madeUpNodes([2], 1)).added);
    const { startSector, added } = flow.append(nodes);
    kept.keep(added);
    const { length } = flow;
    for (const sector of [0, 1, 255, 256, 299, 319]) {
      const node = shape.nodes[sector < 256 ? 0 : 1] ?? assert.fail('two nodes');
      const { height } = node;
      const data = bytes.subarray(node.startSector * 256, (node.startSector + 2 ** height) * 256);
      const inside = sectorPath(nobleHasher, data, height, sector - node.startSector);
      const index = (startSector + node.startSector) / 2 ** height;
      const above = await flowProof({ level: height, index, length }, kept.lookup);
      const siblings = [...inside.siblings, ...above];
      const claim = { level: 0, index: startSector + sector, length, hash: inside.leaf, siblings };
      verifyFlowProof({ ...claim, root: flow.root() });
    }
  });

  it('take lookups in proportion to the tree’s height', async () => {
    const flow = FlowTree.empty();
    const kept = new Kept();
    for (let salt = 0; salt < 1000; salt += 1)
      kept.keep(flow.append(madeUpNodes([3, 1], salt)).added);
    const { length } = flow;
    await flowProof({ level: 3, index: 1, length }, kept.lookup);
    assert.ok(kept.lookups <= 3 * Math.log2(length), `${kept.lookups} lookups`);
  });

  it('say which subtree is missing', async () => {
    const flow = FlowTree.empty();
    const kept = new Kept();
    for (let salt = 0; salt < 4; salt += 1) kept.keep(flow.append(madeUpNodes([0], salt)).added);
    kept.hashes.delete('0/2');
    await assert.rejects(
      flowProof({ level: 0, index: 3, length: flow.length }, kept.lookup),
      (error) => isFault(error, 'NODE_MISSING') && /subtree 2 of level 0/.test(error.message),
    );
  });

  it('are refused with any flipped bit, another length of path, and outside the flow', async () => {
    const flow = FlowTree.empty();
    const kept = new Kept();
    for (let salt = 0; salt < 9; salt += 1) kept.keep(flow.append(madeUpNodes([1], salt)).added);
    const { length } = flow;
    const hash = kept.hashes.get('1/3') ?? assert.fail('kept');
    const siblings = await flowProof({ level: 1, index: 3, length }, kept.lookup);
    const claim = { level: 1, index: 3, length, hash, root: flow.root(), siblings };
    verifyFlowProof(claim);
    const refused = (bad: typeof claim): void =>
      assert.throws(() => verifyFlowProof(bad), ProofError);
    for (let bit = 0; bit < 256; bit += 1) {
      refused({ ...claim, hash: flipBit(hash, bit) });
      for (const place of siblings.keys()) {
        refused({
          ...claim,
          siblings: siblings.map((s, n) => (n === place ? flipBit(s, bit) : s)),
        });
      }
    }
    refused({ ...claim, siblings: siblings.slice(1) });
    refused({ ...claim, siblings: [...siblings, hash] });
    refused({ ...claim, index: 4 });
    refused({ ...claim, index: 10 });
    refused({ ...claim, index: -1 });
    refused({ ...claim, level: 0 });
    refused({ ...claim, length: 40 });
    await assert.rejects(flowProof({ level: 1, index: 10, length }, kept.lookup), ProofError);
  });
});

describe('paths inside a segment', () => {
  it('lead each sector to the segment’s root', () => {
    const data = periodicBytes(256 * 11 + 5);
    const root = nobleHasher.segmentRoot(data, 16);
    for (let sector = 0; sector < 16; sector += 1) {
      const { leaf, siblings } = sectorPath(nobleHasher, data, 4, sector);
      let node = leaf;
      for (const [level, sibling] of siblings.entries()) {
        node = (sector >> level) & 1 ? keccak256(sibling, node) : keccak256(node, sibling);
      }
      assert.deepEqual(node, root);
    }
  });

  it('refuse what does not fit', () => {
    assert.throws(() => sectorPath(nobleHasher, new Uint8Array(1), 11, 0), RangeError);
    assert.throws(() => sectorPath(nobleHasher, new Uint8Array(1), 4, 16), RangeError);
    assert.throws(() => sectorPath(nobleHasher, new Uint8Array(257), 0, 0), RangeError);
  });
});
