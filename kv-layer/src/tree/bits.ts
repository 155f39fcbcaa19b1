/** How many bits of 32 are set. */
export function bitCount(bits: number): number {
  let some = bits - ((bits >>> 1) & 0x55555555);
  some = (some & 0x33333333) + ((some >>> 2) & 0x33333333);
  return Math.imul((some + (some >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The index of the lowest bit of 32 that is set; one must be. */
export function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
