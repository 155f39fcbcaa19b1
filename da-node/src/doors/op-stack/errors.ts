import { Fault } from '@cairn/primitives';

/** What an alt-DA client is refused for. */
export type OpStackFault =
  /** Not a commitment that this server made or could have made. */
  | { readonly code: 'OP_COMMITMENT'; readonly expected: string }
  /** The body's keccak-256 is not the one in the path. */
  | { readonly code: 'OP_KECCAK_WRONG'; readonly actual: string }
  /** The client should post elsewhere, or ask again: nothing is decided. */
  | { readonly code: 'OP_FAIL_OVER' };

/** A request of an alt-DA client that is not served. */
export class OpStackError extends Fault<OpStackFault> {}
