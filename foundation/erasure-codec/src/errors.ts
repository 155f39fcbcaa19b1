import { Fault } from '@cairn/primitives';

/** Why a blob cannot be encoded, decoded or placed. */
export type CodecFault =
  | { readonly code: 'PAYLOAD_TOO_LARGE'; readonly actualBytes: number; readonly maxBytes: number }
  | { readonly code: 'LAYOUT'; readonly field: string; readonly actual: number }
  | { readonly code: 'BLOB_HEADER'; readonly field: string }
  | { readonly code: 'ROW_LENGTH'; readonly expectedBytes: number; readonly actualBytes: number }
  | { readonly code: 'ROW_INDEX'; readonly index: number; readonly rows: number }
  | { readonly code: 'PARITY'; readonly index: number }
  | { readonly code: 'TOO_FEW_ROWS'; readonly have: number; readonly need: number }
  | { readonly code: 'QUORUM_TOO_LARGE'; readonly members: number; readonly maxMembers: number }
  | { readonly code: 'SEATS'; readonly member: number; readonly seats: number }
  /** There is no device here that can do it. */
  | { readonly code: 'DEVICE_ABSENT'; readonly reason: string }
  /** The device, or the process it worked in, is gone, and with it what it held. */
  | { readonly code: 'DEVICE_LOST'; readonly reason: string }
  /** The device has no memory for this now. What it holds stays. */
  | { readonly code: 'DEVICE_FULL'; readonly reason: string };

/** A fault of the codec. */
export class CodecError extends Fault<CodecFault> {}

/** Why a slice, a row or a message about them is not what it says. */
export type SliceFault =
  | { readonly code: 'SLICE_FORM'; readonly field: string; readonly actual: number }
  | { readonly code: 'SLICE_LENGTH'; readonly expectedBytes: number; readonly actualBytes: number }
  | { readonly code: 'SLICE_HEADER'; readonly field: string }
  | { readonly code: 'SLICE_COMMITMENT' }
  | {
      readonly code: 'SLICE_ROWS';
      readonly expected: readonly number[];
      readonly actual: readonly number[];
    }
  | { readonly code: 'ROW_PATH'; readonly index: number }
  | { readonly code: 'ROW_COMBINATION'; readonly index: number }
  | { readonly code: 'EVIDENCE_GOOD_ROW'; readonly index: number };

/** A fault of what came from outside: nothing of it may be used. */
export class SliceError extends Fault<SliceFault> {}
