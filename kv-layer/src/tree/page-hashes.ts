import { HASH_BYTES, type Hasher } from '@cairn/commitments';
import { concatBytes } from '@cairn/primitives';
import type { TreePage } from './tree-page.ts';

/** Bits of a symbol: rounds of hashing in a page. */
const SYMBOL_BITS = 5;
const SYMBOLS = 32;
/** Pages of fewer branches are hashed anew each time: keeping what lies between costs more. */
const MIN_KEPT_BRANCHES = 5;
/** Hashes between branches and page: a heap, 1 is the page itself. */
const INNER_BYTES: number = SYMBOLS * HASH_BYTES;

/** A page being hashed: node n below 32 is in `inner`, above it is the branch of symbol n − 32. */
interface Run {
  readonly page: TreePage;
  readonly inner: Uint8Array;
  /** Bit n: node n of the level just done is there. */
  present: number;
  /** Bit n: node n of the level just done changed. */
  dirty: number;
}

/**
 * Hashes pages of which branches changed, many at once, and tells the pages above. Branches that
 * differ in one bit of their symbols are hashed in pairs, bit by bit from the last; whatever is
 * alone is carried up as it is.
 */
export function hashPages(pages: readonly TreePage[], hasher: Hasher): void {
  let scratch = 0;
  for (const { inner, count } of pages) {
    if (inner === undefined && count < MIN_KEPT_BRANCHES) scratch += INNER_BYTES;
  }
  const arena = new Uint8Array(scratch);
  let used = 0;
  const runs = pages.map((page): Run => {
    const isKept = page.count >= MIN_KEPT_BRANCHES;
    const isNew = page.inner === undefined;
    if (!isKept) page.inner = undefined;
    else page.inner ??= new Uint8Array(INNER_BYTES);
    let { inner } = page;
    if (inner === undefined) {
      inner = arena.subarray(used, used + INNER_BYTES);
      used += INNER_BYTES;
      if (inner.length === 0) inner = new Uint8Array(INNER_BYTES); // it shrank just now
    }
    const present = page.symbols;
    const dirty = isNew || !isKept ? present : page.dirtySymbols;
    return { page, inner, present, dirty };
  });
  for (let bit = 1; bit <= SYMBOL_BITS; bit += 1) hashLevel(runs, SYMBOLS >> bit, hasher);
  for (const { page, inner } of runs) {
    page.dirtySymbols = 0;
    const { parent } = page;
    parent?.setHash(parent.find(page.symbol), inner.subarray(HASH_BYTES, 2 * HASH_BYTES));
  }
}

/** Computes the nodes from `first` to twice `first` that changed. */
function hashLevel(runs: readonly Run[], first: number, hasher: Hasher): void {
  const targets: { readonly inner: Uint8Array; readonly at: number }[] = [];
  const sources: Uint8Array[] = [];
  const offsets: number[] = [];
  for (const run of runs) {
    const { page, inner } = run;
    let parents = 0;
    for (let dirty = run.dirty; dirty !== 0; dirty &= dirty - 1) {
      parents |= 1 << (lowestBit(dirty) >> 1);
    }
    let present = 0;
    for (let below = run.present; below !== 0; below &= below - 1) {
      present |= 1 << (lowestBit(below) >> 1);
    }
    const isBranch = first === SYMBOLS / 2;
    const source = isBranch ? page.bytes : inner;
    for (let left = parents & present; left !== 0; left &= left - 1) {
      const node = lowestBit(left);
      const one = 2 * node;
      const hasOne = (run.present & (1 << one)) !== 0;
      const hasOther = (run.present & (1 << (one + 1))) !== 0;
      const at = (first + node) * HASH_BYTES;
      if (hasOne && hasOther) {
        targets.push({ inner, at });
        sources.push(source);
        offsets.push(hashAt(page, first, one), hashAt(page, first, one + 1));
      } else {
        const from = hashAt(page, first, hasOne ? one : one + 1);
        inner.set(source.subarray(from, from + HASH_BYTES), at);
      }
    }
    run.dirty = parents;
    run.present = present;
  }
  if (targets.length === 0) return;
  const input = new Uint8Array(targets.length * 2 * HASH_BYTES);
  for (let index = 0; index < targets.length; index += 1) {
    const source = sources[index];
    if (source === undefined) continue;
    const [left, right] = [offsets[2 * index] ?? 0, offsets[2 * index + 1] ?? 0];
    copyHash(source, left, input, index * 2 * HASH_BYTES);
    copyHash(source, right, input, index * 2 * HASH_BYTES + HASH_BYTES);
  }
  const hashes = hasher.hashMany(input, 2 * HASH_BYTES, input);
  for (let index = 0; index < targets.length; index += 1) {
    const target = targets[index];
    if (target !== undefined) copyHash(hashes, index * HASH_BYTES, target.inner, target.at);
  }
}

/** Where the hash of a node below `first` is: of a branch, or between. */
function hashAt(page: TreePage, first: number, child: number): number {
  if (first === SYMBOLS / 2) return page.hashOffset(page.find(child));
  return (2 * first + child) * HASH_BYTES;
}

/** Byte by byte: a view of 32 bytes costs more than copying them. */
function copyHash(from: Uint8Array, at: number, to: Uint8Array, start: number): void {
  for (let index = 0; index < HASH_BYTES; index += 1) to[start + index] = from[at + index] ?? 0;
}

/** The index of the lowest bit that is set. */
function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

/** The hash of two neighbours. */
export function pairHash(left: Uint8Array, right: Uint8Array, hasher: Hasher): Uint8Array {
  return hasher.hashMany(concatBytes(left, right), 2 * HASH_BYTES);
}
