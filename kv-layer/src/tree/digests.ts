import { HASH_BYTES, type Hasher } from '@cairn/commitments';
import { concatBytes, keccak256, utf8Bytes, viewOf, writeSafeU64 } from '@cairn/primitives';
import { copyHash } from './copy-hash.ts';

/** The smallest padded length: one block of keccak, and no node's 64 bytes. */
const MIN_PADDED_BYTES = 128;
/** Bytes hashed at once; longer ones are hashed by pieces of so many. */
export const DIGEST_PIECE_BYTES = 65_536;
/** Bytes that a leaf hashes, never a node's 64, and where in them is what follows the key's digest. */
export const LEAF = { bytes: 92, valueDigest: 32, keyBytes: 64, numbers: 68 } as const;
/** Longer strings are copied by the engine, shorter ones byte by byte: a view costs as much as 96 bytes. */
export const MAX_LOOP_BYTES = 96;

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
  const parts = wholeParts(items);
  const digests = partDigests(parts, hasher);
  return parts.lengths.map((length, index) =>
    length === 0 ? EMPTY_HASH : digests.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
}

/** Parts of byte strings, in columns: an object for each costs more than hashing a short one. */
export interface Parts {
  readonly bytes: readonly Uint8Array[];
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
}

/** Byte strings as parts of themselves. */
export function wholeParts(bytes: readonly Uint8Array[]): Parts {
  const starts = new Array<number>(bytes.length).fill(0);
  return { bytes, starts, lengths: bytes.map(({ length }) => length) };
}

/** `bytesDigests` of parts, one after another. There may be more starts than lengths. */
export function partDigests({ bytes, starts, lengths }: Parts, hasher: Hasher): Uint8Array {
  const digests = new Uint8Array(lengths.length * HASH_BYTES);
  const classes = new Map<number, number[]>();
  let padded = 0;
  let members: number[] = [];
  for (let index = 0; index < lengths.length; index += 1) {
    const length = lengths[index] ?? 0;
    if (length === 0) continue;
    if (paddedBytes(length) !== padded) {
      padded = paddedBytes(length);
      members = classes.get(padded) ?? [];
      classes.set(padded, members);
    }
    members.push(index);
  }
  for (const [size, indexes] of classes) {
    if (size > DIGEST_PIECE_BYTES) {
      for (const index of indexes) {
        const start = starts[index] ?? 0;
        const part = (bytes[index] ?? EMPTY_HASH).subarray(start, start + (lengths[index] ?? 0));
        digests.set(longDigest(part, hasher), index * HASH_BYTES);
      }
      continue;
    }
    const input = new Uint8Array(size * indexes.length);
    const target = viewOf(input);
    let whole = EMPTY_HASH;
    let source = viewOf(whole);
    for (let at = 0; at < indexes.length; at += 1) {
      const index = indexes[at] ?? 0;
      const from = bytes[index] ?? EMPTY_HASH;
      if (from !== whole) {
        whole = from;
        source = viewOf(from);
      }
      const [start, length] = [starts[index] ?? 0, lengths[index] ?? 0];
      if (length > MAX_LOOP_BYTES) input.set(from.subarray(start, start + length), at * size);
      else copyWithViews(source, start, target, at * size, length);
    }
    if (indexes.length === lengths.length) return hasher.hashMany(input, size, digests);
    const hashes = hasher.hashMany(input, size, input);
    for (let at = 0; at < indexes.length; at += 1) {
      copyHash(hashes, at * HASH_BYTES, digests, (indexes[at] ?? 0) * HASH_BYTES);
    }
  }
  return digests;
}

interface Place {
  readonly bytes: Uint8Array;
  readonly start: number;
}

/**
 * Copies short strings between two arrays of which many are copied: four bytes a round, wherever they begin. Plain
 * arguments, since an object for each string is one for the garbage collector.
 */
export function copyWithViews(
  from: DataView,
  at: number,
  to: DataView,
  start: number,
  length: number,
): void {
  let done = 0;
  for (const last = length - 3; done < last; done += 4) {
    to.setUint32(start + done, from.getUint32(at + done));
  }
  for (; done < length; done += 1) to.setUint8(start + done, from.getUint8(at + done));
}

/** Copies bytes from one place to another: short ones eight a round, as `copyHash` does. */
export function copyBytes(from: Place, length: number, to: Place): void {
  if (length > MAX_LOOP_BYTES) {
    to.bytes.set(from.bytes.subarray(from.start, from.start + length), to.start);
    return;
  }
  const [source, target] = [from.bytes, to.bytes];
  let [at, place] = [from.start, to.start];
  const end = at + length;
  for (const last = end - 7; at < last; at += 8) {
    target[place] = source[at] ?? 0;
    target[place + 1] = source[at + 1] ?? 0;
    target[place + 2] = source[at + 2] ?? 0;
    target[place + 3] = source[at + 3] ?? 0;
    target[place + 4] = source[at + 4] ?? 0;
    target[place + 5] = source[at + 5] ?? 0;
    target[place + 6] = source[at + 6] ?? 0;
    target[place + 7] = source[at + 7] ?? 0;
    place += 8;
  }
  for (; at < end; at += 1) {
    target[place] = source[at] ?? 0;
    place += 1;
  }
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
 * Hashes of leaves, one after another: keccak-256 over key digest 32, value digest 32, key length u32, version u64,
 * value offset u64, value length u64, big-endian.
 */
export function joinedLeafHashes(leaves: readonly Leaf[], hasher: Hasher): Uint8Array {
  const keys = bytesDigests(
    leaves.map(({ key }) => key),
    hasher,
  );
  const input = new Uint8Array(leaves.length * LEAF.bytes);
  const view = viewOf(input);
  let at = 0;
  for (let index = 0; index < leaves.length; index += 1) {
    const leaf = leaves[index];
    if (leaf === undefined) continue;
    input.set(keys[index] ?? EMPTY_HASH, at);
    input.set(leaf.valueDigest, at + LEAF.valueDigest);
    view.setUint32(at + LEAF.keyBytes, leaf.key.length);
    writeSafeU64(view, at + LEAF.numbers, leaf.version);
    writeSafeU64(view, at + LEAF.numbers + 8, leaf.valueOffset);
    writeSafeU64(view, at + LEAF.numbers + 16, leaf.valueBytes);
    at += LEAF.bytes;
  }
  return hasher.hashMany(input, LEAF.bytes);
}

/** `joinedLeafHashes`, each by itself. */
export function leafHashes(leaves: readonly Leaf[], hasher: Hasher): Uint8Array[] {
  const hashes = joinedLeafHashes(leaves, hasher);
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
