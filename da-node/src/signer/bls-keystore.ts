import {
  createCipheriv,
  createDecipheriv,
  createHash,
  pbkdf2,
  randomBytes,
  randomUUID,
  scrypt,
  timingSafeEqual,
} from 'node:crypto';
import { promisify } from 'node:util';
import { type BlsBackend, SECRET_BYTES, type SigningKey } from '@cairn/attestation';
import { fromHex, isRecord, toHex } from '@cairn/primitives';
import { parseBoundedJson } from '@cairn/wire-protocol';
import { SignerError } from '../errors.ts';

/** Bytes of a keystore's text at most; one has less than 2 KiB. */
const MAX_KEYSTORE_CHARACTERS = 65_536;
const MAX_JSON_DEPTH = 8;
/** What scrypt may be asked to use: twice what keystores ask for. */
const MAX_SCRYPT_BYTES: number = 512 * 1024 ** 2;
const MAX_PBKDF2_ROUNDS = 10_000_000;
/** What new keystores are made with, as the specification's own examples are. */
const SCRYPT = { dklen: 32, n: 262_144, p: 1, r: 8 } as const;

const deriveScrypt = promisify<
  Uint8Array,
  Uint8Array,
  number,
  { readonly N: number; readonly r: number; readonly p: number; readonly maxmem: number },
  Buffer
>(scrypt);
const derivePbkdf2 = promisify(pbkdf2);

/**
 * The key in an EIP-2335 keystore of version 4: scrypt or PBKDF2, AES-128-CTR, SHA-256. Takes a second
 * and, with scrypt, 256 MiB for a moment.
 *
 * @param password - as it was typed; control characters do not count
 * @throws {SignerError} KEYSTORE_FORM, KEYSTORE_PASSWORD; {WireError} WIRE_JSON; {BlsError}
 *   BLS_NOT_A_SECRET. Nothing secret is in any of them.
 */
export async function openBlsKeystore(
  text: string,
  password: string,
  backend: Pick<BlsBackend, 'openKey' | 'compressKey'>,
): Promise<SigningKey> {
  if (text.length > MAX_KEYSTORE_CHARACTERS) throw badForm('length');
  const store = partOf(parseBoundedJson(text, MAX_JSON_DEPTH, 'keystore'), 'keystore');
  if (store['version'] !== 4) throw badForm('version');
  const crypto = partOf(store['crypto'], 'crypto');
  const key = await deriveKey(partOf(crypto['kdf'], 'kdf'), passwordBytes(password));
  const cipher = partOf(crypto['cipher'], 'cipher');
  const sealed = bytesOf(cipher['message'], 'cipher.message', SECRET_BYTES);
  const checksum = partOf(crypto['checksum'], 'checksum');
  if (checksum['function'] !== 'sha256') throw badForm('checksum.function');
  const expected = bytesOf(checksum['message'], 'checksum.message', 32);
  const actual = createHash('sha256').update(key.subarray(16, 32)).update(sealed).digest();
  if (!timingSafeEqual(actual, expected)) {
    throw new SignerError(
      { code: 'KEYSTORE_PASSWORD' },
      'the password does not open this keystore',
    );
  }
  if (cipher['function'] !== 'aes-128-ctr') throw badForm('cipher.function');
  const iv = bytesOf(partOf(cipher['params'], 'cipher.params')['iv'], 'cipher.params.iv', 16);
  const decipher = createDecipheriv('aes-128-ctr', key.subarray(0, 16), iv);
  const secret = new Uint8Array(Buffer.concat([decipher.update(sealed), decipher.final()]));
  const opened = backend.openKey(secret);
  const told = store['pubkey'];
  const isOther = toHex(backend.compressKey(opened.publicKey)).slice(2) !== told;
  if (typeof told === 'string' && told !== '' && isOther) throw badForm('pubkey');
  return opened;
}

