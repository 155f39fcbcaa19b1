import { bigEndianBytes, concatBytes, keccak256, utf8Bytes, viewOf } from '@cairn/primitives';

/** Bytes of the seed of a draw. */
export const DRAW_SEED_BYTES = 32;

const TAG: Uint8Array = keccak256(utf8Bytes('cairn/1/sample'));
const WORDS_PER_HASH = 8;

/** What a draw follows from. */
export interface DrawSource {
  /** 32 bytes that nobody else knows. */
  readonly seed: Uint8Array;
  /** 32 bytes: with one seed, blobs are still drawn from apart. */
  readonly commitment: Uint8Array;
}

/**
 * Different places among `places`, each choice as likely as any other to whoever lacks the seed; the
 * same ones for the same seed, so that a sample that was stopped goes on and draws nothing anew.
 *
 * @param count - at most `places`, which is at most 2^32
 * @throws {RangeError} for more than there are
 */
export function drawPlaces(
  { seed, commitment }: DrawSource,
  places: number,
  count: number,
): number[] {
  if (count > places) throw new RangeError(`${count} of ${places} places cannot be drawn`);
  const drawn = new Set<number>();
  const limit = Math.floor(2 ** 32 / places) * places; // words from here up would favour some places
  for (let block = 0; drawn.size < count; block += 1) {
    const words = viewOf(keccak256(concatBytes(TAG, seed, commitment, bigEndianBytes(block, 4))));
    for (let word = 0; word < WORDS_PER_HASH && drawn.size < count; word += 1) {
      const value = words.getUint32(word * 4);
      if (value < limit) drawn.add(value % places);
    }
  }
  return [...drawn];
}
