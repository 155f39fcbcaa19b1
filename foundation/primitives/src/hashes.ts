import { blake2b as nobleBlake2b } from '@noble/hashes/blake2.js';
import { blake3 as nobleBlake3 } from '@noble/hashes/blake3.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8Bytes } from './bytes.ts';

/** How BLAKE3 is used. */
export interface Blake3Options {
  /** 32 bytes; without it the plain hash. */
  readonly key?: Uint8Array;
  /** Bytes of output, 32 unless told: BLAKE3 is extendable. */
  readonly length?: number;
}

/** BLAKE3 of the parts one after another. For cold paths: rows go through `@cairn/commitments`. */
export function blake3(
  parts: readonly Uint8Array[],
  { key, length }: Blake3Options = {},
): Uint8Array {
  return nobleBlake3(concatBytes(...parts), {
    ...(key === undefined ? {} : { key }),
    ...(length === undefined ? {} : { dkLen: length }),
  });
}

/** The 32-byte key that BLAKE3's key derivation makes of a context string, from no material. */
export function blake3ContextKey(context: string): Uint8Array {
  return nobleBlake3(new Uint8Array(0), { context: utf8Bytes(context) });
}

/** SHA-256 of the parts one after another. For cold paths. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return nobleSha256(concatBytes(...parts));
}

/** BLAKE2b of 64 bytes, without a key, of the parts one after another. For cold paths. */
export function blake2b(...parts: readonly Uint8Array[]): Uint8Array {
  return nobleBlake2b(concatBytes(...parts), { dkLen: 64 });
}
