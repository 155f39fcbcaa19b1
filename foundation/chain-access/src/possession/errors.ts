import { type Address, Fault, type Hex } from '@cairn/primitives';

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
  | {
      readonly code: 'POSSESSION_NOT_OWN';
      readonly id: number;
      readonly provider: Address;
      readonly account: Address;
    }
  | { readonly code: 'POSSESSION_NOT_STARTED'; readonly id: number }
  | { readonly code: 'POSSESSION_NOT_ENDED'; readonly id: number }
  /** So much stake answers for something. */
  | {
      readonly code: 'POSSESSION_NOT_FREE';
      readonly account: Address;
      readonly freeWei: bigint;
      readonly wantedWei: bigint;
    }
  /** A contract said no, by the name of its error. */
  | {
      readonly code: 'POSSESSION_REFUSED';
      readonly refusal: string;
      readonly args: Readonly<Record<string, string>>;
      /** Absent where it was refused on trial, and nothing was paid. */
      readonly transactionHash: string | undefined;
    }
  /** What is asked for is for later blocks. */
  | {
      readonly code: 'POSSESSION_TOO_EARLY';
      readonly id: number;
      readonly block: number;
      readonly fromBlock: number;
    }
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
