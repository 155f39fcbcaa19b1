import { type RowSuite, RowTree } from '@cairn/commitments/rows';
import { COMBINATION_BYTES } from './params.ts';

/** Bytes of a hash, of either suite. */
export const HASH_BYTES = 32;

/**
 * The steps by which rows become a commitment. Each covers all before it: rows, then the challenge
 * that nobody knew while choosing them, then their combinations.
 *
 * @see docs/spec/codec.md, "Commitment"
 */

/** The root over all rows, from those of the cosets, data first. */
export function rowRootOf(
  suite: Pick<RowSuite, 'digest'>,
  cosetRoots: readonly Uint8Array[],
): Uint8Array {
  return suite.digest('rows', cosetRoots);
}

/** The seed of the coefficients, 32 bytes. @param params - encoded */
export function challengeOf(
  suite: Pick<RowSuite, 'digest'>,
  rowRoot: Uint8Array,
  params: Uint8Array,
): Uint8Array {
  return suite.digest('challenge', [rowRoot, params]);
}

/**
 * The tree over the combinations of the data rows. Its leaves are hashed like rows, so that no
 * combination can pass for a node.
 *
 * @param combinations - 32 bytes for each of a power of two of rows
 */
export function combinationTree(
  suite: Pick<RowSuite, 'leaves' | 'parents'>,
  combinations: Uint8Array,
): RowTree {
  return RowTree.fromLeaves(suite, suite.leaves(combinations, COMBINATION_BYTES));
}

/** The name of a blob, 32 bytes. @param params - encoded */
export function commitmentOf(
  suite: Pick<RowSuite, 'digest'>,
  rowRoot: Uint8Array,
  combinationRoot: Uint8Array,
  params: Uint8Array,
): Uint8Array {
  return suite.digest('commitment', [rowRoot, combinationRoot, params]);
}
