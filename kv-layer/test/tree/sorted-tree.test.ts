import assert from 'node:assert/strict';
import { type Hasher, loadHasher } from '@cairn/commitments';
import { compareBytes, keccak256, type Rng, seededRng, toHex } from '@cairn/primitives';
import { wordsOf } from '../../src/tree/copy-hash.ts';
import { SortedTree } from '../../src/tree/sorted-tree.ts';
import { type PageStore, StateTree } from '../../src/tree/state-tree.ts';
import type { TreePage } from '../../src/tree/tree-page.ts';

/** Nothing is stored: all pages are in memory. */
const NOWHERE: PageStore = { pages: async () => [], paths: async () => [] };

let hasher: Hasher;
before(async () => {
  hasher = await loadHasher();
});

/** Keys of all kinds: few letters, so that they begin each other; long ones that share almost all; any bytes. */
function keysOf(rng: Rng): Uint8Array[] {
  const letters = [0x00, 0x01, 0x0f, 0x10, 0x61, 0xff];
  const keys = new Map<string, Uint8Array>();
  const count = rng.below(4) === 0 ? rng.below(4) : rng.below(400);
  for (let index = 0; index < count; index += 1) {
    const kind = rng.below(10);
    const length = kind === 0 ? 250 + rng.below(300) : 1 + rng.below(kind < 6 ? 4 : 8);
    const key = new Uint8Array(length).fill(0x61);
    if (kind === 0) key[length - 1 - rng.below(3)] = rng.below(256);
    else {
      for (let at = 0; at < length; at += 1) {
        key[at] = kind < 6 ? (letters[rng.below(letters.length)] ?? 0) : rng.below(256);
      }
    }
    keys.set(toHex(key), key);
  }
  return [...keys.values()].sort(compareBytes);
}

/** Pages by name, with the paths beside them. */
function recordsOf(
  tree: Pick<StateTree, 'nameOf'>,
  pages: Iterable<TreePage>,
  nameOfPath: (path: Uint8Array) => string,
  records: Map<string, string> = new Map(),
): Map<string, string> {
  for (const page of pages) {
    const name = toHex(tree.nameOf(page));
    assert.equal(records.has(name), false, 'a page came twice');
    records.set(name, toHex(page.bytes));
    for (const path of page.takeUnsavedPaths()) records.set(nameOfPath(path), toHex(path));
  }
  return records;
}

describe('a tree of sorted keys', () => {
  it('has the root and the pages of one that the keys came to in any order, however often pages were taken', async () => {
    for (let seed = 1; seed <= 24; seed += 1) {
      const rng = seededRng(seed);
      const keys = keysOf(rng);
      const hashOf = (key: Uint8Array): Uint8Array => keccak256(key, Uint8Array.of(seed));
      const tree = new StateTree(NOWHERE, hasher, undefined);
      for (const key of rng.below(2) === 0 ? keys : [...keys].reverse()) tree.set(key, hashOf(key));
      const root = tree.hash();
      const sorted = new SortedTree(hasher);
      const nameOfPath = (path: Uint8Array): string => toHex(sorted.nameOfPath(path));
      const records = new Map<string, string>();
      const places: { readonly position: number; readonly path: Uint8Array }[] = [];
      /** Notes whole pages and gives them back, so that others are made of them. */
      const take = (): void => {
        const pages = sorted.takePages();
        recordsOf(sorted, pages, nameOfPath, records);
        for (const page of pages) {
          const { position, path, longPath } = page;
          if (longPath === undefined) places.push({ position, path: path.slice() });
          sorted.giveBack(page);
        }
      };
      for (const key of keys) {
        assert.equal(sorted.add(key, wordsOf(hashOf(key)), 0), true);
        assert.equal(sorted.add(key, wordsOf(hashOf(key)), 0), false, 'a key came twice');
        if (rng.below(20) === 0) take();
      }
      assert.equal(toHex(sorted.finish()), toHex(root), `seed ${seed}`);
      take();
      assert.equal(toHex(sorted.top.bytes), toHex(tree.top.bytes), `seed ${seed}`);
      const expected = recordsOf(tree, tree.changed, nameOfPath);
      assert.deepEqual(records, expected, `seed ${seed}`);
      for (const position of new Set(places.map((place) => place.position))) {
        const names = places.filter((place) => place.position === position);
        const ascending = [...names].sort((a, b) => compareBytes(a.path, b.path));
        assert.deepEqual(names, ascending, `seed ${seed}, position ${position}`);
      }
    }
  });

  it('takes no key that is not behind all others', () => {
    const tree = new SortedTree(hasher);
    const hash = wordsOf(keccak256());
    assert.equal(tree.add(Uint8Array.of(5, 5), hash, 0), true);
    for (const key of [[5, 5], [5], [5, 4, 9], [4, 9]]) {
      assert.equal(tree.add(Uint8Array.from(key), hash, 0), false);
    }
    assert.equal(tree.add(Uint8Array.of(5, 5, 0), hash, 0), true);
  });
});
