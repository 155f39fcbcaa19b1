import { HASH_BYTES, type Hasher } from '@cairn/commitments';
import { concatBytes, keccak256, utf8Bytes, viewOf, writeSafeU64 } from '@cairn/primitives';

/** The smallest padded length: one block of keccak, and no node's 64 bytes. */
const MIN_PADDED_BYTES = 128;
/** Bytes hashed at once; longer ones are hashed by pieces of so many. */
export const DIGEST_PIECE_BYTES = 65_536;
/** Bytes that a leaf hashes: never a node's 64. */
const LEAF_BYTES = 92;

/** What a leaf of a state tree says of its key. */
export interface LeafRecord {
  /** The sequence that wrote it. */
  readonly version: number;
  /** First byte of the value in the file of that log entry. */
  readonly valueOffset: number;
  /** Length of the value; 0: deleted. */
  readonly valueBytes: number;
  /** `bytesDigest` of the value. */
  readonly valueDigest: Uint8Array;
}

/** A leaf: a key and what is recorded of it. */
export interface Leaf extends LeafRecord {
  readonly key: Uint8Array;
}

/** Zeros: the digest of no byte, and the root of an empty tree. */
export const EMPTY_HASH: Uint8Array = new Uint8Array(HASH_BYTES);

/**
 * Digests of byte strings whose lengths are known elsewhere: keccak-256 over the bytes, filled with
 * zeros up to the next power of two from 128 on. Beyond 65,536 bytes: of the pieces' digests one
 * after another, the last piece filled up. Equal paddings let many be hashed at once.
 *
 * @returns 32 bytes each, in order; zeros for no byte
 */
export function bytesDigests(items: readonly Uint8Array[], hasher: Hasher): Uint8Array[] {
  const digests: Uint8Array[] = new Array<Uint8Array>(items.length).fill(EMPTY_HASH);
  const classes = new Map<number, number[]>();
  for (const [index, { length }] of items.entries()) {
    if (length === 0) continue;
    const padded = length > DIGEST_PIECE_BYTES ? 0 : paddedBytes(length);
    const members = classes.get(padded);
    if (members === undefined) classes.set(padded, [index]);
    else members.push(index);
  }
  for (const [padded, members] of classes) {
    if (padded === 0) {
      for (const index of members) digests[index] = longDigest(items[index] ?? EMPTY_HASH, hasher);
      continue;
    }
    const input = new Uint8Array(padded * members.length);
    for (const [at, index] of members.entries()) input.set(items[index] ?? EMPTY_HASH, at * padded);
    const hashes = hasher.hashMany(input, padded);
    for (const [at, index] of members.entries()) {
      digests[index] = hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
    }
  }
  return digests;
}

/**
 * Names bytes by 32 that no other bytes have: their digest and length, hashed. Remembers the name for
 * as long as the very same array lives, since a tree names a long path over and over.
 */
export function bytesNamer(hasher: Hasher): (bytes: Uint8Array) => Uint8Array {
  const names = new WeakMap<Uint8Array, Uint8Array>();
  return (bytes) => {
    const known = names.get(bytes);
    if (known !== undefined) return known;
    const length = new Uint8Array(4);
    viewOf(length).setUint32(0, bytes.length);
    const input = concatBytes(bytesDigest(bytes, hasher), length);
    const name = hasher.hashMany(input, input.length);
    names.set(bytes, name);
    return name;
  };
}

/** `bytesDigests` of one. */
export function bytesDigest(bytes: Uint8Array, hasher: Hasher): Uint8Array {
  return bytesDigests([bytes], hasher)[0] ?? EMPTY_HASH;
}

/**
 * The digest of bytes that come in pieces.
 *
 * @param pieces - each of 65,536 bytes but the last
 */