/**
 * A keystore for a secret key, with scrypt.
 *
 * @param secret - 32 bytes
 * @throws {BlsError} BLS_NOT_A_SECRET
 */
export async function createBlsKeystore(
  secret: Uint8Array,
  password: string,
  backend: Pick<BlsBackend, 'openKey' | 'compressKey'>,
): Promise<string> {
  const { publicKey } = backend.openKey(secret);
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const params = { ...SCRYPT, salt: salt.toString('hex') };
  const key = await deriveKey({ function: 'scrypt', params }, passwordBytes(password));
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), iv);
  const sealed = Buffer.concat([cipher.update(secret), cipher.final()]);
  const checksum = createHash('sha256').update(key.subarray(16, 32)).update(sealed).digest('hex');
  const store = {
    crypto: {
      kdf: { function: 'scrypt', params, message: '' },
      checksum: { function: 'sha256', params: {}, message: checksum },
      cipher: {
        function: 'aes-128-ctr',
        params: { iv: iv.toString('hex') },
        message: sealed.toString('hex'),
      },
    },
    description: 'signer of data availability',
    pubkey: toHex(backend.compressKey(publicKey)).slice(2),
    path: '',
    uuid: randomUUID(),
    version: 4,
  };
  return `${JSON.stringify(store, undefined, 2)}\n`;
}

async function deriveKey(kdf: Part, password: Uint8Array): Promise<Buffer> {
  const params = partOf(kdf['params'], 'kdf.params');
  const salt = bytesOf(params['salt'], 'kdf.params.salt');
  if (params['dklen'] !== 32) throw badForm('kdf.params.dklen');
  if (kdf['function'] === 'scrypt') {
    const N = numberOf(params['n'], 'kdf.params.n');
    const r = numberOf(params['r'], 'kdf.params.r');
    const p = numberOf(params['p'], 'kdf.params.p');
    const isPowerOfTwo = Number.isInteger(Math.log2(N)) && N > 1;
    if (!isPowerOfTwo || 128 * r * (N + p) > MAX_SCRYPT_BYTES || p > 16) {
      throw badForm('kdf.params');
    }
    return deriveScrypt(password, salt, 32, { N, r, p, maxmem: MAX_SCRYPT_BYTES + 1024 ** 2 });
  }
  if (kdf['function'] !== 'pbkdf2') throw badForm('kdf.function');
  if (params['prf'] !== 'hmac-sha256') throw badForm('kdf.params.prf');
  const rounds = numberOf(params['c'], 'kdf.params.c');
  if (rounds > MAX_PBKDF2_ROUNDS) throw badForm('kdf.params.c');
  return derivePbkdf2(password, salt, rounds, 32, 'sha256');
}

/** NFKD, without control characters, as UTF-8. */
function passwordBytes(password: string): Uint8Array {
  const isKept = (character: string): boolean => {
    const code = character.codePointAt(0) ?? 0;
    return code >= 0x20 && !(code >= 0x7f && code <= 0x9f);
  };
  return Buffer.from([...password.normalize('NFKD')].filter(isKept).join(''), 'utf8');
}

type Part = Readonly<Record<string, unknown>>;

function partOf(value: unknown, field: string): Part {
  if (isRecord(value)) return value;
  throw badForm(field);
}

function numberOf(value: unknown, field: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw badForm(field);
}

function bytesOf(value: unknown, field: string, length?: number): Uint8Array {
  const isHex = typeof value === 'string' && /^([0-9a-f]{2}){1,64}$/i.test(value);
  const bytes = isHex ? fromHex(value) : undefined;
  if (bytes === undefined || (length !== undefined && bytes.length !== length)) {
    throw badForm(field);
  }
  return bytes;
}

function badForm(field: string): SignerError {
  return new SignerError(
    { code: 'KEYSTORE_FORM', field },
    `this is no EIP-2335 keystore that can be read here: its ${field}`,
  );
}
