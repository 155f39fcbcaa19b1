import { HASH_BYTES, type Hasher } from '@cairn/commitments';
import { concatBytes } from '@cairn/primitives';
import { bitCount, lowestBit } from './bits.ts';
import { copyWords, HASH_WORDS } from './copy-hash.ts';
import type { TreePage } from './tree-page.ts';

const SYMBOLS = 32;
/** Pages of fewer branches are hashed anew each time: keeping what lies between costs more. */
const MIN_KEPT_BRANCHES = 5;
/** Hashes between branches and page: a heap, 1 is the page itself; the branches are 32 and on. */
const INNER_WORDS: number = SYMBOLS * HASH_WORDS;
const PAIR_WORDS: number = 2 * HASH_WORDS;

/** A page being hashed. In the masks, bit n is node n of the heap. */
interface Run {
  readonly page: TreePage;
  /** Has the page's heap from `innerAt` on: all of it, or the pairs alone. */
  readonly inner: Uint32Array;
  readonly innerAt: number;
  readonly isKept: boolean;
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
    const at = parent.find(page.symbol) * HASH_WORDS;
    if (source < 0) copyWords(inner, ~source, parent.hashes, at);
    else copyWords(page.hashes, source, parent.hashes, at);
  }
}

function runsOf(pages: readonly TreePage[]): Run[] {
  let scratch = 0;
  for (const { count } of pages) if (count < MIN_KEPT_BRANCHES) scratch += count * HASH_WORDS;
  const arena = new Uint32Array(scratch);
  let used = 0;
  return pages.map((page): Run => {
    const { symbols, dirtySymbols } = page;
    let inner: Uint32Array = arena;
    let innerAt = 0;
    let isNew = true;
    const isKept = page.count >= MIN_KEPT_BRANCHES;
    if (!isKept) {
      page.inner = undefined;
      innerAt = used;
      used += page.count * HASH_WORDS;
    } else if (page.inner === undefined) {
      inner = new Uint32Array(INNER_WORDS);
      page.inner = inner;
    } else {
      ({ inner } = page);
      isNew = false;
    }
    const present = nodesAbove(symbols);
    const pairs = nodesOfTwo(symbols, present);
    const wanted = isNew ? pairs : nodesAbove(dirtySymbols) & pairs;
    return { page, inner, innerAt, isKept, symbols, present, pairs, wanted };
  });
}

/** Computes the wanted nodes from `first` to twice `first`. */
function hashLevel(runs: readonly Run[], first: number, hasher: Hasher): void {
  const level = ((1 << first) - 1) << first;
  let count = 0;
  for (const { wanted } of runs) count += bitCount(wanted & level);
  if (count === 0) return;
  const input = new Uint32Array(count * PAIR_WORDS);
  let at = 0;
  for (const run of runs) {
    let left = run.wanted & level;
    if (left === 0) continue;
    const { inner } = run;
    const { hashes } = run.page;
    for (; left !== 0; left &= left - 1) {
      const child = 2 * lowestBit(left);
      const one = sourceOf(run, child);
      if (one < 0) copyWords(inner, ~one, input, at);
      else copyWords(hashes, one, input, at);
      const other = sourceOf(run, child + 1);
      if (other < 0) copyWords(inner, ~other, input, at + HASH_WORDS);
      else copyWords(hashes, other, input, at + HASH_WORDS);
      at += PAIR_WORDS;
    }
  }
  const bytes = new Uint8Array(input.buffer);
  hasher.hashMany(bytes, 2 * HASH_BYTES, bytes);
  at = 0;
  for (const run of runs) {
    for (let left = run.wanted & level; left !== 0; left &= left - 1) {
      copyWords(input, at, run.inner, innerOf(run, lowestBit(left)));
      at += HASH_WORDS;
    }
  }
}

/** Where in `inner` the hash of a pair is. */
function innerOf({ innerAt, isKept, pairs }: Run, node: number): number {
  const place = isKept ? node : bitCount(pairs & ((1 << node) - 1));
  return innerAt + place * HASH_WORDS;
}

/** Where the hash of a node that is there is: in the page's hashes, or, `~` of it, in `inner`. */
function sourceOf(run: Run, node: number): number {
  const { page, symbols, present, pairs } = run;
  let at = node;
  while (at < SYMBOLS) {
    if ((pairs & (1 << at)) !== 0) return ~innerOf(run, at);
    const one = 2 * at;
    const hasOne = one < SYMBOLS ? present & (1 << one) : symbols & (1 << (one - SYMBOLS));
    at = hasOne === 0 ? one + 1 : one;
  }
  return page.find(at - SYMBOLS) * HASH_WORDS;
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
