import type { Hex } from '@cairn/primitives';

/**
 * How a file is encrypted before it leaves.
 *
 * `sealed` is Cairn's authenticated format: every change of the stored bytes is noticed. `zg-ctr`
 * and `zg-ecies` are the formats of the official 0G clients, versions 1 and 2: they hide the
 * bytes but prove nothing, so a wrong key gives noise instead of a fault.
 */
export type Encryption =
  /** 32 bytes known to writer and readers. */
  | { readonly kind: 'sealed'; readonly key: Uint8Array }
  /** The reader's compressed or uncompressed secp256k1 public key. */
  | { readonly kind: 'sealed-to'; readonly recipient: Hex | Uint8Array }
  | { readonly kind: 'zg-ctr'; readonly key: Uint8Array }
  | { readonly kind: 'zg-ecies'; readonly recipient: Hex | Uint8Array };

/** What a reader holds: whichever the file's header asks for is used. */
export interface Decryption {
  /** 32 bytes, for `sealed` and `zg-ctr`. */
  readonly key?: Uint8Array;
  /** 32 bytes, for `sealed-to` and `zg-ecies`. */
  readonly privateKey?: Hex | Uint8Array;
}
