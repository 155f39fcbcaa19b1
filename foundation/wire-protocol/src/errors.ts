import { Fault } from '@cairn/primitives';

/** What can be wrong with something another party sent. */
export type WireFault =
  /** `what` should be a JSON object. */
  | { readonly code: 'WIRE_NOT_AN_OBJECT'; readonly what: string; readonly actual: string }
  /** A field is missing or of the wrong kind, form or range. */
  | {
      readonly code: 'WIRE_FIELD';
      readonly what: string;
      readonly field: string;
      readonly expected: string;
      readonly actual: string;
    }
  /** A text, list or message beyond its bound. */
  | {
      readonly code: 'WIRE_TOO_LONG';
      readonly what: string;
      readonly length: number;
      readonly max: number;
    }
  /** A binary message that is shorter or longer than its own fields say. */
  | {
      readonly code: 'WIRE_LENGTH';
      readonly what: string;
      readonly expectedBytes: number;
      readonly actualBytes: number;
    }
  /** A binary message that does not begin with its four letters. */
  | { readonly code: 'WIRE_MAGIC'; readonly what: string; readonly actual: string }
  /** A message or file of a version this build does not read. */
  | {
      readonly code: 'WIRE_VERSION';
      readonly what: string;
      readonly version: number;
      readonly supported: number;
    }
  /** Text that is not JSON, or JSON nested too deeply. */
  | { readonly code: 'WIRE_JSON'; readonly what: string; readonly reason: string }
  /** Text that is not padded base64 of the standard alphabet. */
  | { readonly code: 'WIRE_BASE64'; readonly length: number; readonly position: number }
  /** A directory manifest that breaks a rule about names, kinds or depth. */
  | { readonly code: 'WIRE_MANIFEST'; readonly path: string; readonly reason: string }
  /** A shard that is not one: the count is no power of two, or the id is not below it. */
  | { readonly code: 'SHARD_INVALID'; readonly id: number; readonly count: number };

/** Something another party sent that breaks the protocol. Trying again does not help. */
export class WireError extends Fault<WireFault> {}
