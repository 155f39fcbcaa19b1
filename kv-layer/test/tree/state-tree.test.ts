import assert from 'node:assert/strict';
import { type Hasher, loadHasher } from '@cairn/commitments';
import { compareBytes, keccak256, type Rng, seededRng, toHex } from '@cairn/primitives';
import { EMPTY_HASH } from '../../src/tree/digests.ts';
import { divergenceBehind, symbolAt, symbolCount } from '../../src/tree/key-symbols.ts';
import { type PageStore, StateTree } from '../../src/tree/state-tree.ts';

let hasher: Hasher;
before(async () => {
  hasher = await loadHasher();
});

/** Keys that share prefixes, end within each other, and differ in one bit. */
function keyOf(rng: Rng): Uint8Array {
  const alphabet = [0x00, 0x01, 0x0f, 0x10, 0x61, 0x62, 0xff];
  const length = rng.below(20) === 0 ? 200 + rng.below(200) : 1 + rng.below(6);
  const key = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) {
    key[at] = length > 100 ? 0x61 : (alphabet[rng.below(alphabet.length)] ?? 0);
  }
  if (length > 100) key[length - 1 - rng.below(3)] = rng.below(256);
  return key;
}

/** The root by its definition: split at the first bit that differs, all the way down. */
function rootByDefinition(leaves: readonly { key: Uint8Array; hash: Uint8Array }[]): Uint8Array {
  const bitsOf = (key: Uint8Array): string => {
    let bits = '';
    for (let at = 0; at < symbolCount(key); at += 1) {
      bits += symbolAt(key, at)
        .toString(2)
        .padStart(5, '0')
        .slice(at % 2 === 0 ? 0 : 1);
    }
    return bits;
  };
  const split = (items: readonly { bits: string; hash: Uint8Array }[], bit: number): Uint8Array => {
    if (items.length === 1) return items[0]?.hash ?? EMPTY_HASH;
    const left = items.filter(({ bits }) => bits[bit] === '0');
    const right = items.filter(({ bits }) => bits[bit] === '1');
    if (left.length === 0 || right.length === 0) return split(items, bit + 1);
    return keccak256(split(left, bit + 1), split(right, bit + 1));
  };
  const items = leaves
    .map(({ key, hash }) => ({ bits: bitsOf(key), hash }))
    .sort((a, b) => (a.bits < b.bits ? -1 : 1));
  return items.length === 0 ? EMPTY_HASH : split(items, 0);
}

/** Keeps pages as they are stored. */
class Shelf implements PageStore {
  readonly records = new Map<string, Uint8Array>();
  readonly long = new Map<string, Uint8Array>();
  pages = async (names: readonly Uint8Array[]) =>
    names.map((name) => this.records.get(toHex(name)));
  paths = async (hashes: readonly Uint8Array[]) => hashes.map((hash) => this.long.get(toHex(hash)));
  /** Stores what changed and gives the tree as it is read back. */
  keep(tree: StateTree): StateTree {
    tree.hash();
    for (const { name, path } of tree.takeUnsavedPaths()) this.long.set(toHex(name), path.slice());
    for (const name of tree.dropped) this.records.delete(toHex(name));
    for (const page of tree.changed) this.records.set(toHex(tree.nameOf(page)), page.bytes.slice());
    const isFresh = this.records.size % 2 === 0;
    tree.settle(0);
    if (!isFresh) return tree;
    return new StateTree(this, hasher, tree.top.bytes);
  }
}

describe('a state tree', () => {
  it('has the root of its definition, whatever came and went, and however often it was stored', async () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const rng = seededRng(seed);
      const shelf = new Shelf();
      let tree = new StateTree(shelf, hasher, undefined);
      const model = new Map<string, { key: Uint8Array; hash: Uint8Array }>();
      for (let step = 0; step < 60; step += 1) {
        const keys = Array.from({ length: 1 + rng.below(4) }, () => keyOf(rng));
        const gone = [...model.values()].filter(() => rng.below(12) === 0).map(({ key }) => key);
        const places = await tree.preload([...keys, ...gone]);
        for (const [index, key] of keys.entries()) {
          assert.equal(places[index]?.isThere, model.has(toHex(key)), `seed ${seed}, step ${step}`);
        }
        for (const [index, key] of keys.entries()) {
          const hash = rng.fill(new Uint8Array(32));
          const from = rng.below(2) === 0 ? undefined : places[index]?.page;
          const isNew = tree.set(key, hash, from);
          assert.equal(isNew, !model.has(toHex(key)), `seed ${seed}, step ${step}`);
          model.set(toHex(key), { key, hash });
        }
        for (const key of gone) assert.equal(tree.remove(key), model.delete(toHex(key)));
        for (const key of gone) assert.equal(tree.remove(key), false);
        const expected = rootByDefinition([...model.values()]);
        assert.equal(toHex(tree.hash()), toHex(expected), `seed ${seed}, step ${step}`);
        if (rng.below(3) === 0) tree = shelf.keep(tree);
      }
      const all = [...model.values()];
      await tree.preload(all.map(({ key }) => key));
      for (const { key } of all) assert.equal(tree.remove(key), true);
      assert.equal(toHex(tree.hash()), toHex(EMPTY_HASH));
      shelf.keep(tree);
      assert.equal(shelf.records.size, 0, `seed ${seed}: pages are left of an empty tree`);
    }
  });

  it('orders symbols as bytes are ordered, a prefix before what it begins', () => {
    const rng = seededRng(7);
    for (let round = 0; round < 2000; round += 1) {
      const [left, right] = [keyOf(rng), keyOf(rng)];
      const most = Math.max(symbolCount(left), symbolCount(right));
      let from = 0;
      while (from < left.length && left[from] === right[from] && rng.below(2) === 0) from += 1;
      const rest = { bytes: right, start: from, end: right.length };
      const at = divergenceBehind({ key: left, from }, rest, most);
      const order = Math.sign(symbolAt(left, at) - symbolAt(right, at));
      if (compareBytes(left, right) === 0) assert.equal(at, symbolCount(left));
      else assert.equal(order, Math.sign(compareBytes(left, right)));
    }
  });
});
