import type { Hasher } from '@cairn/commitments';
import { copyWords, HASH_WORDS } from './copy-hash.ts';
import { bytesNamer, EMPTY_HASH } from './digests.ts';
import { prefixBytes, symbolAt } from './key-symbols.ts';
import { hashPages } from './page-hashes.ts';
import { type HashPath, NO_POSITION, pageName, TreePage } from './tree-page.ts';

/** Pages kept to be used again: those of as many rows as are hashed together. */
const MAX_SPARE = 4096;
/** Room for branches in a page below which nothing is known yet: most have so many. */
const ROOM = 3;
const NO_PATH = new Uint8Array(0);

/**
 * Makes the pages of a state tree from all its keys, told in their order: each page once, when it is whole,
 * where a `StateTree` goes over them with every key. The pages and the root are the same.
 *
 * Holds the pages on the way to the last key, and those that `takePages` was not asked for yet.
 */
export class SortedTree {
  readonly #hasher: Hasher;
  readonly #hashPath: HashPath;
  /** Above all: one branch, once all is done. */
  readonly #top: TreePage;
  /** Pages on the way to the last key, from above; more keys may come to each. */
  readonly #open: TreePage[] = [];
  /** Of the open pages: how many pages are below at most. */
  readonly #heights: number[] = [];
  /** Whole pages, each behind all below it. */
  #whole: TreePage[] = [];
  /** Those of them that are not hashed, by how many pages are below: no page needs another of its own height. */
  #byHeight: TreePage[][] = [];
  /** Pages to be used again. */
  readonly #spare: TreePage[] = [];
  #last: Uint8Array | undefined;
  /** Of the leaf of the last key, or of the subtree that ends with it. */
  readonly #lastHash = new Uint32Array(HASH_WORDS);
  /** Where the keys of that subtree differ first; beyond every position for a leaf. */
  #lastFork = Number.POSITIVE_INFINITY;

  constructor(hasher: Hasher) {
    this.#hasher = hasher;
    this.#hashPath = bytesNamer(hasher);
    this.#top = new TreePage({ position: NO_POSITION, path: NO_PATH }, this.#hashPath);
  }

  /**
   * Adds a key behind all others.
   *
   * @param key - not to be changed until the next was added
   * @param at - the word in `hashes` at which the hash of its leaf begins
   * @returns whether it is behind all others; else nothing is done
   */
  add(key: Uint8Array, hashes: Uint32Array, at: number): boolean {
    return this.#addBehind([key, key], Number.POSITIVE_INFINITY, { hashes, at });
  }

  /**
   * Adds a whole subtree behind all keys by its hash: no pages of it are made.
   *
   * @param range - its first key and its last, not to be changed until the next was added
   * @param at - the word in `hashes` at which its hash begins
   * @returns whether it is behind all others, and is all there is below its branch; else nothing is done
   */
  addSubtree(range: readonly [Uint8Array, Uint8Array], hashes: Uint32Array, at: number): boolean {
    const fork = ascent(...range);
    return fork >= 0 && this.#addBehind(range, fork, { hashes, at });
  }

