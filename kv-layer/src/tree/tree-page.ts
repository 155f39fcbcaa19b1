import { HASH_BYTES } from '@cairn/commitments';
import { concatBytes } from '@cairn/primitives';
import { bitCount } from './bits.ts';
import { copyWords, HASH_WORDS } from './copy-hash.ts';
import { copyBytes } from './digests.ts';
import { divergenceBehind, symbolCount } from './key-symbols.ts';

/** The position of a leaf: it branches nowhere. Also that of the page above all: it has one branch. */
export const NO_POSITION = -1;
/** The longest path kept in a page; longer ones lie beside it under their hash. */
export const MAX_PAGE_PATH_BYTES = 256;

const FLAG_PAGE = 0x20;
const FLAG_LONG = 0x40;
const SYMBOL_MASK = 0x1f;
/** Symbols there are; so many branches a page can have at most, and one more never. */
const MAX_BRANCHES = 32;
/** Bytes that a branch takes besides its hash, if it is a leaf whose key goes on for 24 bytes. */
const ROOM_BYTES: number = 1 + 4 + 24;
const NO_PATH = new Uint8Array(0);

/** What a branch refers to: a leaf by its key, or a page by what its keys have in common. */
export interface BranchRef {
  /** `NO_POSITION` for a leaf, else where the keys of the page differ. */
  readonly position: number;
  readonly path: Uint8Array;
}

/** Names a long path: 32 bytes that no other path has. */
export type HashPath = (path: Uint8Array) => Uint8Array;

/**
 * All branches at one position of keys that agree before it: 2 to 17, by symbol. Pages are how a tree
 * is kept; its root knows nothing of them.
 *
 * It is stored as: count u8; of each branch symbol and flags u8; of each its hash; of each a page's
 * position u32, path length u32, and the path without the whole bytes that all of them share, or the
 * hash of a long path. In memory the hashes lie by themselves, at whole words, and the rest as stored.
 */
export class TreePage {
  /** Where its keys differ; another only after `reset`. */
  position: number;
  /** The page that refers to this one; none for the page above all. */
  parent: TreePage | undefined;
  /** Of the branch that refers to this page. */
  symbol = 0;
  /** Bit n: the branch of symbol n is not as it was hashed; so are then all above. */
  dirtySymbols = 0;
  /** Whether it is not as it is stored. */
  isChanged = false;
  /** Whether the tree has no such page any more. */
  isGone = false;
  /** Hashes between branches and page once they were computed; see `page-hashes`. */
  inner: Uint32Array | undefined;
  /** Of the branches, by index. */
  hashes: Uint32Array;
  /** The page without its hashes in its first `#size` bytes, room for more branches, and at the end the path. */
  #bytes: Uint8Array;
  #size: number;
  /** The path, if it is too long to be kept there. */
  #path: Uint8Array | undefined;
  /** Bytes of the path at the end. */
  #tail: number;
  /** Bit n: there is a branch of symbol n. */
  #symbols = 0;
  /** Bit n: it refers to a page. */
  #pages = 0;
  #children: (TreePage | undefined)[] | undefined;
  /** Long paths by symbol. */
  #long: Map<number, Uint8Array> | undefined;
  /** Symbols of long paths that are not stored yet. */
  #unsaved = 0;
  readonly #hashPath: HashPath;
  /** Whether what was stored cannot be a page. */
  readonly #isCut: boolean;

