import type { SignableDigest } from './digests.ts';

/** Bytes of a public key as it is kept and hashed: x, then y, 48 bytes each. */
export const KEY_BYTES = 96;
/** Bytes of a public key on wires where both sides can take a square root. */
export const COMPRESSED_KEY_BYTES = 48;
/** Bytes of a compressed signature, the form on every wire. */
export const SIGNATURE_BYTES = 96;
/** Bytes of a signature with both coordinates; imaginary parts first, as zcash writes them. */
export const EXPANDED_SIGNATURE_BYTES = 192;
/** Bytes of a secret key. */
export const SECRET_BYTES = 32;
/** Bytes of whatever is signed. */
export const DIGEST_BYTES = 32;

declare const valid: unique symbol;

/**
 * 96 bytes (x, y) known to be a point of the prime-order subgroup and not the identity. Made by a
 * backend's `parseKey` and by its sums; contracts keep only such keys too.
 */
export type PublicKey = Uint8Array & { readonly [valid]: 'key' };

/** 96 compressed bytes known to be a point of the subgroup and not the identity. */
export type Signature = Uint8Array & { readonly [valid]: 'signature' };

/** A secret key at work. Its bytes are not reachable from it, so no log or dump shows them. */
export interface SigningKey {
  readonly publicKey: PublicKey;
  /** A signature over one of the digests that this package defines, and over nothing else. */
  sign(digest: SignableDigest): Signature;
}

/**
 * BLS signatures with keys in G1, by the ciphersuite BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_.
 * Every implementation gives the same bytes and the same verdicts. Sums are safe against rogue keys
 * only because each key was registered with a proof of possession.
 */
export interface BlsBackend {
  readonly name: string;
  /**
   * The secret key that KeyGen of the BLS draft makes of at least 32 secret bytes; 32 bytes.
   *
   * @throws {BlsError} BLS_SHORT_MATERIAL
   */
  secretFromMaterial(material: Uint8Array): Uint8Array;
  /** @param secret - 32 bytes, big-endian @throws {BlsError} BLS_NOT_A_SECRET */
  openKey(secret: Uint8Array): SigningKey;
  /**
   * A key from outside, 48 or 96 bytes: on the curve, in the subgroup, not the identity, canonical.
   *
   * @throws {BlsError} BLS_NOT_A_KEY
   */
  parseKey(bytes: Uint8Array): PublicKey;
  /**
   * A signature from outside, 96 or 192 bytes, checked like a key.
   *
   * @throws {BlsError} BLS_NOT_A_SIGNATURE
   */
  parseSignature(bytes: Uint8Array): Signature;
  /** The 48 bytes of a key. */
  compressKey(key: PublicKey): Uint8Array;
  /** The 192 bytes of a signature: x imaginary, x real, y imaginary, y real. */
  expandSignature(signature: Signature): Uint8Array;
  /**
   * The sum of keys; one that is listed twice counts twice. Costs one curve addition each.
   *
   * @throws {BlsError} BLS_NOTHING_TO_ADD, BLS_IDENTITY
   */
  addKeys(keys: readonly PublicKey[]): PublicKey;
  /** `from` less each of `keys`. @throws {BlsError} BLS_IDENTITY */
  subtractKeys(from: PublicKey, keys: readonly PublicKey[]): PublicKey;
  /** The sum of signatures. @throws {BlsError} BLS_NOTHING_TO_ADD, BLS_IDENTITY */
  addSignatures(signatures: readonly Signature[]): Signature;
  /**
   * Whether `signature` is that of `key` over the 32 bytes of `digest`. For an aggregate over one
   * digest `key` is the sum of the signers' keys.
   */
  verify(key: PublicKey, digest: Uint8Array, signature: Signature): boolean;
}
