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

  /** The same hasher, that remembers the roots of known segments. */
  hasherOver(hasher: Hasher): Hasher {
    return {
      name: hasher.name,
      hashMany: (input, itemBytes, output) => hasher.hashMany(input, itemBytes, output),
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

function keyOf({ buffer, byteOffset, length }: Uint8Array): string {
  const prefix = Buffer.from(buffer, byteOffset, Math.min(length, PREFIX_BYTES));
  return `${length} ${prefix.toString('latin1')}`;
}
