import type { Hasher } from '@cairn/commitments';
import { keyText } from '../key-text.ts';
import { HASH_WORDS, wordsOf } from './copy-hash.ts';
import { bytesNamer, EMPTY_HASH } from './digests.ts';
import { prefixBytes, symbolAt, symbolCount } from './key-symbols.ts';
import { hashPages } from './page-hashes.ts';
import { type HashPath, NO_POSITION, pageName, TreePage } from './tree-page.ts';

/** Where the pages of one tree are kept. */
export interface PageStore {
  /** Records of pages by name, in order; `undefined` for those that are not there. */
  pages(names: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** Paths by their hash. */
  paths(hashes: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
}

/** A tree's page that should be there and is not, or cannot be read. */
export class PageMissing extends Error {}

/** Pages loaded at once. */
const PAGES_PER_LOAD = 5000;
/** Branches that a new page has room for. */
const FIRST_ROOM = 3;
/** A hash that is not known yet. */
const NO_HASH = new Uint32Array(HASH_WORDS);
const NO_PATH = new Uint8Array(0);

/** Where a key is in a tree, or would be. */
export interface KeyPlace {
  /** The lowest page on its way. */
  readonly page: TreePage;
  /** Whether the tree has it. */
  readonly isThere: boolean;
  /** Of the page: the branch whose own page is not in memory. */
  readonly missing: number | undefined;
}

/** Where the hash of a leaf is: it begins at a word of these. */
interface LeafPlace {
  readonly hashes: Uint32Array;
  readonly at: number;
}

/** A branch whose page is wanted. */
interface Wanted {
  readonly page: TreePage;
  readonly index: number;
}

/**
 * An ordered Merkle tree over keys, kept as pages: each two neighbours that differ in one bit are
 * hashed together, so that the root depends on what the tree holds and not on how it came to be.
 *
 * Pages on the way to a key are loaded by `preload`; changes and the root are then computed without
 * waiting. Depth is at most two pages for each byte that keys share.
 */
export class StateTree {
  readonly #store: PageStore;
  readonly #hasher: Hasher;
  readonly #hashPath: HashPath;
  /** Above all: one branch, or none while the tree is empty. */
  readonly #top: TreePage;
  /** Pages to be hashed. */
  #dirty: TreePage[] = [];
  /** Pages that are not as they are stored. */
  #changed: TreePage[] = [];
  /** Stored pages that are no more, by name. */
  readonly #dropped = new Map<string, Uint8Array>();
  #isTopChanged = false;
  #weight = 0;

  /** @param top - what `top` gave for the stored tree; `undefined` for an empty one */
  constructor(store: PageStore, hasher: Hasher, top?: Uint8Array) {
    this.#store = store;
    this.#hasher = hasher;
    this.#hashPath = bytesNamer(hasher);
    this.#top = new TreePage(
      { position: NO_POSITION, path: NO_PATH },
      this.#hashPath,
      top === undefined ? {} : { stored: top },
    );
    if (!this.#top.isSound) throw new PageMissing("the tree's topmost page is damaged");
  }

  /** The page above all: one branch, or none if the tree is empty. */
  get top(): TreePage {
    return this.#top;
  }

  /** Bytes of the pages in memory, about. */
  get weight(): number {
    return this.#weight;
  }

  /**
   * Loads the pages on the way to each key.
   *
   * @returns where each key is or would be, in order: good until keys are removed or memory is given up
   * @throws {PageMissing} if the stored tree is damaged
   */
  async preload(keys: readonly Uint8Array[]): Promise<readonly KeyPlace[]> {
    await this.#fillPaths([this.#top]);
    const places: KeyPlace[] = keys.map((key) => placeOf(key, this.#top));
    for (;;) {
      const missing = new Map<TreePage, number>();
      const stopped: number[] = [];
      for (const [at, { page, missing: index }] of places.entries()) {
        if (index === undefined) continue;
        missing.set(page, (missing.get(page) ?? 0) | (1 << index));
        stopped.push(at);
      }
      if (stopped.length === 0) return places;
      await this.#load(wantedOf(missing));
      for (const at of stopped) {
        const [key, place] = [keys[at], places[at]];
        if (key !== undefined && place !== undefined) places[at] = placeOf(key, place.page);
      }
    }
  }

  /** The page that a branch refers to. @throws {PageMissing} */
  async load(page: TreePage, index: number): Promise<TreePage> {
    if (page.child(index) === undefined) await this.#load([{ page, index }]);
    return this.#childOf(page, index);
  }

  /**
   * Sets a key's leaf; its way was loaded.
   *
   * @param from - the page of the key's place, where `preload` told it
   * @returns whether the key is new
   */
  set(key: Uint8Array, leafHash: Uint8Array, from: TreePage = this.#top): boolean {
    return this.setFrom(key, { hashes: wordsOf(leafHash), at: 0 }, from);
  }

  /** `set` with the hash that begins at a word of `hashes`. */
  setFrom(key: Uint8Array, leaf: LeafPlace, from: TreePage = this.#top): boolean {
    const { hashes, at } = leaf;
    let page = from;
    for (let step = symbolCount(key) + 2; step > 0; step -= 1) {
      const symbol = symbolIn(page, key);
      const index = page.find(symbol);
      if (index < 0) {
        this.#weight += key.length + 40;
        page.insert(-1 - index, symbol, { position: NO_POSITION, path: key }, hashes, at);
        this.#touch(page, symbol);
        return true;
      }
      const position = page.divergenceAt(index, key);
      if (position !== undefined) {
        this.#split({ page, index }, position, { key, leaf });
        return true;
      }
      if (!page.isPage(symbol)) {
        page.setHash(index, hashes, at);
        this.#touch(page, symbol);
        return false;
      }
      page = this.#childOf(page, index);
    }
    throw new PageMissing('a way through the tree is longer than its key');
  }

  /** Removes a key; its way was loaded. @returns whether it was there */
  remove(key: Uint8Array): boolean {
    let page = this.#top;
    let index = -1;
    for (let step = symbolCount(key) + 2; step > 0; step -= 1) {
      index = page.find(symbolIn(page, key));
      if (index < 0 || page.divergenceAt(index, key) !== undefined) return false;
      if (page.isLeaf(index)) break;
      page = this.#childOf(page, index);
    }
    this.#touch(page, symbolIn(page, key));
    this.#weight -= key.length + 40;
    page.remove(index);
    const { parent } = page;
    if (parent === undefined || page.count !== 1) return true;
    // What is left alone takes the place of its page.
    const [ref, child] = [page.ref(0), page.child(0)];
    const at = parent.find(page.symbol);
    this.#drop(page);
    parent.replace(at, ref, page.hashes, 0);
    if (child !== undefined) parent.setChild(at, child);
    return true;
  }

  /** The root's hash with everything changed since the last call: 32 bytes, zeros if empty. */
  hash(): Uint8Array {
    const byPosition = new Map<number, TreePage[]>();
    for (const page of this.#dirty) {
      if (page.isGone) continue;
      const pages = byPosition.get(page.position);
      if (pages === undefined) byPosition.set(page.position, [page]);
      else pages.push(page);
    }
    for (const position of [...byPosition.keys()].sort((left, right) => right - left)) {
      hashPages(byPosition.get(position) ?? [], this.#hasher);
    }
    this.#dirty = [];
    return this.#top.count === 0 ? EMPTY_HASH : this.#top.hashOf(0);
  }

  /** Names of stored pages that are no more; some may be there again, among `changed`. */
  get dropped(): Iterable<Uint8Array> {
    return this.#dropped.values();
  }

  /** Pages that are not as they are stored, the one above all aside. Right after `hash` only. */
  get changed(): readonly TreePage[] {
    return this.#changed.filter(({ isGone }) => !isGone);
  }

  /** The name a page is stored under. */
  nameOf(page: TreePage): Uint8Array {
    return pageName(page, this.#hashPath);
  }

  /** Paths that do not fit into pages and are not stored yet, with the names they are stored under. */
  takeUnsavedPaths(): { readonly name: Uint8Array; readonly path: Uint8Array }[] {
    const pages = [this.#top, ...this.changed];
    const paths = pages.flatMap((page) => page.takeUnsavedPaths());
    return paths.map((path) => ({ name: this.#hashPath(path), path }));
  }

  /** Whether there is anything to store. */
  get isChanged(): boolean {
    return this.#isTopChanged || this.#changed.length > 0 || this.#dropped.size > 0;
  }

  /** Takes what changed as stored, and gives up memory beyond `maxBytes`: deep pages first. */
  settle(maxBytes: number): void {
    for (const page of this.#changed) page.isChanged = false;
    this.#changed = [];
    this.#dropped.clear();
    this.#isTopChanged = false;
    if (this.#weight <= maxBytes) return;
    const levels: TreePage[][] = [[this.#top]];
    for (let level = levels[0]; level !== undefined && level.length > 0; level = levels.at(-1)) {
      levels.push(level.flatMap((page) => [...page.loaded()].map(([, child]) => child)));
    }
    this.#weight = 0;
    for (const level of levels) for (const page of level) this.#weight += page.weight;
    for (const level of levels.reverse()) {
      for (const page of level) {
        for (const [index, child] of page.loaded()) {
          if (this.#weight <= maxBytes / 2) return;
          this.#weight -= child.weight;
          page.setChild(index, undefined);
        }
      }
    }
  }

  /** Marks a page as changed at a symbol, and those above it: they are hashed and stored again. */
  #touch(from: TreePage, symbol: number): void {
    let bit = 1 << symbol;
    for (let page = from; page.parent !== undefined; page = page.parent) {
      if ((page.dirtySymbols & bit) !== 0) return;
      if (page.dirtySymbols === 0) this.#dirty.push(page);
      page.dirtySymbols |= bit;
      if (!page.isChanged) this.#changed.push(page);
      page.isChanged = true;
      bit = 1 << page.symbol;
    }
    this.#isTopChanged = true;
  }

  /** Puts a page with a new leaf between a branch and what it referred to. */
  #split(
    { page, index }: Wanted,
    position: number,
    { key, leaf }: { readonly key: Uint8Array; readonly leaf: LeafPlace },
  ): void {
    const [ref, child] = [page.ref(index), page.child(index)];
    const path = prefixBytes(key, position);
    const between = new TreePage({ position, path }, this.#hashPath, { room: FIRST_ROOM });
    const old = symbolAt(ref.path, position);
    const symbol = symbolAt(key, position);
    between.insert(0, old, ref, page.hashes, index * HASH_WORDS);
    const place = symbol > old ? 1 : 0;
    between.insert(place, symbol, { position: NO_POSITION, path: key }, leaf.hashes, leaf.at);
    if (child !== undefined) between.setChild(between.find(old), child);
    page.replace(index, between, NO_HASH, 0);
    page.setChild(index, between);
    this.#weight += between.weight;
    this.#touch(between, symbol);
    this.#touch(between, old);
  }

  #drop(page: TreePage): void {
    this.#weight -= page.weight;
    page.isGone = true;
    const name = this.nameOf(page);
    this.#dropped.set(keyText(name), name);
  }

  #childOf(page: TreePage, index: number): TreePage {
    const child = page.child(index);
    if (child !== undefined) return child;
    throw new PageMissing(`the tree's page at position ${page.positionOf(index)} was not loaded`);
  }

  async #load(wanted: readonly Wanted[]): Promise<void> {
    for (let first = 0; first < wanted.length; first += PAGES_PER_LOAD) {
      const some = wanted.slice(first, first + PAGES_PER_LOAD);
      const refs = some.map(({ page, index }) => page.ref(index));
      const records = await this.#store.pages(refs.map((ref) => pageName(ref, this.#hashPath)));
      const loaded: TreePage[] = [];
      for (const [at, { page, index }] of some.entries()) {
        const [record, ref] = [records[at], refs[at]];
        const child = record && ref && new TreePage(ref, this.#hashPath, { stored: record });
        if (child === undefined || child.count < 2 || !child.isSound) {
          const position = page.positionOf(index);
          throw new PageMissing(`the tree's page at position ${position} is missing or damaged`);
        }
        page.setChild(index, child);
        this.#weight += child.weight;
        loaded.push(child);
      }
      await this.#fillPaths(loaded);
    }
  }

  async #fillPaths(pages: readonly TreePage[]): Promise<void> {
    const missing = pages.flatMap((page) =>
      [...page.missingPaths()].map(([symbol, pathHash]) => ({ page, symbol, pathHash })),
    );
    if (missing.length === 0) return;
    const paths = await this.#store.paths(missing.map(({ pathHash }) => pathHash));
    for (const [at, { page, symbol }] of missing.entries()) {
      const path = paths[at];
      if (path === undefined) throw new PageMissing('a long path of the tree is missing');
      this.#weight += path.length;
      page.setPath(symbol, path);
    }
  }
}

/** The symbol of the branch that leads to a key. */
export function symbolIn({ position }: TreePage, key: Uint8Array): number {
  return position === NO_POSITION ? 0 : symbolAt(key, position);
}

/** How far the way to a key is in memory. */
function placeOf(key: Uint8Array, from: TreePage): KeyPlace {
  let page = from;
  for (;;) {
    const symbol = symbolIn(page, key);
    const index = page.find(symbol);
    const isWay = index >= 0 && page.divergenceAt(index, key) === undefined;
    if (!isWay) return { page, isThere: false, missing: undefined };
    if (!page.isPage(symbol)) return { page, isThere: true, missing: undefined };
    const child = page.child(index);
    if (child === undefined) return { page, isThere: false, missing: index };
    page = child;
  }
}

function wantedOf(missing: ReadonlyMap<TreePage, number>): Wanted[] {
  const wanted: Wanted[] = [];
  for (const [page, indexes] of missing) {
    for (let index = 0; index < page.count; index += 1) {
      if ((indexes & (1 << index)) !== 0) wanted.push({ page, index });
    }
  }
  return wanted;
}
