import { concatBytes } from '@cairn/primitives';
import type { Encryption } from './keys.ts';
import { KEY_CHECK_BYTES } from './sealed-frames.ts';

/** First byte of a sealed file. 0G's formats begin with 1 and 2. */
export const SEALED_MAGIC = 0xc3;
/** Version of the sealed format. */
export const SEALED_VERSION = 1;
/** log2 of a frame's plain bytes. */
const FRAME_EXPONENT = 16;
const SHARED_KEY = 1;
const RECIPIENT = 2;

/** Bytes of the longest header of any format. */
export const MAX_HEADER_BYTES = 85;

/** What the first bytes of an encrypted file say. */
export type EncryptionHeader =
  | { readonly kind: 'zg-ctr'; readonly bytes: Uint8Array; readonly nonce: Uint8Array }
  | {
      readonly kind: 'zg-ecies';
      readonly bytes: Uint8Array;
      readonly ephemeralPublicKey: Uint8Array;
      readonly nonce: Uint8Array;
    }
  | {
      readonly kind: 'sealed';
      readonly bytes: Uint8Array;
      readonly salt: Uint8Array;
      readonly keyCheck: Uint8Array;
    }
  | {
      readonly kind: 'sealed-to';
      readonly bytes: Uint8Array;
      readonly salt: Uint8Array;
      readonly keyCheck: Uint8Array;
      readonly ephemeralPublicKey: Uint8Array;
    };

/** Bytes of each format's header. */
export function headerBytesOf(kind: Encryption['kind']): number {
  switch (kind) {
    case 'zg-ctr':
      return 17;
    case 'zg-ecies':
      return 50;
    case 'sealed':
      return 36 + KEY_CHECK_BYTES;
    case 'sealed-to':
      return 36 + KEY_CHECK_BYTES + 33;
  }
}

/** Version 1 of the 0G clients: `01 ‖ nonce`. */
export function counterHeader(nonce: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(1), nonce);
}

/** Version 2 of the 0G clients: `02 ‖ ephemeral public key ‖ nonce`. */
export function eciesHeader(ephemeralPublicKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(2), ephemeralPublicKey, nonce);
}

/** `C3 ‖ version ‖ mode ‖ frame exponent ‖ salt ‖ key check [‖ ephemeral public key]`. */
export function sealedHeader(
  salt: Uint8Array,
  keyCheck: Uint8Array,
  ephemeralPublicKey?: Uint8Array,
): Uint8Array {
  const mode = ephemeralPublicKey === undefined ? SHARED_KEY : RECIPIENT;
  const start = Uint8Array.of(SEALED_MAGIC, SEALED_VERSION, mode, FRAME_EXPONENT);
  return concatBytes(start, salt, keyCheck, ephemeralPublicKey ?? new Uint8Array(0));
}

/**
 * What a file's first bytes look like; `undefined` if like no encrypted file.
 *
 * For 0G's formats this is a guess: one plain file in 256 begins with a 1.
 *
 * @param first - the first `MAX_HEADER_BYTES` bytes, or all if there are fewer
 */
export function parseEncryptionHeader(first: Uint8Array): EncryptionHeader | undefined {
  const kind = kindOf(first);
  if (kind === undefined || first.length < headerBytesOf(kind)) return undefined;
  const bytes = first.slice(0, headerBytesOf(kind));
  switch (kind) {
    case 'zg-ctr':
      return { kind, bytes, nonce: bytes.subarray(1) };
    case 'zg-ecies':
      return { kind, bytes, ephemeralPublicKey: bytes.subarray(1, 34), nonce: bytes.subarray(34) };
    case 'sealed':
      return { kind, bytes, salt: bytes.subarray(4, 36), keyCheck: bytes.subarray(36, 52) };
    case 'sealed-to':
      return {
        kind,
        bytes,
        salt: bytes.subarray(4, 36),
        keyCheck: bytes.subarray(36, 52),
        ephemeralPublicKey: bytes.subarray(52),
      };
  }
}

function kindOf(first: Uint8Array): Encryption['kind'] | undefined {
  if (first[0] === 1) return 'zg-ctr';
  if (first[0] === 2 && (first[1] === 2 || first[1] === 3)) return 'zg-ecies';
  if (first[0] !== SEALED_MAGIC || first[1] !== SEALED_VERSION || first[3] !== FRAME_EXPONENT) {
    return undefined;
  }
  if (first[2] === SHARED_KEY) return 'sealed';
  return first[2] === RECIPIENT ? 'sealed-to' : undefined;
}
