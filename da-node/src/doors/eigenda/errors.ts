import { Fault } from '@cairn/primitives';

/** `StatusCode` of a certificate that a rollup drops. Source: the EigenDA proxy's replies of 418. */
export const DROPPED = { parse: 1, tooOld: 2, invalid: 3, undecodable: 4 } as const;

/** Why a rollup drops a certificate. */
export type DropReason = keyof typeof DROPPED;

/** What a client of an EigenDA proxy is refused for. */
export type EigendaFault =
  /** A path or query that is not this door's. */
  | { readonly code: 'EIGENDA_REQUEST'; readonly expected: string }
  /** The certificate stands for nothing, for every reader at every time. */
  | { readonly code: 'EIGENDA_CERTIFICATE'; readonly reason: DropReason }
  /** Nothing is decided yet: the certificate is neither valid nor out of the question. */
  | { readonly code: 'EIGENDA_UNDECIDED' };

/** A request of an EigenDA client that is not served. */
export class EigendaError extends Fault<EigendaFault> {}

/** A certificate that every reader drops. */
export function dropped(reason: DropReason, sentence: string, cause?: unknown): EigendaError {
  return new EigendaError(
    { code: 'EIGENDA_CERTIFICATE', reason },
    sentence,
    cause === undefined ? undefined : { cause },
  );
}