  /**
   * @param stored - the page as it is stored; without branches unless told
   * @param room - branches to make room for, of which 24 bytes of a path are kept
   */
  constructor(
    { position, path }: BranchRef,
    hashPath: HashPath,
    { stored, room = 0 }: { readonly stored?: Uint8Array; readonly room?: number } = {},
  ) {
    this.position = position;
    this.#path = path.length > MAX_PAGE_PATH_BYTES ? path : undefined;
    this.#tail = this.#path === undefined ? path.length : 0;
    this.#hashPath = hashPath;
    const count = stored === undefined ? 0 : countIn(stored);
    const hashBytes = count * HASH_BYTES;
    this.#isCut = stored !== undefined && count !== stored[0];
    this.#size = stored === undefined || this.#isCut ? 1 : stored.length - hashBytes;
    this.hashes = new Uint32Array((count + room) * HASH_WORDS);
    this.#bytes = new Uint8Array(this.#size + room * ROOM_BYTES + this.#tail);
    if (this.#tail > 0) this.#bytes.set(path, this.#bytes.length - this.#tail);
    if (stored === undefined || this.#isCut) return;
    this.#bytes.set(stored.subarray(0, 1 + count));
    this.#bytes.set(stored.subarray(1 + count + hashBytes), 1 + count);
    new Uint8Array(this.hashes.buffer).set(stored.subarray(1 + count, 1 + count + hashBytes));
    for (let index = 0; index < count; index += 1) {
      const flags = stored[1 + index] ?? 0;
      this.#symbols |= 1 << (flags & SYMBOL_MASK);
      if ((flags & FLAG_PAGE) !== 0) this.#pages |= 1 << (flags & SYMBOL_MASK);
    }
  }

  /**
   * Makes an empty page of one that nobody needs any more, with the room that it has: a new one costs as much as
   * all else that becomes of it.
   */
  reset({ position, path }: BranchRef): void {
    const isLong = path.length > MAX_PAGE_PATH_BYTES;
    this.position = position;
    this.parent = undefined;
    this.symbol = 0;
    this.dirtySymbols = 0;
    this.isChanged = false;
    this.isGone = false;
    this.inner = undefined;
    this.#path = isLong ? path : undefined;
    this.#tail = isLong ? 0 : path.length;
    this.#size = 1;
    this.#symbols = 0;
    this.#pages = 0;
    this.#children = undefined;
    this.#long = undefined;
    this.#unsaved = 0;
    if (this.#bytes.length < 1 + this.#tail) this.#bytes = new Uint8Array(1 + this.#tail);
    const bytes = this.#bytes;
    bytes[0] = 0;
    const start = bytes.length - this.#tail;
    for (let at = 0; at < this.#tail; at += 1) bytes[start + at] = path[at] ?? 0;
  }

  /** What its branches have in common. */
  get path(): Uint8Array {
    return this.#path ?? this.#bytes.subarray(this.#bytes.length - this.#tail);
  }

  /** The path, if it is too long to be a part of the page. */
  get longPath(): Uint8Array | undefined {
    return this.#path;
  }

  /** The page as it is stored. */
  get bytes(): Uint8Array {
    const bytes = new Uint8Array(this.storedBytes);
    this.write(bytes, 0);
    return bytes;
  }

  /** Bytes of the page as it is stored. */
  get storedBytes(): number {
    return this.#size + this.count * HASH_BYTES;
  }

  /** Writes the page as it is stored. */
  write(into: Uint8Array, at: number): void {
    const { count } = this;
    const hashBytes = count * HASH_BYTES;
    const [bytes, refs] = [this.#bytes, 1 + count];
    copyBytes({ bytes, start: 0 }, refs, { bytes: into, start: at });
    into.set(new Uint8Array(this.hashes.buffer, 0, hashBytes), at + refs);
    const rest = { bytes: into, start: at + refs + hashBytes };
    copyBytes({ bytes, start: refs }, this.#size - refs, rest);
  }

  /** Bytes it takes in memory, about. */
  get weight(): number {
    const { length } = this.#path ?? NO_PATH;
    const words = this.hashes.length + (this.inner?.length ?? 0);
    return 500 + this.#bytes.length + length + 4 * words;
  }

  /** How many branches there are. */
  get count(): number {
    return this.#bytes[0] ?? 0;
  }

  /** Whether the bytes are those of a page: lengths fit, symbols ascend. */
  get isSound(): boolean {
    const { count } = this;
    if (this.#isCut || this.#size < 1 + count) return false;
    for (let index = 1; index < count; index += 1) {
      if (this.symbolOf(index) <= this.symbolOf(index - 1)) return false;
    }
    return this.#offsetOf(count) === this.#size;
  }

  symbolOf(index: number): number {
    return (this.#bytes[1 + index] ?? 0) & SYMBOL_MASK;
  }

  isLeaf(index: number): boolean {
    return ((this.#bytes[1 + index] ?? 0) & FLAG_PAGE) === 0;
  }

  /** Bit n: there is a branch of symbol n. */
  get symbols(): number {
    return this.#symbols;
  }

  /** Whether the branch of a symbol refers to a page. */
  isPage(symbol: number): boolean {
    return (this.#pages & (1 << symbol)) !== 0;
  }

  /** The index of a symbol's branch; without one, −1 minus the index it would have. */
  find(symbol: number): number {
    const bit = 1 << symbol;
    const index = bitCount(this.#symbols & (bit - 1));
    return (this.#symbols & bit) === 0 ? -1 - index : index;
  }

  /** A copy of a branch's hash. */
  hashOf(index: number): Uint8Array {
    return new Uint8Array(this.hashes.buffer, index * HASH_BYTES, HASH_BYTES).slice();
  }

  /** @param at - the word in `hashes` at which the branch's begins */
  setHash(index: number, hashes: Uint32Array, at: number): void {
    copyWords(hashes, at, this.hashes, index * HASH_WORDS);
  }

  /** The page of a branch, once it is in memory. */
  child(index: number): TreePage | undefined {
    return this.#children?.[index];
  }

  /** Puts a page in memory, or takes it out. */
  setChild(index: number, child: TreePage | undefined): void {
    this.#children ??= new Array<TreePage | undefined>(this.count).fill(undefined);
    this.#children[index] = child;
    if (child === undefined) return;
    child.parent = this;
    child.symbol = this.symbolOf(index);
  }

  /** Pages below that are in memory. */
  *loaded(): Generator<readonly [index: number, child: TreePage]> {
    for (const [index, child] of (this.#children ?? []).entries()) {
      if (child !== undefined) yield [index, child];
    }
  }

  /** What a branch refers to. */
  ref(index: number): BranchRef {
    const position = this.isLeaf(index) ? NO_POSITION : this.#u32(this.#offsetOf(index));
    const long = this.#long?.get(this.symbolOf(index));
    if (long !== undefined) return { position, path: long };
    const { start, end } = this.#part(index);
    return { position, path: concatBytes(this.#shared(), this.#bytes.subarray(start, end)) };
  }

  /** The position of the page that a branch refers to. */
  positionOf(index: number): number {
    return this.isLeaf(index) ? NO_POSITION : this.#u32(this.#offsetOf(index));
  }

  /**
   * Where a key leaves the path of a branch; `undefined` if it does not, so that it is the leaf's
   * key, or is to be looked for in the page.
   *
   * @param key - one that agrees with this page's path
   */
  divergenceAt(index: number, key: Uint8Array): number | undefined {
    const isLeaf = this.isLeaf(index);
    const child = this.#children?.[index];
    // Both begin with the same whole bytes: only what is behind is compared.
    const shared = this.#sharedCount();
    let bytes = this.#long?.get(this.symbolOf(index)) ?? child?.longPath;
    let start = shared;
    let end = 0;
    if (bytes !== undefined) {
      end = bytes.length;
    } else if (child !== undefined) {
      bytes = child.#bytes;
      end = bytes.length;
      start = end - child.#tail + shared;
    } else {
      bytes = this.#bytes;
      ({ start, end } = this.#part(index));
    }
    const limit = isLeaf
      ? Math.max(symbolCount(key), 2 * (shared + end - start) + 1)
      : (child?.position ?? this.positionOf(index));
    const position = divergenceBehind({ key, from: shared }, { bytes, start, end }, limit);
    return position < limit ? position : undefined;
  }

  /** Puts a branch where `find` says it would be, with the hash that begins at a word of `hashes`. */
  insert(index: number, symbol: number, ref: BranchRef, hashes: Uint32Array, hashAt: number): void {
    const { count } = this;
    const size = this.#size;
    const at = index === count ? size : this.#offsetOf(index);
    const recordBytes = this.#recordBytes(ref);
    this.#grow(size + 1 + recordBytes);
    const bytes = this.#bytes;
    // From the back, so that nothing is overwritten before it was moved.
    if (index < count) bytes.copyWithin(at + 1 + recordBytes, at, size);
    bytes.copyWithin(2 + index, 1 + index, at);
    bytes[0] = count + 1;
    this.#growHashes(count + 1);
    const hashPlace = index * HASH_WORDS;
    if (index < count) {
      this.hashes.copyWithin(hashPlace + HASH_WORDS, hashPlace, count * HASH_WORDS);
    }
    copyWords(hashes, hashAt, this.hashes, hashPlace);
    this.#writeRef(index, symbol, ref, at + 1);
    this.#size = size + 1 + recordBytes;
    this.#children?.splice(index, 0, undefined);
  }

  /** Takes a branch out. */
  remove(index: number): void {
    const { count } = this;
    const size = this.#size;
    const [from, to] = [this.#offsetOf(index), this.#offsetOf(index + 1)];
    const symbol = this.symbolOf(index);
    this.#long?.delete(symbol);
    this.#symbols &= ~(1 << symbol);
    this.#pages &= ~(1 << symbol);
    const bytes = this.#bytes;
    bytes.copyWithin(1 + index, 2 + index, from);
    bytes.copyWithin(from - 1, to, size);
    bytes[0] = count - 1;
    this.hashes.copyWithin(index * HASH_WORDS, (index + 1) * HASH_WORDS, count * HASH_WORDS);
    this.#size = size - 1 - (to - from);
    this.#children?.splice(index, 1);
  }

  /** Lets a branch refer to something else, with the hash that begins at a word of `hashes`. */
  replace(index: number, ref: BranchRef, hashes: Uint32Array, hashAt: number): void {
    const symbol = this.symbolOf(index);
    const [from, to] = [this.#offsetOf(index), this.#offsetOf(index + 1)];
    const recordBytes = this.#recordBytes(ref);
    const size = this.#size - (to - from) + recordBytes;
    this.#grow(size);
    this.#bytes.copyWithin(from + recordBytes, to, this.#size);
    this.#size = size;
    this.#long?.delete(symbol);
    this.#writeRef(index, symbol, ref, from);
    this.setHash(index, hashes, hashAt);
    if (this.#children !== undefined) this.#children[index] = undefined;
  }

  /** Hashes of the long paths that are not in memory yet, by symbol. */
  *missingPaths(): Generator<readonly [symbol: number, pathHash: Uint8Array]> {
    for (let index = 0; index < this.count; index += 1) {
      if (((this.#bytes[1 + index] ?? 0) & FLAG_LONG) === 0) continue;
      const symbol = this.symbolOf(index);
      if (this.#long?.has(symbol) === true) continue;
      const { start, end } = this.#part(index);
      yield [symbol, this.#bytes.slice(start, end)];
    }
  }

  /** Keeps a long path in memory. */
  setPath(symbol: number, path: Uint8Array): void {
    this.#long ??= new Map();
    this.#long.set(symbol, path);
  }

  /** Long paths that are not stored yet; they count as stored from now on. */
  takeUnsavedPaths(): Uint8Array[] {
    const paths: Uint8Array[] = [];
    for (const [symbol, path] of this.#long ?? []) {
      if ((this.#unsaved & (1 << symbol)) !== 0) paths.push(path);
    }
    this.#unsaved = 0;
    return paths;
  }

  /** Bytes that a branch takes besides its symbol and hash. */
  #recordBytes({ position, path }: BranchRef): number {
    const isLong = path.length > MAX_PAGE_PATH_BYTES;
    const kept = isLong ? HASH_BYTES : path.length - this.#sharedCount();
    return (position === NO_POSITION ? 4 : 8) + kept;
  }

  /** Writes flags and record of a branch into room that was made for them. */
  #writeRef(index: number, symbol: number, { position, path }: BranchRef, offset: number): void {
    const isPage = position !== NO_POSITION;
    const isLong = path.length > MAX_PAGE_PATH_BYTES;
    const bytes = this.#bytes;
    this.#symbols |= 1 << symbol;
    if (isPage) this.#pages |= 1 << symbol;
    else this.#pages &= ~(1 << symbol);
    bytes[1 + index] = symbol | (isPage ? FLAG_PAGE : 0) | (isLong ? FLAG_LONG : 0);
    let at = offset;
    if (isPage) {
      writeU32(bytes, at, position);
      at += 4;
    }
    writeU32(bytes, at, path.length);
    at += 4;
    if (isLong) {
      this.setPath(symbol, path);
      this.#unsaved |= 1 << symbol;
      bytes.set(this.#hashPath(path), at);
      return;
    }
    for (let from = this.#sharedCount(); from < path.length; from += 1) {
      bytes[at] = path[from] ?? 0;
      at += 1;
    }
  }

  /** Makes room for `size` bytes, and half as many again. */
  #grow(size: number): void {
    const tail = this.#tail;
    if (size + tail <= this.#bytes.length) return;
    const bytes = new Uint8Array(size + (size >> 1) + tail);
    bytes.set(this.#bytes.subarray(0, this.#size));
    if (tail > 0) bytes.set(this.path, bytes.length - tail);
    this.#bytes = bytes;
  }

  /** Makes room for the hashes of `count` branches, and half as many again. */
  #growHashes(count: number): void {
    if (count * HASH_WORDS <= this.hashes.length) return;
    const hashes = new Uint32Array((count + (count >> 1)) * HASH_WORDS);
    hashes.set(this.hashes);
    this.hashes = hashes;
  }

  /** Where what a branch refers to begins. */
  #offsetOf(index: number): number {
    const { count } = this;
    let at = 1 + count;
    for (let before = 0; before < index; before += 1) {
      const flags = this.#bytes[1 + before] ?? 0;
      if ((flags & FLAG_PAGE) !== 0) at += 4;
      const kept = (flags & FLAG_LONG) !== 0 ? HASH_BYTES : this.#u32(at) - this.#sharedCount();
      at += 4 + Math.max(0, kept);
    }
    return at;
  }

  /** Where the kept part of a branch's path is. */
  #part(index: number): { readonly start: number; readonly end: number } {
    const flags = this.#bytes[1 + index] ?? 0;
    const at = this.#offsetOf(index) + ((flags & FLAG_PAGE) === 0 ? 0 : 4);
    const isLong = (flags & FLAG_LONG) !== 0;
    return {
      start: at + 4,
      end: at + 4 + (isLong ? HASH_BYTES : this.#u32(at) - this.#sharedCount()),
    };
  }

  /** Whole bytes that the paths of all branches share: they are left out. */
  #sharedCount(): number {
    return this.position < 0 ? 0 : this.position >> 1;
  }

  #shared(): Uint8Array {
    const shared = this.#sharedCount();
    if (this.#path !== undefined) return this.#path.subarray(0, shared);
    const start = this.#bytes.length - this.#tail;
    return this.#bytes.subarray(start, start + shared);
  }

  #u32(at: number): number {
    const bytes = this.#bytes;
    return (
      (bytes[at] ?? 0) * 2 ** 24 +
      (((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0))
    );
  }
}

/** How many branches a stored page has; 0 if it is too short for those it says it has. */
function countIn(stored: Uint8Array): number {
  const count = stored[0] ?? 0;
  const isWhole = count <= MAX_BRANCHES && stored.length >= 1 + count * (1 + HASH_BYTES);
  return isWhole ? count : 0;
}

/** A page's name among those of its tree. */
export function pageName({ position, path }: BranchRef, hashPath: HashPath): Uint8Array {
  const name = path.length > MAX_PAGE_PATH_BYTES ? hashPath(path) : path;
  const bytes = new Uint8Array(4 + name.length);
  writeU32(bytes, 0, position);
  bytes.set(name, 4);
  return bytes;
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
