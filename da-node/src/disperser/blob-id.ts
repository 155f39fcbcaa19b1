import { createHash } from 'node:crypto';
import type { RowSuite } from '@cairn/commitments/rows';
import { type Root, rootOf } from '@cairn/primitives';

/** Code of the hash suite of a blob's rows: 0 BLAKE3, 1 SHA-256. */
export type SuiteId = RowSuite['id'];

/**
 * A blob's name: SHA-256 of its payload. Rows of another suite make another blob of the same payload,
 * whose name is SHA-256 of that and the suite's code.
 */
export function blobIdOf(payload: Uint8Array, suite: SuiteId = 0): Root {
  const hash = createHash('sha256').update(payload).digest();
  if (suite === 0) return rootOf(hash);
  return rootOf(createHash('sha256').update(hash).update(Uint8Array.of(suite)).digest());
}

/** The suite of a code. @throws {RangeError} if it is not among them */
export function requireSuite(suites: readonly RowSuite[], id: number = 0): RowSuite {
  const suite = suites.find((candidate) => candidate.id === id);
  if (suite === undefined) throw new RangeError(`rows of suite ${id} are not made here`);
  return suite;
}
