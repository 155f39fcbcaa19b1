import { multiply, pointOf } from '../field.ts';

const SYMBOL_BITS = 16;

/** Words of one factor's images. */
const FACTOR_WORDS = SYMBOL_BITS / 2;

/**
 * What multiplying by a butterfly's factor does, for every factor there is: those of layers of up to
 * 16,384 rows, all with even indexes.
 *
 * @param rows - rows of the largest matrix, a power of two
 * @returns for each even index in order 8 words: the images of basis elements 2w and 2w + 1 in word
 *   w, the first in its low half
 */
export function factorImages(rows: number): Uint32Array<ArrayBuffer> {
  const images = new Uint32Array((rows / 2) * FACTOR_WORDS);
  for (let bit = 1; 2 ** bit < rows; bit += 1) {
    const factor = pointOf(2 ** bit);
    const start = 2 ** (bit - 1) * FACTOR_WORDS;
    for (let word = 0; word < FACTOR_WORDS; word += 1) {
      const first = multiply(factor, 1 << (2 * word));
      const second = multiply(factor, 2 << (2 * word));
      images[start + word] = first | (second << 16);
    }
    // Points are sums of points at powers of two, and so are their images.
    for (let at = FACTOR_WORDS; at < start; at += 1) {
      images[start + at] = (images[at] ?? 0) ^ (images[start + (at % FACTOR_WORDS)] ?? 0);
    }
  }
  return images;
}
