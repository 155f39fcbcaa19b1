import type { Hasher } from '@cairn/commitments';
import { equalBytes } from '@cairn/primitives';
import { keyText } from '../key-text.ts';
import { EMPTY_HASH } from './digests.ts';
import { divergence, prefixBytes, symbolAt, symbolCount } from './key-symbols.ts';
import {
  type Branch,
  branchIndex,
  branchWeight,
  decodePage,
  LEAF_POSITION,
  type LongPath,
  MAX_PAGE_PATH_BYTES,
  pageHashes,
  pageName,
  pageWeight,
  type TreePage,
} from './tree-page.ts';

/** Where the pages of one tree are kept. */
export interface PageStore {
  /** Records of pages by name, in order; `undefined` for those that are not there. */
  pages(names: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** Paths by their hash. */
  paths(hashes: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
}

/** A tree's page that should be there and is not, or cannot be read. */
export class PageMissing extends Error {}

/** A page that is not as it was stored; without `page`: no more there. */
export interface PageChange extends Pick<TreePage, 'position' | 'path'> {
  readonly page: TreePage | undefined;
}

/** Pages changed since they were stored. */
export type PageChanges = ReadonlyMap<string, PageChange>;

/** Pages loaded at once. */
const PAGES_PER_LOAD = 5000;

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
  readonly #pages = new Map<string, TreePage>();
  readonly #dirty = new Map<string, TreePage>();
  readonly #changed = new Map<string, PageChange>();
  #storedHash: Uint8Array;
  #root: Branch | undefined;
  #weight = 0;

  /** @param root - what `root` gave for the stored tree; `undefined` for an empty one */
  constructor(store: PageStore, hasher: Hasher, root: Branch | undefined) {
    this.#store = store;
    this.#hasher = hasher;
    this.#root = root === undefined ? undefined : { ...root };
    this.#storedHash = root?.hash ?? EMPTY_HASH;
  }

  /** Whether the root is another than at the last `settle`. */
  get isRootChanged(): boolean {
    return !equalBytes(this.#storedHash, this.#root?.hash ?? EMPTY_HASH);
  }

  /** The topmost branch, to be stored beside the pages. */
  get root(): Branch | undefined {
    return this.#root;
  }

  /** Bytes of the pages in memory, about. */
  get weight(): number {
    return this.#weight;
  }

  /** Loads the pages on the way to each key. @throws {PageMissing} if the stored tree is damaged */
  async preload(keys: readonly Uint8Array[]): Promise<void> {
    let walks = keys.flatMap((key) =>
      this.#root === undefined ? [] : [{ key, branch: this.#root }],
    );
    while (walks.length > 0) {
      walks = walks.filter(
        ({ key, branch: { position, path } }) =>
          position !== LEAF_POSITION && divergence(key, path, position) === position,
      );
      await this.#load(walks.map(({ branch }) => branch));
      walks = walks.flatMap(({ key, branch }) => {
        const page = this.#pageOf(branch);
        const symbol = symbolAt(key, page.position);
        const next = page.branches[branchIndex(page, symbol)];
        return next?.symbol === symbol ? [{ key, branch: next }] : [];
      });
    }
  }

  /** Loads the page that a branch refers to. @throws {PageMissing} */
  async load(branch: Branch): Promise<TreePage> {
    await this.#load([branch]);
    return this.#pageOf(branch);
  }

  /** Sets a key's leaf; its way was loaded. @returns whether the key is new */
  set(key: Uint8Array, leafHash: Uint8Array): boolean {
    const leaf = (symbol: number): Branch => ({
      symbol,
      hash: leafHash,
      position: LEAF_POSITION,
      path: key,
    });
    if (this.#root === undefined) {
      this.#root = leaf(0);
      return true;
    }
    let branch = this.#root;
    for (let step = symbolCount(key) + 1; step > 0; step -= 1) {
      const isLeaf = branch.position === LEAF_POSITION;
      const limit = isLeaf ? Math.max(symbolCount(key), symbolCount(branch.path)) : branch.position;
      const position = divergence(key, branch.path, limit);
      if (position < limit) {
        this.#split(branch, position, leaf(symbolAt(key, position)));
        return true;
      }
      if (isLeaf) {
        branch.hash = leafHash;
        return false;
      }
      const page = this.#touch(branch);
      const symbol = symbolAt(key, page.position);
      const at = branchIndex(page, symbol);
      const next = page.branches[at];
      if (next?.symbol !== symbol) {
        page.branches.splice(at, 0, leaf(symbol));
        this.#weight += branchWeight(key);
        return true;
      }
      branch = next;
    }
    throw new PageMissing('a way through the tree is longer than its key');
  }

  /** Removes a key; its way was loaded. @returns whether it was there */
  remove(key: Uint8Array): boolean {
    const trail: Branch[] = [];
    let branch = this.#root;
    while (branch !== undefined && branch.position !== LEAF_POSITION) {
      if (divergence(key, branch.path, branch.position) < branch.position) return false;
      trail.push(branch);
      const page = this.#pageOf(branch);
      const symbol = symbolAt(key, page.position);
      const next: Branch | undefined = page.branches[branchIndex(page, symbol)];
      branch = next?.symbol === symbol ? next : undefined;
    }
    if (branch === undefined || !equalBytes(branch.path, key)) return false;
    for (const holder of trail) this.#touch(holder);
    const holder = trail.at(-1);
    if (holder === undefined) {
      this.#root = undefined;
      return true;
    }
    const page = this.#pageOf(holder);
    page.branches.splice(page.branches.indexOf(branch), 1);
    this.#weight -= branchWeight(branch.path);
    const [left] = page.branches;
    if (page.branches.length === 1 && left !== undefined) {
      this.#drop(holder);
      holder.position = left.position;
      holder.path = left.path;
      holder.hash = left.hash;
      this.#adopt(holder);
    }
    return true;
  }

  /** The root's hash with everything changed since the last call: 32 bytes, zeros if empty. */
  hash(): Uint8Array {
    const byPosition = new Map<number, TreePage[]>();
    for (const page of this.#dirty.values()) {
      const pages = byPosition.get(page.position);
      if (pages === undefined) byPosition.set(page.position, [page]);
      else pages.push(page);
    }
    for (const position of [...byPosition.keys()].sort((left, right) => right - left)) {
      const pages = byPosition.get(position) ?? [];
      const hashes = pageHashes(pages, this.#hasher);
      for (const [index, page] of pages.entries()) page.holder.hash = hashes[index] ?? EMPTY_HASH;
    }
    this.#dirty.clear();
    return this.#root?.hash ?? EMPTY_HASH;
  }

  /** Pages changed since `settle`. Complete only after `hash`. */
  get changes(): PageChanges {
    return this.#changed;
  }

  /** Takes what changed as stored, and gives up memory beyond `maxBytes`. */
  settle(maxBytes: number): void {
    this.#changed.clear();
    this.#storedHash = this.#root?.hash ?? EMPTY_HASH;
    if (this.#weight <= maxBytes) return;
    // Deep pages first: the upper ones are on every way.
    const byDepth = [...this.#pages.entries()].sort(
      ([, left], [, right]) => right.position - left.position,
    );
    for (const [name, page] of byDepth) {
      if (this.#weight <= maxBytes / 2) break;
      this.#pages.delete(name);
      this.#weight -= pageWeight(page);
    }
  }

  /** Marks the page of a branch as changed: it is stored again, and hashed. */
  #touch(branch: Branch): TreePage {
    const page = this.#pageOf(branch);
    const name = pageText(branch);
    this.#dirty.set(name, page);
    this.#changed.set(name, { position: page.position, path: page.path, page });
    return page;
  }

  /** Puts a page between a branch and what it referred to. */
  #split(branch: Branch, position: number, leaf: Branch): void {
    const below = { ...branch, symbol: symbolAt(branch.path, position) };
    const branches = below.symbol < leaf.symbol ? [below, leaf] : [leaf, below];
    this.#adopt(below);
    branch.position = position;
    branch.path = prefixBytes(leaf.path, position);
    const page: TreePage = { position, path: branch.path, branches, holder: branch };
    this.#pages.set(pageText(branch), page);
    this.#weight += pageWeight(page);
    this.#touch(branch);
  }

  /** Tells a page that is in memory which branch refers to it now. */
  #adopt(branch: Branch): void {
    if (branch.position === LEAF_POSITION) return;
    const page = this.#pages.get(pageText(branch));
    if (page !== undefined) page.holder = branch;
  }

  #drop(branch: Branch): void {
    const name = pageText(branch);
    const page = this.#pages.get(name);
    if (page !== undefined) this.#weight -= pageWeight(page);
    this.#pages.delete(name);
    this.#dirty.delete(name);
    this.#changed.set(name, { position: branch.position, path: branch.path, page: undefined });
  }

  #pageOf(branch: Branch): TreePage {
    const page = this.#pages.get(pageText(branch));
    if (page === undefined) {
      throw new PageMissing(`the tree's page at position ${branch.position} was not loaded`);
    }
    page.holder = branch;
    return page;
  }

