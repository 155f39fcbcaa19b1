import { assertNatural } from '@cairn/primitives';
import { climb, depthOf, type NodeLookup, siblingsOf } from './append-tree.ts';
import { ProofError } from './errors.ts';
import { flowRule } from './flow-tree.ts';
import { HASH_BYTES, type Hasher } from './hasher.ts';
import { nobleHasher } from './noble-hasher.ts';
import { assertHash, assertLeadsTo, assertSiblings } from './proof-checks.ts';

type PairHasher = Pick<Hasher, 'hashMany'>;

/** A place in the flow at some moment. */
export interface FlowPosition {
  /** Levels above the sectors: 0 for a sector, a node's height for a node. */
  readonly level: number;
  /** First sector divided by 2^level. */
  readonly index: number;
  /** Sectors of the flow at that moment, as recorded then. */
  readonly length: number;
}

/**
 * The siblings from a subtree of the flow up to the flow root at a recorded length, bottom-up.
 *
 * `lookup` finds what `append` handed out. A subtree it does not know is zero if the nearest one
 * above that it knows is zero: it lies in an alignment gap. Inside a submission node nothing is
 * kept; prove the node here and put the path inside it, which follows from the data, below.
 *
 * @throws {CommitmentError} NODE_MISSING if a subtree with content is not kept
 * @throws {ProofError} PROOF_INDEX if the subtree is not in a flow of that length
 */
export async function flowProof(
  position: FlowPosition,
  lookup: NodeLookup,
  hasher: PairHasher = nobleHasher,
): Promise<Uint8Array[]> {
  assertInFlow(position);
  const withFirst: NodeLookup = async (level, index) =>
    level === 0 && index === 0 ? new Uint8Array(HASH_BYTES) : lookup(level, index);
  return siblingsOf(flowRule(hasher), withFirst, position);
}

/** A hash that claims its place in the flow. */
export interface FlowClaim extends FlowPosition {
  /** The flow root at that moment, 32 bytes. */
  readonly root: Uint8Array;
  /** The sector's or node's hash, 32 bytes. */
  readonly hash: Uint8Array;
  /** 32 bytes each, bottom-up; exactly as many as there are levels above. */
  readonly siblings: readonly Uint8Array[];
}

/**
 * Proves that a sector or node has its place in the flow.
 *
 * @throws {ProofError} PROOF_INDEX, PROOF_LENGTH, PROOF_HASH_LENGTH, PROOF_WRONG_ROOT
 */
export function verifyFlowProof(claim: FlowClaim, hasher: PairHasher = nobleHasher): void {
  assertInFlow(claim);
  const { level, index, length, hash, siblings, root } = claim;
  assertSiblings(siblings, index, depthOf(length) - level);
  assertHash(hash, -1, 'the hash to prove');
  assertLeadsTo(climb(flowRule(hasher), { level, index, hash }, siblings), root, index);
}

function assertInFlow({ level, index, length }: FlowPosition): void {
  assertNatural(length, 'flow length');
  const isWhole = Number.isSafeInteger(index) && index >= 0 && Number.isInteger(level);
  if (isWhole && level >= 0 && level <= depthOf(length) && (index + 1) * 2 ** level <= length) {
    return;
  }
  throw new ProofError(
    { code: 'PROOF_INDEX', index, count: length },
    `subtree ${index} of level ${level} is not in a flow of ${length} sectors`,
  );
}