  #addBehind(
    [first, last]: readonly [Uint8Array, Uint8Array],
    fork: number,
    { hashes, at }: { readonly hashes: Uint32Array; readonly at: number },
  ): boolean {
    if (this.#last !== undefined) {
      const position = ascent(this.#last, first);
      // A neighbour that left a subtree below where its own keys do would be a part of it.
      if (position < 0 || position >= fork || position >= this.#lastFork) return false;
      this.#place(this.#last, position);
    }
    this.#last = last;
    this.#lastFork = fork;
    copyWords(hashes, at, this.#lastHash, 0);
    return true;
  }

  /** Says that no key follows. @returns the root's hash: 32 bytes, zeros if there was no key */
  finish(): Uint8Array {
    if (this.#last !== undefined) this.#place(this.#last, NO_POSITION);
    this.#last = undefined;
    this.#hash();
    return this.#top.count === 0 ? EMPTY_HASH : this.#top.hashOf(0);
  }

  /** The page above all, after `finish`. */
  get top(): TreePage {
    return this.#top;
  }

  /**
   * Pages that are whole, hashed, and were not taken yet; those of one position in the order of their names.
   */
  takePages(): TreePage[] {
    this.#hash();
    const pages = this.#whole;
    this.#whole = [];
    return pages;
  }

  /** Gives back a page that `takePages` handed out and that nobody looks at any more. */
  giveBack(page: TreePage): void {
    if (this.#spare.length < MAX_SPARE && page !== this.#top) this.#spare.push(page);
  }

  /** The name a page is stored under. */
  nameOf(page: TreePage): Uint8Array {
    return pageName(page, this.#hashPath);
  }

  /** The name that a path too long for a page is stored under. */
  nameOfPath(path: Uint8Array): Uint8Array {
    return this.#hashPath(path);
  }

  /** Puts the last key's leaf into its page, now that it is known where the next key leaves it. */
  #place(key: Uint8Array, position: number): void {
    let child: TreePage | undefined;
    let height = -1;
    for (let page = this.#open.at(-1); page !== undefined; page = this.#open.at(-1)) {
      if (page.position <= position) break;
      this.#append(page, { key, child, height });
      this.#open.pop();
      height = this.#heights.pop() ?? 0;
      this.#close(page, height);
      child = page;
    }
    let page = position === NO_POSITION ? this.#top : this.#open.at(-1);
    if (page?.position !== position) {
      const path = prefixBytes(key, position);
      page = this.#spare.pop();
      if (page === undefined)
        page = new TreePage({ position, path }, this.#hashPath, { room: ROOM });
      else page.reset({ position, path });
      this.#open.push(page);
      this.#heights.push(0);
    }
    this.#append(page, { key, child, height });
  }

  /** Adds the branch on the way to a key: a whole page, or the key's leaf or subtree. */
  #append(
    page: TreePage,
    {
      key,
      child,
      height,
    }: {
      readonly key: Uint8Array;
      readonly child: TreePage | undefined;
      readonly height: number;
    },
  ): void {
    const symbol = page.position === NO_POSITION ? 0 : symbolAt(key, page.position);
    if (child === undefined) {
      const fork = this.#lastFork;
      const ref =
        fork === Number.POSITIVE_INFINITY
          ? { position: NO_POSITION, path: key }
          : { position: fork, path: prefixBytes(key, fork) };
      page.insert(page.count, symbol, ref, this.#lastHash, 0);
      return;
    }
    page.insert(page.count, symbol, child, this.#lastHash, 0); // its own hash comes with `hashPages`
    child.parent = page;
    child.symbol = symbol;
    const last = this.#heights.length - 1;
    if (page !== this.#top) this.#heights[last] = Math.max(this.#heights[last] ?? 0, height + 1);
  }

  #close(page: TreePage, height: number): void {
    this.#whole.push(page);
    const pages = this.#byHeight[height];
    if (pages === undefined) this.#byHeight[height] = [page];
    else pages.push(page);
  }

  #hash(): void {
    for (const pages of this.#byHeight) {
      if (pages === undefined || pages.length === 0) continue;
      hashPages(pages, this.#hasher);
      for (const page of pages) page.inner = undefined; // it is not hashed again
    }
    this.#byHeight = [];
  }
}

/** The position of the first symbol at which a key differs from the one before; −1 if it does not follow it. */
export function ascent(before: Uint8Array, key: Uint8Array): number {
  const shared = Math.min(before.length, key.length);
  let at = 0;
  while (at < shared && before[at] === key[at]) at += 1;
  if (at === shared) return key.length > before.length ? 2 * at : -1;
  const [low, high] = [before[at] ?? 0, key[at] ?? 0];
  if (high < low) return -1;
  return low >> 4 === high >> 4 ? 2 * at + 1 : 2 * at;
}
