import { Fault } from '@cairn/primitives';

/** What goes wrong between hosts. `peer` is a peer id, `protocol` a protocol id. */
export type P2pFault =
  /** Not an address that is dialled: see `P2pHost.request`. */
  | { readonly code: 'P2P_ADDRESS'; readonly address: string }
  /** Nobody answers there, or not with that identity, or the connection ended. */
  | { readonly code: 'P2P_UNREACHABLE'; readonly peer: string; readonly protocol: string }
  /** It is reached, and does not speak this. */
  | { readonly code: 'P2P_PROTOCOL_UNKNOWN'; readonly peer: string; readonly protocol: string }
  | {
      readonly code: 'P2P_TIMEOUT';
      readonly peer: string;
      readonly protocol: string;
      readonly timeoutMs: number;
    }
  /** A message beyond its bound: ours was not sent, or the other's not read. */
  | {
      readonly code: 'P2P_TOO_LONG';
      readonly what: 'request' | 'reply';
      readonly lengthBytes: number;
      readonly maxBytes: number;
    }
  /** Bytes that are no message, or more of them than one. */
  | { readonly code: 'P2P_FRAME'; readonly reason: 'empty' | 'pipelined' | 'cut' | 'form' }
  /** The peer said no: `reply` is its code. */
  | {
      readonly code: 'P2P_REFUSED';
      readonly peer: string;
      readonly protocol: string;
      readonly reply: string;
    }
  /** The peer answers this host no more for a while. */
  | { readonly code: 'P2P_QUOTA'; readonly peer: string; readonly protocol: string }
  /** The peer works on as much as it can. */
  | { readonly code: 'P2P_BUSY'; readonly peer: string; readonly protocol: string }
  /** Of a protocol id, a quota or a bound that cannot be. */
  | { readonly code: 'P2P_SETTING'; readonly field: string }
  | { readonly code: 'P2P_STOPPED' }
  /** The file holds no key of 32 bytes. */
  | { readonly code: 'P2P_KEY'; readonly path: string };

/** A host that cannot do what was asked of it, or a peer that did not. */
export class P2pError extends Fault<P2pFault> {}

/** What a handler throws to say no. */
export type P2pRefusalFacts = { readonly code: string };

/**
 * A refusal that the other side may read: a stable code and one sentence. Anything else that a
 * handler throws is told as INTERNAL, without its words.
 */
export class P2pRefusal extends Fault<P2pRefusalFacts> {
  /**
   * @param code - at most 64 characters of A to Z, 0 to 9 and _
   * @param sentence - cut at 500 bytes
   */
  constructor(code: string, sentence: string, options?: { readonly cause?: unknown }) {
    super({ code }, sentence, options);
  }
}
