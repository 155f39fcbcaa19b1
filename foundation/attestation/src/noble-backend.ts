import type { WeierstrassPoint } from '@noble/curves/abstract/weierstrass.js';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import {
  type BlsBackend,
  COMPRESSED_KEY_BYTES,
  EXPANDED_SIGNATURE_BYTES,
  KEY_BYTES,
  type PublicKey,
  SECRET_BYTES,
  SIGNATURE_BYTES,
  type Signature,
} from './bls-backend.ts';
import {
  identitySum,
  MIN_MATERIAL_BYTES,
  notAKey,
  notASecret,
  notASignature,
  nothingToAdd,
  shortMaterial,
} from './bls-faults.ts';
import { GROUP_ORDER, keyGen } from './key-generation.ts';

/** The domain of every signature here; noble's own default is another suite's. */
const SUITE = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_';

type KeyPoint = WeierstrassPoint<bigint>;
type SignaturePoint = ReturnType<typeof bls12_381.G2.Point.fromBytes>;

/**
 * Plain TypeScript, for browsers and as a second opinion. Verifying costs some tens of
 * milliseconds, some forty times what `@cairn/attestation/native` takes. Not constant time:
 * long-lived signers use the native one.
 */
export function nobleBackend(): BlsBackend {
  return {
    name: 'noble',
    secretFromMaterial(material) {
      if (material.length < MIN_MATERIAL_BYTES) throw shortMaterial(material.length);
      return keyGen(material);
    },
    openKey(secret) {
      const kept = secret.slice();
      const point = secret.length === SECRET_BYTES ? keyPointOf(kept) : undefined;
      if (point === undefined) throw notASecret(secret.length);
      return {
        publicKey: keyBytes(point),
        sign: (digest) => signatureBytes(bls12_381.longSignatures.sign(hash(digest), kept)),
      };
    },
    parseKey(bytes) {
      const point = attempt(() => bls12_381.G1.Point.fromBytes(bytes));
      const isLong = bytes.length === KEY_BYTES;
      const isForm = isLong || bytes.length === COMPRESSED_KEY_BYTES;
      if (!isForm || point === undefined || point.is0()) throw notAKey(bytes.length);
      if (!sameBytes(point.toBytes(!isLong), bytes)) throw notAKey(bytes.length);
      return keyBytes(point);
    },
    parseSignature(bytes) {
      const point = attempt(() => bls12_381.G2.Point.fromBytes(bytes));
      const isLong = bytes.length === EXPANDED_SIGNATURE_BYTES;
      const isForm = isLong || bytes.length === SIGNATURE_BYTES;
      if (!isForm || point === undefined || point.is0()) throw notASignature(bytes.length);
      if (!sameBytes(point.toBytes(!isLong), bytes)) throw notASignature(bytes.length);
      return signatureBytes(point);
    },
    compressKey: (key) => keyPoint(key).toBytes(true),
    expandSignature: (signature) => signaturePoint(signature).toBytes(false),
    addKeys(keys) {
      return keyBytes(sumOf(keys.map(keyPoint)));
    },
    subtractKeys(from, keys) {
      return keyBytes(sumOf([keyPoint(from), ...keys.map((key) => keyPoint(key).negate())]));
    },
    addSignatures(signatures) {
      return signatureBytes(sumOf(signatures.map(signaturePoint)));
    },
    verify(key, digest, signature) {
      const message = hash(digest);
      return bls12_381.longSignatures.verify(signaturePoint(signature), message, keyPoint(key));
    },
  };
}

function hash(digest: Uint8Array): SignaturePoint {
  return bls12_381.longSignatures.hash(digest, SUITE);
}

/** The library reduces secrets from the order up, where others refuse them. */
function keyPointOf(secret: Uint8Array): KeyPoint | undefined {
  if (numberOf(secret) >= GROUP_ORDER) return undefined;
  return attempt(() => bls12_381.longSignatures.getPublicKey(secret));
}

/** The point of bytes that were proven to be one: its subgroup is not looked at again. */
function keyPoint(key: PublicKey): KeyPoint {
  const x = numberOf(key.subarray(0, 48));
  return bls12_381.G1.Point.fromAffine({ x, y: numberOf(key.subarray(48, KEY_BYTES)) });
}

/** The point of bytes that were proven to be one. Takes a square root, and its check again. */
function signaturePoint(signature: Signature): SignaturePoint {
  return bls12_381.G2.Point.fromBytes(signature);
}

function keyBytes(point: KeyPoint): PublicKey {
  return point.toBytes(false) as Uint8Array as PublicKey;
}

function signatureBytes(point: SignaturePoint): Signature {
  return point.toBytes(true) as Uint8Array as Signature;
}

function sumOf<P extends { add(other: P): P; is0(): boolean }>(points: readonly P[]): P {
  const [first, ...rest] = points;
  if (first === undefined) throw nothingToAdd();
  let sum = first;
  for (const point of rest) sum = sum.add(point);
  if (sum.is0()) throw identitySum(points.length);
  return sum;
}

function numberOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** What `make` gives, or nothing where the library throws at what it was given. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
