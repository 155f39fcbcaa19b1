import { MAX_NODE_HEIGHT, SEGMENT_SECTORS, type SubmissionNode } from '@cairn/primitives';
import { AppendTree, type TreeNode, type TreeRule } from './append-tree.ts';
import { CommitmentError } from './errors.ts';
import { HASH_BYTES, type Hasher } from './hasher.ts';
import { nobleHasher } from './noble-hasher.ts';
import { zeroSubtreeRoot } from './zero-hashes.ts';

type PairHasher = Pick<Hasher, 'hashMany'>;

/** A complete subtree of the flow: sectors `index · 2^level` up to `(index + 1) · 2^level`. */
export type FlowNode = TreeNode;

/** Where a submission went. */
export interface FlowPlacement {
  /** First sector of the flow that belongs to the submission. */
  readonly startSector: number;
  /** Sectors of its nodes together; alignment gaps before it are nobody's. */
  readonly sectors: number;
  /**
   * Subtrees that are complete since: the submission's nodes, the largest zero subtrees that make
   * up the gap before it, and ancestors of these. Whoever wants to prove later keeps them all.
   */
  readonly added: readonly FlowNode[];
}

/**
 * The tree over all sectors of the log, as the log contract computes it. Remembers one hash for
 * each bit of its length; everything else is handed out to be kept elsewhere.
 *
 * Leaf 0 is 32 zero bytes, not the hash of a zero sector; sectors that belong to no submission
 * are zero sectors.
 */
export class FlowTree {
  readonly #tree: AppendTree;

  private constructor(tree: AppendTree) {
    this.#tree = tree;
  }

  /** The tree of a fresh log: its one leaf belongs to nobody. */
  static empty(hasher: PairHasher = nobleHasher): FlowTree {
    const tree = new AppendTree(flowRule(hasher));
    tree.push(0, new Uint8Array(HASH_BYTES), () => undefined);
    return new FlowTree(tree);
  }

  /** The tree a snapshot was taken of. @throws {CommitmentError} SNAPSHOT_MALFORMED */
  static restore(snapshot: Uint8Array, hasher: PairHasher = nobleHasher): FlowTree {
    const tree = AppendTree.restore(flowRule(hasher), snapshot);
    if (tree.length < 1) {
      throw new CommitmentError(
        { code: 'SNAPSHOT_MALFORMED', lengthBytes: snapshot.length },
        'the snapshot of a flow has at least one sector, this one has none',
      );
    }
    return new FlowTree(tree);
  }

  /** Everything the tree remembers: 9 bytes and 32 for each bit set in its length. */
  snapshot(): Uint8Array {
    return this.#tree.snapshot();
  }

  /** Sectors so far, leaf 0 included: the contract's `currentLength`. */
  get length(): number {
    return this.#tree.length;
  }

  /** The flow root, 32 bytes. Costs one hash for each level. */
  root(): Uint8Array {
    return this.#tree.root();
  }

  /**
   * Appends a submission: each node at the next multiple of its size, and none across the end of
   * a segment unless it begins with one.
   *
   * @param nodes - one or more of strictly falling height, as the contract accepted them
   * @throws {CommitmentError} NODE_LAYOUT; TREE_FULL beyond 2^53 − 1 sectors. The tree is
   *   unchanged then
   */
  append(nodes: readonly SubmissionNode[]): FlowPlacement {
    const sectors = assertFlowNodes(nodes);
    const startSector = this.#startOf(nodes, sectors);
    if (!Number.isSafeInteger(startSector + sectors)) {
      throw new CommitmentError(
        { code: 'TREE_FULL', length: this.length, added: sectors },
        `a flow of ${this.length} sectors cannot take ${sectors} more: it ends at 2^53 - 1`,
      );
    }
    const added: FlowNode[] = [];
    const keep = (node: FlowNode): void => {
      added.push(node);
    };
    while (this.length < startSector) {
      const level = gapLevel(this.length, startSector);
      this.#tree.push(level, zeroSubtreeRoot(level), keep);
    }
    for (const { height, root } of nodes) this.#tree.push(height, new Uint8Array(root), keep);
    return { startSector, sectors, added };
  }

  /** Where a submission would begin, if there is no end. */
  #startOf(nodes: readonly SubmissionNode[], sectors: number): number {
    const first = 2 ** (nodes[0]?.height ?? 0);
    const start = alignUp(this.length, first);
    const startSegment = Math.floor(start / SEGMENT_SECTORS);
    const straddles = startSegment !== Math.floor((start + sectors - 1) / SEGMENT_SECTORS);
    if (start % SEGMENT_SECTORS === 0 || !straddles) return start;
    return alignUp((startSegment + 1) * SEGMENT_SECTORS, first);
  }
}

/** @returns the sectors of all nodes */
function assertFlowNodes(nodes: readonly SubmissionNode[]): number {
  let sectors = 0;
  let above = MAX_NODE_HEIGHT;
  for (const { height, root } of nodes) {
    const isValid = Number.isInteger(height) && height >= 0 && height < above;
    if (!isValid || root.length !== HASH_BYTES) {
      const actualHeights = nodes.map((node) => node.height);
      throw new CommitmentError(
        { code: 'NODE_LAYOUT', expectedHeights: [], actualHeights },
        `the nodes of a submission have strictly falling heights below ${MAX_NODE_HEIGHT} and ` +
          `roots of ${HASH_BYTES} bytes, not heights ${actualHeights.join(', ')}`,
      );
    }
    above = height;
    sectors += 2 ** height;
  }
  if (sectors > 0) return sectors;
  throw new CommitmentError(
    { code: 'NODE_LAYOUT', expectedHeights: [], actualHeights: [] },
    'a submission has at least one node, this one has none',
  );
}

/** Level of the largest zero subtree that begins at `from` and ends by `to`. */
function gapLevel(from: number, to: number): number {
  let level = 0;
  for (let span = 2; from % span === 0 && from + span <= to; span *= 2) level += 1;
  return level;
}

function alignUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** How the flow hashes: nodes without prefix, sectors that belong to nobody are zero sectors. */
export function flowRule(hasher: PairHasher): TreeRule {
  return {
    join(left, right) {
      const pair = new Uint8Array(2 * HASH_BYTES);
      pair.set(left, 0);
      pair.set(right, HASH_BYTES);
      return hasher.hashMany(pair, 2 * HASH_BYTES);
    },
    empty: zeroSubtreeRoot,
  };
}
