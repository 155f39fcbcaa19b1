import { HASH_BYTES, type Hasher } from '@cairn/commitments';
import { concatBytes, keccak256, viewOf } from '@cairn/primitives';
import { EMPTY_HASH } from './digests.ts';

/** The position of a leaf: it branches nowhere. */
export const LEAF_POSITION = -1;
/** The longest path kept in a page; longer ones lie beside it under their hash. */
export const MAX_PAGE_PATH_BYTES = 256;

/** What hangs at a branch: a leaf, or a page with those that branch further on. */
export interface Branch {
  /** The symbol by which it differs from its neighbours. */
  symbol: number;
  hash: Uint8Array;
  /** `LEAF_POSITION`, or where the keys of the page differ. */
  position: number;
  /** A leaf's key; what the keys of a page have in common. */
  path: Uint8Array;
}

/**
 * All branches at one position of keys that agree before it: 2 to 17. Pages are how a tree is kept;
 * its root knows nothing of them.
 */
export interface TreePage {
  readonly position: number;
  readonly path: Uint8Array;
  /** By symbol. */
  readonly branches: Branch[];
  /** What refers to this page, as found on the way to it. */
  holder: Branch;
}

/** Bytes a page takes in memory, about. */
export function pageWeight({ branches, path }: TreePage): number {
  let bytes = 200 + path.length;
  for (const branch of branches) bytes += branchWeight(branch.path);
  return bytes;
}

/** Bytes a branch takes in memory, about. */
export function branchWeight(path: Uint8Array): number {
  return 180 + path.length;
}

/** Where the branch of a symbol is, or would be: its index among the branches. */
export function branchIndex({ branches }: TreePage, symbol: number): number {
  let at = 0;
  while ((branches[at]?.symbol ?? 32) < symbol) at += 1;
  return at;
}

/** A page's name among those of its tree. */
export function pageName({ position, path }: Pick<Branch, 'position' | 'path'>): Uint8Array {
  const name = path.length > MAX_PAGE_PATH_BYTES ? keccak256(path) : path;
  const head = new Uint8Array(4);
  viewOf(head).setUint32(0, position);
  return concatBytes(head, name);
}

const FLAG_PAGE = 0x20;
const FLAG_LONG = 0x40;

/**
 * The record of a branch: symbol and flags u8, position u32 of a page, path length u32 or its hash,
 * hash 32. Of paths, what the page has itself is left out.
 */
function encodeBranch(branch: Branch, shared: number): Uint8Array {
  const { symbol, position, path, hash } = branch;
  const isPage = position !== LEAF_POSITION;
  const isLong = path.length > MAX_PAGE_PATH_BYTES;
  const head = new Uint8Array(isPage ? 9 : 5);
  const view = viewOf(head);
  head[0] = symbol | (isPage ? FLAG_PAGE : 0) | (isLong ? FLAG_LONG : 0);
  if (isPage) view.setUint32(1, position);
  view.setUint32(head.length - 4, path.length);
  return concatBytes(head, isLong ? keccak256(path) : path.subarray(shared), hash);
}

/** What a page's branches share of their paths, in whole bytes. */
function sharedBytes(position: number): number {
  return position < 0 ? 0 : position >> 1;
}

/** The stored form of a page: its branches one after another. */
export function encodePage({
  position,
  branches,
}: Pick<TreePage, 'position' | 'branches'>): Uint8Array {
  const shared = sharedBytes(position);
  return concatBytes(...branches.map((branch) => encodeBranch(branch, shared)));
}

/** A branch whose path lies elsewhere, under its hash. */
export interface LongPath {
  readonly branch: Branch;
  readonly pathHash: Uint8Array;
}

/**
 * Reads a page's record.
 *
 * @param at - the page's position and path; position `LEAF_POSITION` for a tree's root
 * @returns the branches, and those whose path must be fetched; `undefined` if it is no page
 */
export function decodePage(
  record: Uint8Array,
  { position, path }: Pick<Branch, 'position' | 'path'>,
): { readonly branches: Branch[]; readonly long: LongPath[] } | undefined {
  const shared = sharedBytes(position);
  const view = viewOf(record);
  const branches: Branch[] = [];
  const long: LongPath[] = [];
  let at = 0;
  while (at < record.length) {
    const flags = record[at] ?? 0;
    const isPage = (flags & FLAG_PAGE) !== 0;
    const headBytes = isPage ? 9 : 5;
    if (at + headBytes > record.length) return undefined;
    const pathBytes = view.getUint32(at + headBytes - 4);
    const isLong = (flags & FLAG_LONG) !== 0;
    const kept = isLong ? HASH_BYTES : pathBytes - shared;
    const start = at + headBytes;
    const end = start + kept;
    if (kept < 0 || end + HASH_BYTES > record.length) return undefined;
    const part = record.subarray(start, end);
    const branch: Branch = {
      symbol: flags & 0x1f,
      position: isPage ? view.getUint32(at + 1) : LEAF_POSITION,
      path: isLong || shared === 0 ? part : concatBytes(path.subarray(0, shared), part),
      hash: record.subarray(end, end + HASH_BYTES),
    };
    if (isLong) long.push({ branch, pathHash: part });
    branches.push(branch);
    at = end + HASH_BYTES;
  }
  return { branches, long };
}

/** The bits of a symbol. */
const SYMBOL_BITS = 5;

/**
 * The hashes of pages, many at once: branches that differ in one bit of their symbols are hashed in
 * pairs, bit by bit from the last; whatever is alone is carried up as it is.
 */
export function pageHashes(pages: readonly TreePage[], hasher: Hasher): Uint8Array[] {
  const nodes = pages.map(({ branches }) => branches.map(({ symbol, hash }) => ({ symbol, hash })));
  for (let bit = 1; bit <= SYMBOL_BITS; bit += 1) {
    const left: { symbol: number; hash: Uint8Array }[] = [];
    const right: Uint8Array[] = [];
    for (const list of nodes) {
      let kept = 0;
      for (let at = 0; at < list.length; at += 1) {
        const node = list[at];
        const next = list[at + 1];
        if (node === undefined) continue;
        if (next !== undefined && node.symbol >> bit === next.symbol >> bit) {
          left.push(node);
          right.push(next.hash);
          at += 1;
        }
        list[kept] = node;
        kept += 1;
      }
      list.length = kept;
    }
    hashPairs(left, right, hasher);
  }
  return nodes.map(([node]) => node?.hash ?? EMPTY_HASH);
}

/** Replaces the hash of each left node by that of its pair. */
function hashPairs(
  left: readonly { hash: Uint8Array }[],
  right: readonly Uint8Array[],
  hasher: Hasher,
): void {
  if (left.length === 0) return;
  const input = new Uint8Array(left.length * 2 * HASH_BYTES);
  for (const [index, node] of left.entries()) {
    input.set(node.hash, index * 2 * HASH_BYTES);
    input.set(right[index] ?? EMPTY_HASH, index * 2 * HASH_BYTES + HASH_BYTES);
  }
  const hashes = hasher.hashMany(input, 2 * HASH_BYTES);
  for (const [index, node] of left.entries()) {
    node.hash = hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
  }
}

/** The hash of two neighbours. */
export function pairHash(left: Uint8Array, right: Uint8Array, hasher: Hasher): Uint8Array {
  return hasher.hashMany(concatBytes(left, right), 2 * HASH_BYTES);
}
