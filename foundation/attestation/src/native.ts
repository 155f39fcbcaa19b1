/** `@cairn/attestation/native`: the backend for Node, over blst's binding. */
import blst from '@chainsafe/blst';
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

/** Set in the first byte of a compressed point whose y is the larger of the two. */
const SIGN_FLAG = 0x20;

/** blst, about two milliseconds for a verification. Its ciphersuite is fixed to the one used here. */
export function blstBackend(): BlsBackend {
  return {
    name: 'blst',
    secretFromMaterial(material) {
      if (material.length < MIN_MATERIAL_BYTES) throw shortMaterial(material.length);
      return plain(blst.SecretKey.fromKeygen(material).toBytes());
    },
    openKey(secret) {
      const key = secret.length === SECRET_BYTES ? secretOf(secret) : undefined;
      if (key === undefined) throw notASecret(secret.length);
      return {
        publicKey: keyBytes(key.toPublicKey()),
        sign: (digest) => signatureBytes(key.sign(digest)),
      };
    },
    parseKey(bytes) {
      const isForm = bytes.length === KEY_BYTES || bytes.length === COMPRESSED_KEY_BYTES;
      const point = isForm ? attempt(() => blst.PublicKey.fromBytes(bytes, true)) : undefined;
      if (point === undefined) throw notAKey(bytes.length);
      return keyBytes(point);
    },
    parseSignature(bytes) {
      const isForm = bytes.length === SIGNATURE_BYTES || bytes.length === EXPANDED_SIGNATURE_BYTES;
      const point = isForm ? attempt(() => blst.Signature.fromBytes(bytes, true)) : undefined;
      if (point === undefined) throw notASignature(bytes.length);
      return signatureBytes(point);
    },
    compressKey: (key) => plain(keyPoint(key).toBytes(true)),
    expandSignature: (signature) => plain(blst.Signature.fromBytes(signature).toBytes(false)),
    addKeys(keys) {
      if (keys.length === 0) throw nothingToAdd();
      return sumOfKeys(keys.map(keyPoint));
    },
    subtractKeys(from, keys) {
      return sumOfKeys([keyPoint(from), ...keys.map((key) => negated(keyPoint(key)))]);
    },
    addSignatures(signatures) {
      if (signatures.length === 0) throw nothingToAdd();
      const points = signatures.map((signature) => blst.Signature.fromBytes(signature));
      const sum = plain(blst.aggregateSignatures(points).toBytes(true));
      if (isIdentity(sum)) throw identitySum(points.length);
      return sum as Signature;
    },
    verify(key, digest, signature) {
      return blst.verify(digest, keyPoint(key), blst.Signature.fromBytes(signature));
    },
  };
}

function secretOf(secret: Uint8Array): blst.SecretKey | undefined {
  return attempt(() => blst.SecretKey.fromBytes(secret));
}

/** The point of bytes that were proven to be one. */
function keyPoint(key: PublicKey): blst.PublicKey {
  return blst.PublicKey.fromBytes(key);
}

/** −P: the binding subtracts nothing, but turning over the sign of y is the same. */
function negated(point: blst.PublicKey): blst.PublicKey {
  const bytes = plain(point.toBytes(true));
  bytes[0] = (bytes[0] ?? 0) ^ SIGN_FLAG;
  return blst.PublicKey.fromBytes(bytes);
}

function sumOfKeys(points: blst.PublicKey[]): PublicKey {
  const sum = plain(blst.aggregatePublicKeys(points).toBytes(false));
  if (isIdentity(sum)) throw identitySum(points.length);
  return sum as PublicKey;
}

/** Both forms of a point begin with a flag for the identity. */
function isIdentity(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0) & 0x40) !== 0;
}

function keyBytes(point: blst.PublicKey): PublicKey {
  return plain(point.toBytes(false)) as PublicKey;
}

function signatureBytes(point: blst.Signature): Signature {
  return plain(point.toBytes(true)) as Signature;
}

/** A `Uint8Array` of its own: the binding gives Buffers, whose `slice` shares memory. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** What `make` gives, or nothing where the binding refuses what it was given. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
