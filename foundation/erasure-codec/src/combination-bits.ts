import { SYMBOL_BYTES } from './params.ts';

const SYMBOL_BITS = 8 * SYMBOL_BYTES;
/** A combination is whole words of 8 bytes, which is how kernels hold it. */
const SYMBOL_STEP = 4;

/** What decides how long a random combination has to be. */
export interface CombinationOdds {
  /** Holders of slices, each of which is accepted whole or not at all. */
  readonly members: number;
  /**
   * log2 of the commitments that the maker of a bad blob can afford to try. Who may choose among
   * n offsets of the arcs gains log2 n.
   */
  readonly log2Trials: number;
}

/**
 * Bits of security of the statement "the rows that all accepted slices hold together are of one
 * codeword": it fails with probability at most T · 2^(N − 16w), which is 2 to minus the result. A
 * result of 0 or below says nothing.
 *
 * The N bits are those of a union over all sets of members; readers do not rely on the statement.
 *
 * @param symbols - w, the symbols of a row's combination
 */
export function combinationSecurityBits(
  { members, log2Trials }: CombinationOdds,
  symbols: number,
): number {
  return SYMBOL_BITS * symbols - members - log2Trials;
}

/** The fewest symbols, a multiple of 4, that give at least `securityBits`. */
export function combinationSymbolsFor(
  { members, log2Trials }: CombinationOdds,
  securityBits: number,
): number {
  const step = SYMBOL_BITS * SYMBOL_STEP;
  return Math.ceil((securityBits + members + log2Trials) / step) * SYMBOL_STEP;
}
