import {
  type Address,
  fromHex,
  type Hex,
  isHexOf,
  keccak256,
  parseAddress,
  type Rng,
  toHex,
} from '@cairn/primitives';
import { SigningKey } from 'ethers/crypto';
import { KeyError } from './errors.ts';

/** Order of the curve secp256k1: a private key is 1 … order − 1. */
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** @throws {KeyError} KEY_INVALID unless `key` is 32 bytes that make a secp256k1 private key */
export function assertPrivateKey(key: Uint8Array): void {
  if (key.length !== 32) {
    throw new KeyError(
      { code: 'KEY_INVALID', reason: `${key.length} bytes` },
      `a private key has 32 bytes, not ${key.length}`,
    );
  }
  const value = BigInt(toHex(key));
  if (value === 0n || value >= CURVE_ORDER) {
    throw new KeyError(
      { code: 'KEY_INVALID', reason: 'out of range' },
      'a private key must be from 1 to the order of secp256k1 minus 1',
    );
  }
}

/** @throws {KeyError} KEY_INVALID unless `text` is 64 hex digits of a key, with or without 0x */
export function parsePrivateKey(text: string): Uint8Array {
  const trimmed = text.trim();
  const hex = trimmed.startsWith('0x') ? trimmed : `0x${trimmed}`;
  if (!isHexOf(hex, 32)) {
    throw new KeyError(
      { code: 'KEY_INVALID', reason: `${trimmed.length} characters` },
      'a private key is 64 hex digits, with or without 0x',
    );
  }
  const key = fromHex(hex);
  assertPrivateKey(key);
  return key;
}

/** A new private key, 32 bytes. `rng` must be cryptographic outside tests. */
export function randomKey(rng: Rng): Uint8Array {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const key = rng.fill(new Uint8Array(32));
    const value = BigInt(toHex(key));
    if (value !== 0n && value < CURVE_ORDER) return key; // refused once in 2^128 draws
  }
  throw new Error('the source of chance gives no usable key');
}

/**
 * The public key of a private key: 33 bytes compressed (the default), 65 bytes otherwise.
 *
 * @throws {KeyError} KEY_INVALID
 */
export function publicKeyOf(privateKey: Uint8Array, compressed = true): Uint8Array {
  assertPrivateKey(privateKey);
  return fromHex(SigningKey.computePublicKey(toHex(privateKey), compressed));
}

/** The account of a private key. @throws {KeyError} KEY_INVALID */
export function addressOf(privateKey: Uint8Array): Address {
  const point = publicKeyOf(privateKey, false).subarray(1);
  return parseAddress(toHex(keccak256(point).subarray(12)));
}

/**
 * The x coordinate that two keys share (Diffie–Hellman on secp256k1), 32 bytes. Derive keys from it,
 * never use it as one.
 *
 * @param publicKey - 33 or 65 bytes
 * @throws {KeyError} KEY_INVALID if either is no key
 */
export function ecdhSharedX(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  assertPrivateKey(privateKey);
  try {
    const point = new SigningKey(toHex(privateKey)).computeSharedSecret(toHex(publicKey));
    return fromHex(point).slice(1, 33);
  } catch (error) {
    // No cause: libraries quote their arguments, and one of them is the private key.
    const reason = error instanceof RangeError ? error.message : 'not a point of the curve';
    throw new KeyError(
      { code: 'KEY_INVALID', reason },
      `the public key of ${publicKey.length} bytes is not a point of secp256k1`,
    );
  }
}

/** Hash that `personal_sign` signs: the text's bytes behind the Ethereum prefix. */
export function personalDigest(message: Uint8Array): Uint8Array {
  const prefix = new TextEncoder().encode(`\x19Ethereum Signed Message:\n${message.length}`);
  const whole = new Uint8Array(prefix.length + message.length);
  whole.set(prefix);
  whole.set(message, prefix.length);
  return keccak256(whole);
}

/** The account that signed `digest`, or `undefined` if the 65 bytes are no signature. */
export function recoverAddress(digest: Uint8Array, signature: Uint8Array): Address | undefined {
  if (digest.length !== 32 || signature.length !== 65) return undefined;
  try {
    const point: string = SigningKey.recoverPublicKey(toHex(digest), toHex(signature) as Hex);
    return parseAddress(toHex(keccak256(fromHex(point).subarray(1)).subarray(12)));
  } catch {
    return undefined; // numbers that are no point of the curve
  }
}