  async #load(wanted: readonly Branch[]): Promise<void> {
    const missing = new Map<string, Branch>();
    for (const branch of wanted) {
      const name = pageText(branch);
      if (!this.#pages.has(name)) missing.set(name, branch);
    }
    const branches = [...missing.entries()];
    for (let first = 0; first < branches.length; first += PAGES_PER_LOAD) {
      const some = branches.slice(first, first + PAGES_PER_LOAD);
      const records = await this.#store.pages(some.map(([, branch]) => pageName(branch)));
      const long: LongPath[] = [];
      for (const [index, [name, branch]] of some.entries()) {
        const record = records[index];
        const found = record === undefined ? undefined : decodePage(record, branch);
        if (found === undefined) {
          throw new PageMissing(
            `the tree's page at position ${branch.position} is missing or damaged`,
          );
        }
        const { position, path } = branch;
        const page: TreePage = { position, path, branches: found.branches, holder: branch };
        long.push(...found.long);
        this.#pages.set(name, page);
        this.#weight += pageWeight(page);
      }
      await this.#fillPaths(long);
    }
  }

  async #fillPaths(long: readonly LongPath[]): Promise<void> {
    if (long.length === 0) return;
    const paths = await this.#store.paths(long.map(({ pathHash }) => pathHash));
    for (const [index, { branch }] of long.entries()) {
      const path = paths[index];
      if (path === undefined) throw new PageMissing('a long path of the tree is missing');
      branch.path = path;
      this.#weight += path.length;
    }
  }
}

function pageText({ position, path }: Branch): string {
  return `${position}:${keyText(path)}`;
}

/** Paths that do not fit into the pages that changed, to be stored under their hash. */
export function longPaths(changes: PageChanges, root: Branch | undefined): Uint8Array[] {
  const paths: Uint8Array[] = [];
  const consider = ({ path }: Branch): void => {
    if (path.length > MAX_PAGE_PATH_BYTES) paths.push(path);
  };
  for (const { page } of changes.values()) page?.branches.forEach(consider);
  if (root !== undefined) consider(root);
  return paths;
}
