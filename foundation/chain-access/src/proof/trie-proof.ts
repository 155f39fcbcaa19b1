import { equalBytes, keccak256, toHex } from '@cairn/primitives';
import { decodeRlp, encodeString, type RlpItem } from '../client/rlp.ts';

/** Nodes of a proof at most: one for each of a key's 64 nibbles, and the leaf. */
const MAX_NODES = 65;
/** Bytes of a node at most: a branch of 16 hashes has 532. */
const MAX_NODE_BYTES = 1024;

/**
 * The value at a key of a Merkle-Patricia trie of hashed keys, as a proof shows.
 *
 * @param root - 32 bytes
 * @param key - 32 bytes: the hash of what is looked up
 * @param proof - the nodes on the way, in any order; more than that does no harm
 * @returns `undefined` where the proof shows that there is no value
 * @throws {RangeError} for nodes that do not lead from the root to the key or to where it would be
 */
export function verifyTrieProof(
  root: Uint8Array,
  key: Uint8Array,
  proof: readonly Uint8Array[],
): Uint8Array | undefined {
  if (proof.length > MAX_NODES) throw new RangeError(`a proof has ${MAX_NODES} nodes at most`);
  if (equalBytes(root, keccak256(encodeString(new Uint8Array(0))))) return undefined; // an empty trie
  const nodes = new Map(proof.map((node) => [toHex(keccak256(node)), node]));
  const path = nibblesOf(key);
  let node = namedNode(root, nodes);
  for (let at = 0; ; ) {
    if (node.length === 17) {
      const child = node[at === path.length ? 16 : (path[at] ?? 16)];
      if (at === path.length) return leafValue(child);
      if (isEmpty(child)) return undefined;
      at += 1;
      node = nodeAt(child, nodes);
      continue;
    }
    const { nibbles, isLeaf } = parsePath(node[0]);
    const isOnTheWay = nibbles.every((nibble, index) => path[at + index] === nibble);
    at += nibbles.length;
    if (!isOnTheWay) return undefined;
    if (isLeaf) return at === path.length ? leafValue(node[1]) : undefined;
    if (nibbles.length === 0) throw new RangeError('an extension leads nowhere');
    node = nodeAt(node[1], nodes);
  }
}

/** A node: 17 items of a branch, or 2 of a leaf or extension. */
type TrieNode = readonly RlpItem[];

/** The node that a parent holds itself, where it is short, or names by its hash. */
function nodeAt(child: RlpItem | undefined, nodes: ReadonlyMap<string, Uint8Array>): TrieNode {
  if (child instanceof Uint8Array && child.length === 32) return namedNode(child, nodes);
  return checkedNode(child);
}

function namedNode(hash: Uint8Array, nodes: ReadonlyMap<string, Uint8Array>): TrieNode {
  const node = nodes.get(toHex(hash));
  if (node === undefined) throw new RangeError(`it lacks the node ${toHex(hash)}`);
  if (node.length > MAX_NODE_BYTES) throw new RangeError(`a node has ${node.length} bytes`);
  return checkedNode(decodeRlp(node));
}

function checkedNode(item: RlpItem | undefined): TrieNode {
  if (item !== undefined && !(item instanceof Uint8Array)) {
    if (item.length === 17 || item.length === 2) return item;
  }
  throw new RangeError('what should be a node is none');
}

/** The nibbles of a leaf or extension: its first nibble says which it is and whether they are odd. */
function parsePath(item: RlpItem | undefined): {
  readonly nibbles: readonly number[];
  readonly isLeaf: boolean;
} {
  if (!(item instanceof Uint8Array)) throw new RangeError('a path is a list');
  const [flags = 16, second, ...rest] = nibblesOf(item);
  if (flags > 3) throw new RangeError('a path begins with no flag that there is');
  const isOdd = (flags & 1) === 1;
  if (!isOdd && second !== 0) throw new RangeError('the padding of a path is not zero');
  const nibbles = isOdd && second !== undefined ? [second, ...rest] : rest;
  return { nibbles, isLeaf: flags >= 2 };
}

function nibblesOf(bytes: Uint8Array): number[] {
  return [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);
}

function leafValue(item: RlpItem | undefined): Uint8Array | undefined {
  if (!(item instanceof Uint8Array)) throw new RangeError('a value is a list');
  return item.length === 0 ? undefined : item;
}

function isEmpty(item: RlpItem | undefined): boolean {
  return item instanceof Uint8Array && item.length === 0;
}
