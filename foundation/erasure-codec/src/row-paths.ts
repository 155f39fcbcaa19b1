import type { RowSuite } from '@cairn/commitments/rows';
import type { PlacedRow } from './row-codec.ts';
import { HASH_BYTES } from './transcript.ts';

const PAIR_BYTES = 2 * HASH_BYTES;

/** A row's place among those of its coset, and its siblings, bottom-up, 32 bytes each. */
interface RowPath extends Pick<PlacedRow, 'index'> {
  readonly path: Uint8Array;
}

/**
 * The roots that rows' leaves and paths lead to, all rows' hashes of one level at once. Where a row
 * and the one before it have come to the same pair of nodes at the same place, and go on along the
 * same siblings, the two are one from there on: an arc of m rows takes at most m + 2 · log2 K hashes.
 *
 * @param leaves - 32 bytes for each row
 * @param rows - paths of equal length, of rows below 2^(their length)
 * @returns 32 bytes for each row
 */
export function pathRoots(
  suite: Pick<RowSuite, 'parents'>,
  leaves: Uint8Array,
  rows: readonly RowPath[],
): Uint8Array {
  const levels = (rows[0]?.path.length ?? 0) / HASH_BYTES;
  const roots = leaves.slice(); // of each row that leads; until the last level its node
  const leaders = rows.map((_, at) => at);
  let leading: readonly number[] = leaders.slice();
  const pairs = new Uint8Array(rows.length * PAIR_BYTES);
  for (let level = 0; level < levels; level += 1) {
    const kept: number[] = [];
    for (const at of leading) {
      const pair = kept.length * PAIR_BYTES;
      writePair(pairs, pair, nodeAt(roots, at), rows[at] as RowPath, level);
      const before = kept.at(-1);
      const isSame =
        before !== undefined &&
        equalRanges(pairs, pair - PAIR_BYTES, pairs, pair, PAIR_BYTES) &&
        goOnAlike(rows[before] as RowPath, rows[at] as RowPath, level);
      if (isSame) leaders[at] = before;
      else kept.push(at);
    }
    const parents = suite.parents(pairs.subarray(0, kept.length * PAIR_BYTES));
    for (const [place, at] of kept.entries()) roots.set(nodeAt(parents, place), at * HASH_BYTES);
    leading = kept;
  }
  for (const [at, leader] of leaders.entries()) {
    if (leader !== at)
      roots.copyWithin(at * HASH_BYTES, leader * HASH_BYTES, (leader + 1) * HASH_BYTES);
  }
  return roots;
}

function writePair(
  pairs: Uint8Array,
  to: number,
  node: Uint8Array,
  { index, path }: RowPath,
  level: number,
): void {
  const isRight = ((index >>> level) & 1) === 1;
  pairs.set(node, to + (isRight ? HASH_BYTES : 0));
  pairs.set(nodeAt(path, level), to + (isRight ? 0 : HASH_BYTES));
}

/** Whether the parents of two rows' nodes at a level have the same place and the same siblings. */
function goOnAlike(left: RowPath, right: RowPath, level: number): boolean {
  const above = (level + 1) * HASH_BYTES;
  return (
    left.index >>> (level + 1) === right.index >>> (level + 1) &&
    equalRanges(left.path, above, right.path, above, left.path.length - above)
  );
}

function nodeAt(hashes: Uint8Array, at: number): Uint8Array {
  return hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
}

function equalRanges(
  left: Uint8Array,
  leftAt: number,
  right: Uint8Array,
  rightAt: number,
  length: number,
): boolean {
  for (let at = 0; at < length; at += 1) {
    if (left[leftAt + at] !== right[rightAt + at]) return false;
  }
  return true;
}
