import { keccak256, SECTOR_BYTES } from '@cairn/primitives';
import { assertSegmentFits, HASH_BYTES, type Hasher, outputFor } from './hasher.ts';
import { zeroSubtreeRoot } from './zero-hashes.ts';

/**
 * The hasher in plain JavaScript: the oracle of the kernels, and good enough for single hashes.
 * About a twentieth of a kernel's speed.
 */
export const nobleHasher: Hasher = { name: 'noble', hashMany, segmentRoot };

function hashMany(input: Uint8Array, itemBytes: number, output?: Uint8Array): Uint8Array {
  const hashes = outputFor(input, itemBytes, output);
  for (let item = 0; item * itemBytes < input.length; item += 1) {
    const start = item * itemBytes;
    hashes.set(keccak256(input.subarray(start, start + itemBytes)), item * HASH_BYTES);
  }
  return hashes;
}

function segmentRoot(data: Uint8Array, leaves: number): Uint8Array {
  assertSegmentFits(data.length, leaves);
  const hashes = new Uint8Array(leaves * HASH_BYTES);
  const zeroLeaf = zeroSubtreeRoot(0);
  for (let leaf = 0; leaf < leaves; leaf += 1) {
    const start = leaf * SECTOR_BYTES;
    let hash = zeroLeaf;
    if (start < data.length) {
      const sector = new Uint8Array(SECTOR_BYTES);
      sector.set(data.subarray(start, start + SECTOR_BYTES));
      hash = keccak256(sector);
    }
    hashes.set(hash, leaf * HASH_BYTES);
  }
  let width = leaves;
  while (width > 1) {
    const pairs = Math.floor(width / 2);
    hashMany(hashes.subarray(0, pairs * 2 * HASH_BYTES), 2 * HASH_BYTES, hashes);
    if (width % 2 === 1)
      hashes.copyWithin(pairs * HASH_BYTES, (width - 1) * HASH_BYTES, width * HASH_BYTES);
    width -= pairs;
  }
  return hashes.slice(0, HASH_BYTES);
}
