import { SECTOR_BYTES, SEGMENT_HEIGHT } from '@cairn/primitives';
import { HASH_BYTES, type Hasher } from './hasher.ts';
import { zeroSubtreeRoot } from './zero-hashes.ts';

/** The way from a sector up to the root of a perfect tree inside one segment. */
export interface SectorPath {
  /** Hash of the sector, 32 bytes. */
  readonly leaf: Uint8Array;
  /** 32 bytes each, bottom-up; as many as the tree is high. */
  readonly siblings: readonly Uint8Array[];
}

/**
 * The path of a sector inside a perfect tree of 2^`height` sectors: the part of a flow proof that
 * lies inside a submission node. For a node of more than a segment, go on with the first
 * `node height - 10` siblings of the segment's proof, then with `flowProof` of the node.
 *
 * @param data - the tree's bytes, at most 256 · 2^height; the rest is zero
 * @param height - 0 … 10
 * @param sector - place in the tree, 0 … 2^height - 1
 * @throws {RangeError} if a number is out of its bounds
 */
export function sectorPath(
  hasher: Pick<Hasher, 'hashMany'>,
  data: Uint8Array,
  height: number,
  sector: number,
): SectorPath {
  if (!Number.isInteger(height) || height < 0 || height > SEGMENT_HEIGHT) {
    throw new RangeError(
      `a tree inside a segment has height 0 to ${SEGMENT_HEIGHT}, not ${height}`,
    );
  }
  const leaves = 2 ** height;
  if (!Number.isInteger(sector) || sector < 0 || sector >= leaves) {
    throw new RangeError(`a tree of ${leaves} sectors has no sector ${sector}`);
  }
  if (data.length > leaves * SECTOR_BYTES) {
    throw new RangeError(`${data.length} bytes do not fit under ${leaves} sectors`);
  }
  const sectors = new Uint8Array(Math.ceil(data.length / SECTOR_BYTES) * SECTOR_BYTES);
  sectors.set(data);
  let nodes = hasher.hashMany(sectors, SECTOR_BYTES);
  const siblings: Uint8Array[] = [];
  const leaf = nodeAt(nodes, sector, 0);
  for (let level = 0, position = sector; level < height; level += 1) {
    siblings.push(nodeAt(nodes, position % 2 === 0 ? position + 1 : position - 1, level));
    const pairs = Math.ceil(nodes.length / (2 * HASH_BYTES));
    const even = new Uint8Array(pairs * 2 * HASH_BYTES);
    even.set(nodes);
    if (nodes.length < even.length) even.set(zeroSubtreeRoot(level), nodes.length);
    nodes = hasher.hashMany(even, 2 * HASH_BYTES);
    position = Math.floor(position / 2);
  }
  return { leaf, siblings };
}

/** Node `index` of a level; those after the last one are zero. */
function nodeAt(nodes: Uint8Array, index: number, level: number): Uint8Array {
  const start = index * HASH_BYTES;
  return start < nodes.length ? nodes.slice(start, start + HASH_BYTES) : zeroSubtreeRoot(level);
}
