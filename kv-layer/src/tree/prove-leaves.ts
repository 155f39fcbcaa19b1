import type { Hasher } from '@cairn/commitments';
import { keyText } from '../key-text.ts';
import type { Leaf } from './digests.ts';
import { pairHash } from './page-hashes.ts';
import type { ProofNode } from './state-proof.ts';
import { type StateTree, symbolIn } from './state-tree.ts';
import type { TreePage } from './tree-page.ts';

/** The highest bit of a symbol. */
const TOP_BIT = 16;

/**
 * The nodes that show leaves of a tree, and hash everything else: from the root down, left before
 * right. The tree is hashed; pages are loaded as needed.
 *
 * @param leaves - which are in the tree as they are
 */
export async function proveLeaves(
  tree: StateTree,
  leaves: readonly Leaf[],
  hasher: Hasher,
): Promise<ProofNode[]> {
  if (tree.top.count === 0) return [];
  const wanted = new Map(leaves.map((leaf) => [keyText(leaf.key), leaf]));
  const nodes: ProofNode[] = [];
  await emitBranch({ tree, hasher, nodes, wanted }, { page: tree.top, index: 0 }, leaves);
  return nodes;
}

interface Emission {
  readonly tree: StateTree;
  readonly hasher: Hasher;
  readonly nodes: ProofNode[];
  readonly wanted: ReadonlyMap<string, Leaf>;
}

async function emitBranch(
  emission: Emission,
  { page, index }: { readonly page: TreePage; readonly index: number },
  leaves: readonly Leaf[],
): Promise<void> {
  const { nodes, tree, wanted } = emission;
  if (leaves.length === 0) {
    nodes.push({ kind: 'hash', hash: page.hashOf(index) });
    return;
  }
  if (page.isLeaf(index)) {
    const leaf = wanted.get(keyText(page.ref(index).path));
    nodes.push(
      leaf === undefined ? { kind: 'hash', hash: page.hashOf(index) } : { kind: 'leaf', leaf },
    );
    return;
  }
  const child = await tree.load(page, index);
  const indexes = Array.from({ length: child.count }, (_, at) => at);
  await emitSymbols(emission, { page: child, indexes, bit: TOP_BIT }, leaves);
}

/** Branches of a page that agree in the bits above `bit`. */
async function emitSymbols(
  emission: Emission,
  part: { readonly page: TreePage; readonly indexes: readonly number[]; readonly bit: number },
  leaves: readonly Leaf[],
): Promise<void> {
  const { page, indexes, bit } = part;
  const [only] = indexes;
  if (indexes.length === 1 && only !== undefined) {
    return emitBranch(emission, { page, index: only }, leaves);
  }
  if (leaves.length === 0) {
    emission.nodes.push({ kind: 'hash', hash: hashOfSymbols(part, emission.hasher) });
    return;
  }
  const [left, right] = halves(part);
  if (left.length > 0 && right.length > 0) emission.nodes.push({ kind: 'pair' });
  const isRight = (leaf: Leaf): boolean => (symbolIn(page, leaf.key) & bit) !== 0;
  const below = bit >> 1;
  if (left.length > 0) {
    const those = leaves.filter((leaf) => !isRight(leaf));
    await emitSymbols(emission, { page, indexes: left, bit: below }, those);
  }
  if (right.length > 0) {
    await emitSymbols(emission, { page, indexes: right, bit: below }, leaves.filter(isRight));
  }
}

function hashOfSymbols(
  part: { readonly page: TreePage; readonly indexes: readonly number[]; readonly bit: number },
  hasher: Hasher,
): Uint8Array {
  const { page, indexes, bit } = part;
  const [only] = indexes;
  if (indexes.length === 1 && only !== undefined) return page.hashOf(only);
  const [left, right] = halves(part);
  const below = bit >> 1;
  if (left.length === 0) return hashOfSymbols({ page, indexes: right, bit: below }, hasher);
  if (right.length === 0) return hashOfSymbols({ page, indexes: left, bit: below }, hasher);
  return pairHash(
    hashOfSymbols({ page, indexes: left, bit: below }, hasher),
    hashOfSymbols({ page, indexes: right, bit: below }, hasher),
    hasher,
  );
}

function halves({
  page,
  indexes,
  bit,
}: {
  readonly page: TreePage;
  readonly indexes: readonly number[];
  readonly bit: number;
}): [number[], number[]] {
  const isRight = (index: number): boolean => (page.symbolOf(index) & bit) !== 0;
  return [indexes.filter((index) => !isRight(index)), indexes.filter(isRight)];
}
