import { equalBytes, toHex } from '@cairn/primitives';
import { ProofError } from './errors.ts';
import { HASH_BYTES } from './hasher.ts';

/**
 * Checks the form of a path before anything is hashed.
 *
 * @throws {ProofError} PROOF_LENGTH unless there are `expected` siblings, PROOF_HASH_LENGTH unless
 *   each has 32 bytes
 */
export function assertSiblings(
  siblings: readonly Uint8Array[],
  index: number,
  expected: number,
): void {
  if (siblings.length !== expected) {
    throw new ProofError(
      { code: 'PROOF_LENGTH', index, expected, actual: siblings.length },
      `the path of position ${index} has ${expected} hashes, not ${siblings.length}`,
    );
  }
  for (const [level, sibling] of siblings.entries()) {
    assertHash(sibling, level, `hash ${level} of the path`);
  }
}

/** @throws {ProofError} PROOF_HASH_LENGTH unless `hash` has 32 bytes */
export function assertHash(hash: Uint8Array, level: number, what: string): void {
  if (hash.length === HASH_BYTES) return;
  throw new ProofError(
    { code: 'PROOF_HASH_LENGTH', level, actualBytes: hash.length },
    `${what} has ${HASH_BYTES} bytes, not ${hash.length}`,
  );
}

/** @throws {ProofError} PROOF_WRONG_ROOT unless the path of `index` led to `expected` */
export function assertLeadsTo(actual: Uint8Array, expected: Uint8Array, index: number): void {
  if (equalBytes(actual, expected)) return;
  const [expectedRoot, actualRoot] = [toHex(expected), toHex(actual)];
  throw new ProofError(
    { code: 'PROOF_WRONG_ROOT', index, expectedRoot, actualRoot },
    `position ${index} leads to the root ${actualRoot}, not to ${expectedRoot}`,
  );
}
