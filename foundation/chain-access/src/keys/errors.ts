import { Fault } from '@cairn/primitives';

/** What is wrong with a key, or with the file that holds it. Facts never hold any part of a key. */
export type KeyFault =
  | { readonly code: 'KEY_INVALID'; readonly reason: string }
  | { readonly code: 'KEYSTORE_INVALID'; readonly reason: string }
  | { readonly code: 'KEYSTORE_WRONG_PASSWORD' }
  /** The file asks for more work than any honest one: `cost` is memory in bytes for scrypt, rounds for PBKDF2. */
  | { readonly code: 'KEYSTORE_TOO_COSTLY'; readonly cost: number; readonly maxCost: number };

/** A key that cannot be used. */
export class KeyError extends Fault<KeyFault> {}
