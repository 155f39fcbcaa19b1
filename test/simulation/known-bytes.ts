import { crc32 } from 'node:zlib';
import type { Hasher } from '@cairn/commitments';

interface Known {
  readonly bytes: Uint8Array;
  /** Segment roots by the leaves under them. */
  readonly roots: Map<number, Uint8Array>;
  checksum: number | undefined;
}

/** Bytes that tell one from another without looking at all of both. */
const PREFIX_BYTES = 24;
/** Two hashes: what a node of a tree is made of. */
const PAIR_BYTES = 64;
/** Nodes whose hashes are remembered; all nodes of a network build the same trees. */
const MAX_PAIRS = 65_536;

/**
 * Segments that many nodes in one process hash, check and store: each is hashed once and lies in memory
 * once. Known is only what has the same bytes, all of which are compared; damaged ones are hashed anew.
 */
export class KnownBytes {
  readonly #known = new Map<string, Known>();

  /** Remembers bytes, which nobody changes from now on. Of two that begin alike the first. */
  add(bytes: Uint8Array): void {
    const key = keyOf(bytes);
    if (!this.#known.has(key))
      this.#known.set(key, { bytes, roots: new Map(), checksum: undefined });
  }

  /** Bytes to keep: the known ones, or a copy. */
  kept(bytes: Uint8Array): Uint8Array {
    return this.#find(bytes)?.bytes ?? bytes.slice();
  }

  /** CRC-32. */
  checksum(bytes: Uint8Array): number {
    const known = this.#find(bytes);
    if (known === undefined) return crc32(bytes);
    known.checksum ??= crc32(bytes);
    return known.checksum;
  }

  /** The same hasher, that remembers the roots of known segments and the hashes of pairs. */
  hasherOver(hasher: Hasher): Hasher {
    const pairs = new Map<string, Uint8Array>();
    const hashPair = (pair: Uint8Array): Uint8Array => {
      const key = latin1Of(pair);
      const known = pairs.get(key) ?? hasher.hashMany(pair, PAIR_BYTES);
      if (pairs.size >= MAX_PAIRS) pairs.clear();
      pairs.set(key, known);
      return known.slice();
    };
    return {
      name: hasher.name,
      hashMany: (input, itemBytes, output) => {
        const isPair = itemBytes === PAIR_BYTES && input.length === PAIR_BYTES;
        if (isPair && output === undefined) return hashPair(input);
        return hasher.hashMany(input, itemBytes, output);
      },
      segmentRoot: (data, leaves) => {
        const known = this.#find(data);
        const root = known?.roots.get(leaves) ?? hasher.segmentRoot(data, leaves);
        known?.roots.set(leaves, root);
        return root.slice();
      },
    };
  }

  #find(bytes: Uint8Array): Known | undefined {
    const known = this.#known.get(keyOf(bytes));
    if (known === undefined || known.bytes === bytes) return known;
    return Buffer.compare(known.bytes, bytes) === 0 ? known : undefined;
  }
}

function keyOf(bytes: Uint8Array): string {
  return `${bytes.length} ${latin1Of(bytes, Math.min(bytes.length, PREFIX_BYTES))}`;
}

/** One character a byte, of the first ones: without a Buffer over them, since many are asked for. */
export function latin1Of(bytes: Uint8Array, end: number = bytes.length): string {
  return Buffer.prototype.latin1Slice.call(bytes, 0, end);
}
