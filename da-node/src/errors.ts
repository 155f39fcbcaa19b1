import { Fault } from '@cairn/primitives';

/** What a signer refuses or cannot do, with the numbers. */
export type SignerFault =
  /** A file of the signer's own that holds what it never wrote. */
  { readonly code: 'SIGNER_DAMAGED'; readonly file: string; readonly atByte: number };

/** Something a signer refused, or could not do, and foresaw. */
export class SignerError extends Fault<SignerFault> {}