export async function piecesDigest(
  pieces: AsyncIterable<Uint8Array>,
  hasher: Hasher,
): Promise<Uint8Array> {
  const digests: Uint8Array[] = [];
  let single: Uint8Array | undefined;
  for await (const piece of pieces) {
    single = digests.length === 0 ? piece : undefined;
    digests.push(fullPieceDigest(piece, hasher));
  }
  if (single !== undefined) return bytesDigest(single, hasher);
  return bytesDigest(concatBytes(...digests), hasher);
}

function longDigest(bytes: Uint8Array, hasher: Hasher): Uint8Array {
  const pieces = Math.ceil(bytes.length / DIGEST_PIECE_BYTES);
  const digests = new Uint8Array(pieces * HASH_BYTES);
  for (let piece = 0; piece < pieces; piece += 1) {
    const start = piece * DIGEST_PIECE_BYTES;
    const part = bytes.subarray(start, start + DIGEST_PIECE_BYTES);
    digests.set(fullPieceDigest(part, hasher), piece * HASH_BYTES);
  }
  return bytesDigest(digests, hasher);
}

function fullPieceDigest(piece: Uint8Array, hasher: Hasher): Uint8Array {
  if (piece.length === DIGEST_PIECE_BYTES) return hasher.hashMany(piece, DIGEST_PIECE_BYTES);
  const full = new Uint8Array(DIGEST_PIECE_BYTES);
  full.set(piece);
  return hasher.hashMany(full, DIGEST_PIECE_BYTES);
}

function paddedBytes(length: number): number {
  let padded = MIN_PADDED_BYTES;
  while (padded < length) padded *= 2;
  return padded;
}

/**
 * Hashes of leaves: keccak-256 over key digest 32, value digest 32, key length u32, version u64,
 * value offset u64, value length u64, big-endian.
 */
export function leafHashes(leaves: readonly Leaf[], hasher: Hasher): Uint8Array[] {
  const keys = bytesDigests(
    leaves.map(({ key }) => key),
    hasher,
  );
  const input = new Uint8Array(leaves.length * LEAF_BYTES);
  const view = viewOf(input);
  let at = 0;
  for (let index = 0; index < leaves.length; index += 1) {
    const leaf = leaves[index];
    if (leaf === undefined) continue;
    input.set(keys[index] ?? EMPTY_HASH, at);
    input.set(leaf.valueDigest, at + 32);
    view.setUint32(at + 64, leaf.key.length);
    writeSafeU64(view, at + 68, leaf.version);
    writeSafeU64(view, at + 76, leaf.valueOffset);
    writeSafeU64(view, at + 84, leaf.valueBytes);
    at += LEAF_BYTES;
  }
  const hashes = hasher.hashMany(input, LEAF_BYTES);
  return leaves.map((_, index) => hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
}

/** What a stream's state root stands for. */
export interface StateRootParts {
  /** `stateDomain`: chain, log contract, watched streams, who counts as sender. 32 bytes. */
  readonly domain: Uint8Array;
  /** The stream's id, 32 bytes. */
  readonly stream: Uint8Array;
  /** Root over the keys, zeros if there are none; deleted ones are there. */
  readonly keysRoot: Uint8Array;
  /** Root over the roles. */
  readonly rolesRoot: Uint8Array;
  /** Keys ever written. */
  readonly keyCount: number;
  /** Role slots ever set. */
  readonly roleCount: number;
}

const STATE_TAG = keccak256(utf8Bytes('cairn key-value state 1'));

/** Keccak-256 over tag, domain, stream, both roots, and both counts as u64: 176 bytes. */
export function stateRootOf(parts: StateRootParts, hasher: Hasher): Uint8Array {
  const input = concatBytes(
    STATE_TAG,
    parts.domain,
    parts.stream,
    parts.keysRoot,
    parts.rolesRoot,
    new Uint8Array(16),
  );
  const view = viewOf(input);
  writeSafeU64(view, 160, parts.keyCount);
  writeSafeU64(view, 168, parts.roleCount);
  return hasher.hashMany(input, input.length);
}
