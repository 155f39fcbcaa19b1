import { BlsError } from './errors.ts';

/** Bytes that material for a key has at least: as many as its strength asks for. */
export const MIN_MATERIAL_BYTES = 32;

/** Bytes that are no key. */
export function notAKey(lengthBytes: number): BlsError {
  return new BlsError(
    { code: 'BLS_NOT_A_KEY', lengthBytes },
    `a public key is a point of the subgroup in 48 or 96 bytes; these ${lengthBytes} are none`,
  );
}

/** Bytes that are no signature. */
export function notASignature(lengthBytes: number): BlsError {
  return new BlsError(
    { code: 'BLS_NOT_A_SIGNATURE', lengthBytes },
    `a signature is a point of the subgroup in 96 or 192 bytes; these ${lengthBytes} are none`,
  );
}

/** Bytes that are no secret key; they are not told. */
export function notASecret(lengthBytes: number): BlsError {
  return new BlsError(
    { code: 'BLS_NOT_A_SECRET', lengthBytes },
    `a secret key is a number from 1 below the group's order in 32 bytes; these ${lengthBytes} are none`,
  );
}

/** Too little to make a key of. */
export function shortMaterial(lengthBytes: number): BlsError {
  return new BlsError(
    { code: 'BLS_SHORT_MATERIAL', lengthBytes },
    `a key is made of at least ${MIN_MATERIAL_BYTES} secret bytes, not ${lengthBytes}`,
  );
}

/** Nothing to add. */
export function nothingToAdd(): BlsError {
  return new BlsError({ code: 'BLS_NOTHING_TO_ADD' }, 'there are no points to add');
}

/** A sum that is the identity. */
export function identitySum(points: number): BlsError {
  return new BlsError(
    { code: 'BLS_IDENTITY', points },
    `the sum of ${points} points is the identity, which no key and no signature is`,
  );
}
