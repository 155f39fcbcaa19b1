import type { RowSuite } from '@cairn/commitments/rows';
import type { PlacedRow } from './row-codec.ts';
import { HASH_BYTES } from './transcript.ts';

const HASH_WORDS = HASH_BYTES / 4;
const PAIR_WORDS = 2 * HASH_WORDS;

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
  const siblings = siblingsOf(rows, levels);
  const roots = wordsOf(leaves); // of each row that leads; until the last level its node
  const leaders = rows.map((_, at) => at);
  let leading: readonly number[] = leaders.slice();
  const pairs = new Uint32Array(rows.length * PAIR_WORDS);
  for (let level = 0; level < levels; level += 1) {
    const kept: number[] = [];
    for (const at of leading) {
      const pair = kept.length * PAIR_WORDS;
      const right = (((rows[at]?.index ?? 0) >>> level) & 1) * HASH_WORDS;
      copyHash(roots, at * HASH_WORDS, pairs, pair + right);
      copyHash(siblings, (at * levels + level) * HASH_WORDS, pairs, pair + HASH_WORDS - right);
      const before = kept.at(-1);
      const isSame =
        before !== undefined &&
        isOnePair(rows, before, at, level) &&
        areEqual(pairs, pair - PAIR_WORDS, pair, PAIR_WORDS) &&
        areEqual(
          siblings,
          (before * levels + level + 1) * HASH_WORDS,
          (at * levels + level + 1) * HASH_WORDS,
          (levels - level - 1) * HASH_WORDS,
        );
      if (isSame) leaders[at] = before;
      else kept.push(at);
    }
    const parents = wordsOf(
      suite.parents(new Uint8Array(pairs.buffer, 0, kept.length * 2 * HASH_BYTES)),
    );
    for (const [place, at] of kept.entries()) {
      copyHash(parents, place * HASH_WORDS, roots, at * HASH_WORDS);
    }
    leading = kept;
  }
  for (const [at, leader] of leaders.entries()) {
    if (leader !== at) copyHash(roots, leader * HASH_WORDS, roots, at * HASH_WORDS);
  }
  return new Uint8Array(roots.buffer);
}

/** All rows' siblings, one row after another. */
function siblingsOf(rows: readonly RowPath[], levels: number): Uint32Array {
  const bytes = new Uint8Array(rows.length * levels * HASH_BYTES);
  for (const [at, { path }] of rows.entries()) bytes.set(path, at * levels * HASH_BYTES);
  return new Uint32Array(bytes.buffer);
}

/** A copy, in words of this machine's order: they are only moved and compared. */
function wordsOf(hashes: Uint8Array): Uint32Array {
  const words = new Uint32Array(hashes.length / 4);
  new Uint8Array(words.buffer).set(hashes);
  return words;
}

/** Whether two rows' nodes at a level have one parent, as far as their places go. */
function isOnePair(rows: readonly RowPath[], left: number, right: number, level: number): boolean {
  return (rows[left]?.index ?? 0) >>> (level + 1) === (rows[right]?.index ?? 0) >>> (level + 1);
}

function copyHash(from: Uint32Array, at: number, to: Uint32Array, place: number): void {
  for (let word = 0; word < HASH_WORDS; word += 1) to[place + word] = from[at + word] ?? 0;
}

function areEqual(words: Uint32Array, left: number, right: number, count: number): boolean {
  for (let word = 0; word < count; word += 1) {
    if (words[left + word] !== words[right + word]) return false;
  }
  return true;
}
