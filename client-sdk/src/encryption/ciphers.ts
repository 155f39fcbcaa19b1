import { ecdhSharedX, publicKeyOf } from '@cairn/chain-access';
import { equalBytes, fromHex, type Hex } from '@cairn/primitives';
import { SdkError } from '../errors.ts';
import { counterMode } from './counter-mode.ts';
import type { FrameCipher } from './framed-sources.ts';
import { counterHeader, type EncryptionHeader, eciesHeader, sealedHeader } from './headers.ts';
import type { Decryption, Encryption } from './keys.ts';
import { FRAME_PLAIN_BYTES, FRAME_TAG_BYTES, sealedFrames } from './sealed-frames.ts';
import { hkdf } from './web-crypto.ts';

/** Label of 0G's key derivation for recipients; part of its format. */
const ECIES_LABEL = '0g-storage-client/ecies/v1/aes-256';
/** Counter mode has no frames of its own; these keep its blocks aligned and calls few. */
const COUNTER_FRAME_BYTES = 262_144;

/** What chance contributes to one encryption. Never the same for two different files. */
export interface EncryptionChance {
  /** 16 bytes, for 0G's formats. */
  readonly nonce: Uint8Array;
  /** 32 bytes, for the sealed format. */
  readonly salt: Uint8Array;
  /** 32 bytes, for recipients. Whoever has it can read the file. */
  readonly ephemeralPrivateKey: Uint8Array;
}

/** A header and the cipher that goes with it. */
export interface FileCipher {
  readonly header: Uint8Array;
  readonly cipher: FrameCipher;
}

/**
 * Chance drawn from a 32-byte seed, so that an upload that is run again encrypts to the same
 * bytes and is not paid twice.
 */
export async function chanceFromSeed(seed: Uint8Array): Promise<EncryptionChance> {
  const material = await hkdf(seed, new Uint8Array(0), 'cairn/upload/chance', 80);
  return {
    nonce: material.slice(0, 16),
    salt: material.slice(16, 48),
    ephemeralPrivateKey: material.slice(48),
  };
}

/** @throws {SdkError} SDK_KEY_FORM */
export async function encryptionCipher(
  encryption: Encryption,
  chance: EncryptionChance,
): Promise<FileCipher> {
  switch (encryption.kind) {
    case 'zg-ctr': {
      const cipher = await counterCipher(secretKey(encryption.key), chance.nonce);
      return { header: counterHeader(chance.nonce), cipher };
    }
    case 'zg-ecies': {
      const { shared, publicKey } = agree(chance.ephemeralPrivateKey, encryption.recipient);
      const key = await hkdf(shared, new Uint8Array(0), ECIES_LABEL, 32);
      const cipher = await counterCipher(key, chance.nonce);
      return { header: eciesHeader(publicKey, chance.nonce), cipher };
    }
    case 'sealed': {
      const frames = await sealedFrames(secretKey(encryption.key), chance.salt);
      const header = sealedHeader(chance.salt, frames.keyCheck);
      return { header, cipher: sealedCipher(frames, header) };
    }
    case 'sealed-to': {
      const { shared, publicKey } = agree(chance.ephemeralPrivateKey, encryption.recipient);
      const frames = await sealedFrames(shared, chance.salt);
      const header = sealedHeader(chance.salt, frames.keyCheck, publicKey);
      return { header, cipher: sealedCipher(frames, header) };
    }
  }
}

/** @throws {SdkError} SDK_KEY_MISSING, SDK_WRONG_KEY (sealed formats only), SDK_KEY_FORM */
export async function decryptionCipher(
  header: EncryptionHeader,
  decryption: Decryption,
): Promise<FrameCipher> {
  switch (header.kind) {
    case 'zg-ctr':
      return counterCipher(sharedKeyFor(header.kind, decryption), header.nonce);
    case 'zg-ecies': {
      const shared = agreedSecret(header.kind, decryption, header.ephemeralPublicKey);
      const key = await hkdf(shared, new Uint8Array(0), ECIES_LABEL, 32);
      return counterCipher(key, header.nonce);
    }
    case 'sealed':
    case 'sealed-to': {
      const secret =
        header.kind === 'sealed'
          ? sharedKeyFor(header.kind, decryption)
          : agreedSecret(header.kind, decryption, header.ephemeralPublicKey);
      const frames = await sealedFrames(secret, header.salt);
      if (!equalBytes(frames.keyCheck, header.keyCheck)) {
        throw new SdkError(
          { code: 'SDK_WRONG_KEY', kind: header.kind },
          'the file was sealed with another key, or its header was changed',
        );
      }
      return sealedCipher(frames, header.bytes);
    }
  }
}

async function counterCipher(key: Uint8Array, nonce: Uint8Array): Promise<FrameCipher> {
  const stream = await counterMode(key, nonce);
  const apply = (bytes: Uint8Array, index: number): Promise<Uint8Array> =>
    stream.apply(bytes, index * COUNTER_FRAME_BYTES);
  return { framePlainBytes: COUNTER_FRAME_BYTES, tagBytes: 0, seal: apply, open: apply };
}

function sealedCipher(
  frames: Awaited<ReturnType<typeof sealedFrames>>,
  header: Uint8Array,
): FrameCipher {
  return {
    framePlainBytes: FRAME_PLAIN_BYTES,
    tagBytes: FRAME_TAG_BYTES,
    seal: (plain, index, isFinal) => frames.seal(plain, index, isFinal, header),
    open: (frame, index, isFinal) => frames.open(frame, index, isFinal, header),
  };
}

function sharedKeyFor(kind: string, { key }: Decryption): Uint8Array {
  if (key === undefined) throw missingKey(kind, 'a 32-byte key');
  return secretKey(key);
}

function agreedSecret(
  kind: string,
  { privateKey }: Decryption,
  ephemeralPublicKey: Uint8Array,
): Uint8Array {
  if (privateKey === undefined) throw missingKey(kind, "its recipient's private key");
  const bytes = secretKey(typeof privateKey === 'string' ? fromHex(privateKey) : privateKey);
  try {
    return ecdhSharedX(bytes, ephemeralPublicKey);
  } catch (cause) {
    throw new SdkError(
      { code: 'SDK_WRONG_KEY', kind },
      "the file's header holds no point of the curve, or the private key is none",
      { cause },
    );
  }
}

function agree(
  ephemeralPrivateKey: Uint8Array,
  recipient: Hex | Uint8Array,
): { readonly shared: Uint8Array; readonly publicKey: Uint8Array } {
  const point = typeof recipient === 'string' ? fromHex(recipient) : recipient;
  try {
    return {
      shared: ecdhSharedX(ephemeralPrivateKey, point),
      publicKey: publicKeyOf(ephemeralPrivateKey),
    };
  } catch (cause) {
    throw new SdkError(
      { code: 'SDK_KEY_FORM', expected: 'a secp256k1 public key', lengthBytes: point.length },
      `the recipient's public key of ${point.length} bytes is no point of secp256k1`,
      { cause },
    );
  }
}

function missingKey(kind: string, needed: string): SdkError {
  return new SdkError(
    { code: 'SDK_KEY_MISSING', kind },
    `the file is encrypted as ${kind}; reading it takes ${needed}`,
  );
}

function secretKey(key: Uint8Array): Uint8Array {
  if (key.length === 32) return key;
  throw new SdkError(
    { code: 'SDK_KEY_FORM', expected: '32 bytes', lengthBytes: key.length },
    `a key has 32 bytes, not ${key.length}`,
  );
}
