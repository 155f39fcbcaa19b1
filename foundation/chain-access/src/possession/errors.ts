import { Fault, type Hex } from '@cairn/primitives';

/** What can be wrong with duties of possession. */
export type PossessionFault =
  /** A transaction did not announce what it was for. */
  | {
      readonly code: 'POSSESSION_NO_EVENT';
      readonly event: string;
      readonly transactionHash: Hex;
    }
  /** The endpoint has no block whose entropy a period needs. */
  | { readonly code: 'POSSESSION_NO_BLOCK'; readonly period: number; readonly block: number }
  /** No such duty, or another provider's. */
  | { readonly code: 'POSSESSION_NO_DUTY'; readonly id: number }
  /** The records at hand are not those of the log that the contract noted. */
  | {
      readonly code: 'POSSESSION_OTHER_LOG';
      readonly records: number;
      readonly expected: Hex;
      readonly actual: Hex;
    }
  /** The files at hand are not those of the duty. */
  | {
      readonly code: 'POSSESSION_OTHER_SET';
      readonly id: number;
      readonly expected: Hex;
      readonly actual: Hex;
    };

/** A duty that cannot be kept as asked. */
export class PossessionError extends Fault<PossessionFault> {}
