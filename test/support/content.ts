/** Bytes `start` … `start + length` − 1 of an endless text without a short period, so that no two segments are alike. */
export function contentBytes(length: number, start = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) {
    // Knuth's multiplicative hash of the position; its top byte. Same as test/vectors "filesAperiodic".
    bytes[index] = Math.imul(start + index, 2_654_435_761) >>> 24;
  }
  return bytes;
}

/** Content that differs from file to file: the same text, from a place of its own. */
export function contentOf(fileNumber: number, length: number): Uint8Array {
  return contentBytes(length, fileNumber * 7_919 + 1);
}
