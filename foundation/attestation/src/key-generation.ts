import { bigEndianBytes, concatBytes, utf8Bytes } from '@cairn/primitives';
import { sha256 } from '@cairn/primitives/hashes';

/** Order of the groups (r of BLS12-381). */
export const GROUP_ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;
/** Bytes of derived material: 128 bits more than the order has, so that its residue is even. */
const OUTPUT_BYTES = 48;
const BLOCK_BYTES = 64;

/**
 * KeyGen of the BLS signature draft (draft-irtf-cfrg-bls-signature-05, section 2.3) without key
 * information: HKDF-SHA-256 of the material, reduced by the order, salted again while that is zero.
 *
 * @param material - at least 32 secret bytes
 * @returns 32 bytes, big-endian, not zero and below the order
 */
export function keyGen(material: Uint8Array): Uint8Array {
  let salt = utf8Bytes('BLS-SIG-KEYGEN-SALT-');
  for (let round = 0; round < 256; round += 1) {
    salt = sha256(salt);
    const extracted = hmac(salt, concatBytes(material, Uint8Array.of(0)));
    const expanded = expand(extracted, bigEndianBytes(OUTPUT_BYTES, 2));
    let secret = 0n;
    for (const byte of expanded) secret = (secret << 8n) | BigInt(byte);
    secret %= GROUP_ORDER;
    if (secret !== 0n) return bigEndianBytes(secret, 32);
  }
  throw new Error('SHA-256 keeps giving multiples of the group order');
}

function expand(key: Uint8Array, context: Uint8Array): Uint8Array {
  let block = new Uint8Array(0);
  let output = new Uint8Array(0);
  for (let count = 1; output.length < OUTPUT_BYTES; count += 1) {
    block = new Uint8Array(hmac(key, concatBytes(block, context, Uint8Array.of(count))));
    output = new Uint8Array(concatBytes(output, block));
  }
  return output.subarray(0, OUTPUT_BYTES);
}

/** HMAC-SHA-256 (RFC 2104) with a key of at most 64 bytes. */
function hmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const inner = new Uint8Array(BLOCK_BYTES).fill(0x36);
  const outer = new Uint8Array(BLOCK_BYTES).fill(0x5c);
  for (const [index, byte] of key.entries()) {
    inner[index] = byte ^ 0x36;
    outer[index] = byte ^ 0x5c;
  }
  return sha256(outer, sha256(inner, message));
}
