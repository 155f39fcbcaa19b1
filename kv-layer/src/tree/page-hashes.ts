import { HASH_BYTES, type Hasher } from '@cairn/commitments';
import { concatBytes } from '@cairn/primitives';
import { bitCount, lowestBit } from './bits.ts';
import { copyHash } from './copy-hash.ts';
import type { TreePage } from './tree-page.ts';

const SYMBOLS = 32;
/** Pages of fewer branches are hashed anew each time: keeping what lies between costs more. */
const MIN_KEPT_BRANCHES = 5;
/** Hashes between branches and page: a heap, 1 is the page itself; the branches are 32 and on. */
const INNER_BYTES: number = SYMBOLS * HASH_BYTES;
const PAIR_BYTES = 2 * HASH_BYTES;

/** A page being hashed. In the masks, bit n is node n of the heap. */
interface Run {
  readonly page: TreePage;
  readonly inner: Uint8Array;
  readonly symbols: number;
  /** Nodes with a branch below them. */
  readonly present: number;
  /** Nodes with branches below both sides: those that are hashed. */
  readonly pairs: number;
  /** Those of the pairs that are to be hashed now. */
  readonly wanted: number;
}

/**
 * Hashes pages of which branches changed, many at once, and tells the pages above. Branches that
 * differ in one bit of their symbols are hashed in pairs, bit by bit from the last; whatever is
 * alone stands for the nodes above it, up to the next pair.
 */
export function hashPages(pages: readonly TreePage[], hasher: Hasher): void {
  const runs = runsOf(pages);
  for (let first = SYMBOLS / 2; first > 0; first >>= 1) hashLevel(runs, first, hasher);
  for (const run of runs) {
    const { page, inner } = run;
    page.dirtySymbols = 0;
    const { parent } = page;
    if (parent === undefined) continue;
    const source = sourceOf(run, 1);
    const bytes = source < 0 ? inner : page.held;
    const at = parent.hashOffset(parent.find(page.symbol));
    copyHash(bytes, Math.abs(source), parent.held, at);
  }
}

function runsOf(pages: readonly TreePage[]): Run[] {
  let scratch = 0;
  for (const { count } of pages) if (count < MIN_KEPT_BRANCHES) scratch += INNER_BYTES;
  const arena = new Uint8Array(scratch);
  let used = 0;
  return pages.map((page): Run => {
    const { symbols, dirtySymbols } = page;
    let { inner } = page;
    const isNew = inner === undefined || page.count < MIN_KEPT_BRANCHES;
    if (page.count < MIN_KEPT_BRANCHES) {
      page.inner = undefined;
      inner = arena.subarray(used, used + INNER_BYTES);
      used += INNER_BYTES;
    } else if (inner === undefined) {
      inner = new Uint8Array(INNER_BYTES);
      page.inner = inner;
    }
    const present = nodesAbove(symbols);
    const pairs = nodesOfTwo(symbols, present);
    const wanted = isNew ? pairs : nodesAbove(dirtySymbols) & pairs;
    return { page, inner, symbols, present, pairs, wanted };
  });
}

/** Computes the wanted nodes from `first` to twice `first`. */
function hashLevel(runs: readonly Run[], first: number, hasher: Hasher): void {
  const level = ((1 << first) - 1) << first;
  let count = 0;
  for (const { wanted } of runs) count += bitCount(wanted & level);
  if (count === 0) return;
  const input = new Uint8Array(count * PAIR_BYTES);
  let at = 0;
  for (const run of runs) {
    const { page, inner } = run;
    for (let left = run.wanted & level; left !== 0; left &= left - 1) {
      const child = 2 * lowestBit(left);
      const one = sourceOf(run, child);
      copyHash(one < 0 ? inner : page.held, Math.abs(one), input, at);
      const other = sourceOf(run, child + 1);
      copyHash(other < 0 ? inner : page.held, Math.abs(other), input, at + HASH_BYTES);
      at += PAIR_BYTES;
    }
  }
  const hashes = hasher.hashMany(input, PAIR_BYTES, input);
  at = 0;
  for (const { wanted, inner } of runs) {
    for (let left = wanted & level; left !== 0; left &= left - 1) {
      copyHash(hashes, at, inner, lowestBit(left) * HASH_BYTES);
      at += HASH_BYTES;
    }
  }
}

/** Where the hash of a node that is there is: in the page's bytes, or, less than 0, in `inner`. */
function sourceOf({ page, symbols, present, pairs }: Run, node: number): number {
  let at = node;
  while (at < SYMBOLS) {
    if ((pairs & (1 << at)) !== 0) return -at * HASH_BYTES;
    const one = 2 * at;
    const hasOne = one < SYMBOLS ? present & (1 << one) : symbols & (1 << (one - SYMBOLS));
    at = hasOne === 0 ? one + 1 : one;
  }
  return page.hashOffset(page.find(at - SYMBOLS));
}

/** All nodes with one of these symbols below them. */
function nodesAbove(symbols: number): number {
  let nodes = 0;
  let below = symbols;
  for (let first = SYMBOLS / 2; first > 0; first >>= 1) {
    below = everySecond(below | (below >>> 1));
    nodes |= below << first;
  }
  return nodes;
}

/** The nodes with symbols below both their sides. */
function nodesOfTwo(symbols: number, present: number): number {
  let nodes = everySecond(symbols & (symbols >>> 1)) << (SYMBOLS / 2);
  for (let first = SYMBOLS / 4; first > 0; first >>= 1) {
    const below = present >>> (2 * first);
    const level = (1 << (2 * first)) - 1;
    nodes |= everySecond(below & (below >>> 1) & level) << first;
  }
  return nodes;
}

/** Bits 0, 2, 4 … 30, side by side. */
function everySecond(bits: number): number {
  let some = bits & 0x55555555;
  some = (some | (some >>> 1)) & 0x33333333;
  some = (some | (some >>> 2)) & 0x0f0f0f0f;
  some = (some | (some >>> 4)) & 0x00ff00ff;
  return (some | (some >>> 8)) & 0xffff;
}

/** The hash of two neighbours. */
export function pairHash(left: Uint8Array, right: Uint8Array, hasher: Hasher): Uint8Array {
  return hasher.hashMany(concatBytes(left, right), 2 * HASH_BYTES);
}
