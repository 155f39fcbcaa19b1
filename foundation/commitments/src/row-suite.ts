import { concatBytes } from '@cairn/primitives';
import { blake3, blake3ContextKey, sha256 } from '@cairn/primitives/hashes';
import { HASH_BYTES } from './hasher.ts';

/** What a digest stands for. Digests of two domains never meet, whatever is hashed. */
export type RowDomain = 'rows' | 'challenge' | 'commitment' | 'placement';

/**
 * The hashes of a blob's commitment, behind one number in its header: trees, transcript and random
 * bits. Suite 0 is BLAKE3; suite 1 is SHA-256, for rows that a contract checks (the EVM has no
 * BLAKE3).
 */
export interface RowSuite {
  /** The suite byte. */
  readonly id: 0 | 1;
  readonly name: 'blake3' | 'sha256';
  /**
   * The leaf of each row.
   *
   * @param rows - one after another, or each on its own
   * @returns 32 bytes for each row, in order
   * @throws {RangeError} if the lengths do not fit
   */
  leaves(rows: Uint8Array | readonly Uint8Array[], rowBytes: number): Uint8Array;
  /**
   * The parent of each pair of neighbours.
   *
   * @param hashes - a multiple of 64 bytes
   * @returns 32 bytes for each pair, in order
   * @throws {RangeError} if the length does not fit
   */
  parents(hashes: Uint8Array): Uint8Array;
  /** 32 bytes over the parts one after another. Every domain hashes parts of known lengths. */
  digest(domain: RowDomain, parts: readonly Uint8Array[]): Uint8Array;
  /**
   * Pseudo-random bytes of a seed, the same for a shorter length up to it.
   *
   * @param seed - 32 bytes
   */
  expand(seed: Uint8Array, length: number): Uint8Array;
}

const CONTEXT = 'Cairn ZR1 2026-11';
/** The keys of suite 0 for what is not a digest, 32 bytes each. */
export const BLAKE3_KEYS: Readonly<Record<'leaf' | 'node' | 'expand', Uint8Array>> = {
  leaf: blake3ContextKey(`${CONTEXT} leaf`),
  node: blake3ContextKey(`${CONTEXT} node`),
  expand: blake3ContextKey(`${CONTEXT} expand`),
};
const DOMAIN_KEYS: Readonly<Record<RowDomain, Uint8Array>> = {
  rows: blake3ContextKey(`${CONTEXT} rows`),
  challenge: blake3ContextKey(`${CONTEXT} challenge`),
  commitment: blake3ContextKey(`${CONTEXT} commitment`),
  placement: blake3ContextKey(`${CONTEXT} placement`),
};

/** Suite 0 in plain JavaScript: keyed BLAKE3, a key for each use. The oracle of the fast one. */
export const plainBlake3Suite: RowSuite = {
  id: 0,
  name: 'blake3',
  leaves: (rows, rowBytes) =>
    eachOf(rows, rowBytes, (row) => blake3([row], { key: BLAKE3_KEYS.leaf })),
  parents: (hashes) =>
    eachOf(hashes, 2 * HASH_BYTES, (pair) => blake3([pair], { key: BLAKE3_KEYS.node })),
  digest: (domain, parts) => blake3(parts, { key: DOMAIN_KEYS[domain] }),
  expand: (seed, length) => blake3([seed], { key: BLAKE3_KEYS.expand, length }),
};

/** The byte before what is hashed: 0 and 1 as in RFC 6962. */
const LEAF_TAG = Uint8Array.of(0);
const NODE_TAG = Uint8Array.of(1);
const DOMAIN_TAGS: Readonly<Record<RowDomain, Uint8Array>> = {
  rows: Uint8Array.of(2),
  challenge: Uint8Array.of(3),
  commitment: Uint8Array.of(4),
  placement: Uint8Array.of(5),
};
const EXPAND_TAG = Uint8Array.of(6);

/**
 * Suite 1 over another SHA-256, such as the platform's: a tag byte for each use.
 *
 * @param sha256 - 32 bytes over the parts one after another
 */
export function sha256SuiteOver(sha256: (...parts: readonly Uint8Array[]) => Uint8Array): RowSuite {
  return {
    id: 1,
    name: 'sha256',
    leaves: (rows, rowBytes) => eachOf(rows, rowBytes, (row) => sha256(LEAF_TAG, row)),
    parents: (hashes) => eachOf(hashes, 2 * HASH_BYTES, (pair) => sha256(NODE_TAG, pair)),
    digest: (domain, parts) => sha256(DOMAIN_TAGS[domain], ...parts),
    expand(seed, length) {
      const blocks = Array.from({ length: Math.ceil(length / HASH_BYTES) }, (_, block) =>
        sha256(EXPAND_TAG, seed, littleEndian32(block)),
      );
      return concatBytes(...blocks).subarray(0, length);
    },
  };
}

/** Suite 1 in plain JavaScript. */
export const sha256Suite: RowSuite = sha256SuiteOver(sha256);

function littleEndian32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function eachOf(
  bytes: Uint8Array | readonly Uint8Array[],
  itemBytes: number,
  hash: (item: Uint8Array) => Uint8Array,
): Uint8Array {
  const items = itemsOf(bytes, itemBytes);
  const hashes = new Uint8Array(items.length * HASH_BYTES);
  for (const [at, item] of items.entries()) hashes.set(hash(item), at * HASH_BYTES);
  return hashes;
}

/**
 * Views of items of one length, which lie one after another or each on its own.
 *
 * @throws {RangeError} if a length does not fit
 */
export function itemsOf(
  bytes: Uint8Array | readonly Uint8Array[],
  itemBytes: number,
): readonly Uint8Array[] {
  if (!(bytes instanceof Uint8Array)) {
    const other = bytes.find(({ length }) => length !== itemBytes);
    if (other === undefined) return bytes;
    throw new RangeError(`an item has ${other.length} bytes, not ${itemBytes}`);
  }
  if (!Number.isInteger(itemBytes) || itemBytes < 1 || bytes.length % itemBytes !== 0) {
    throw new RangeError(`${bytes.length} bytes are not whole items of ${itemBytes}`);
  }
  return Array.from({ length: bytes.length / itemBytes }, (_, item) =>
    bytes.subarray(item * itemBytes, (item + 1) * itemBytes),
  );
}
